"""Examples never call a known item wrong, gradients are right, and a killed run ends as if it had not been."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import History
from strata.embeddings import checkpoints
from strata.embeddings.checkpoints import State
from strata.embeddings.early_stopping import EarlyStopping
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.sampling import ExamplePool, SamplingSettings, draw, info_nce
from strata.embeddings.training import (
    Corpus,
    FinetuneSettings,
    backward,
    choose_weights,
    finetune,
    merge_adapters,
    schedule,
)
from strata.evaluation.split import CutOffs
from tests.places import ROOT

GENRES = ("horror", "romance", "western", "science fiction", "musical", "war")
NAMES = ("night", "river", "stone", "garden", "winter", "engine", "mirror", "harbour", "letter", "crown")
ITEM_TEXTS = [f"The {name}. {genre}" for genre in GENRES for name in NAMES]
SHORT = FinetuneSettings(
    steps=12, users_per_step=12, evaluate_every=4, checkpoint_every=4, learning_rate=1e-4, patience=9
)
LEARNING_RATES = {"full": 1e-4, "lora": 2e-3, "last-layers": 6e-4}
"""The fewer weights learn, the faster each must in so few steps."""


# peft asks transformers by a name that transformers has given up.
peft_warns = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")


def encoder(precision: str = "auto") -> Encoder:
    return Encoder.load("all-minilm-l6-v2", EncoderSettings(precision=precision))


@cache
def corpus() -> Corpus:
    """60 users who each keep to the even or the odd names, whatever the genre: what texts alone do not tell."""
    rng = np.random.default_rng(0)
    users, items = [], []
    for user in range(60):
        own = np.flatnonzero(np.arange(len(ITEM_TEXTS)) % 2 == user % 2)
        users += [user] * 14
        items += list(rng.choice(own, 14, replace=False))
    times = np.tile(np.arange(14.0), 60)
    weights = np.where(rng.random(len(users)) < 0.1, -1, 1).astype(np.float32)
    events = History.from_columns(np.array(users), np.array(items), times, weights, n_users=60, n_items=len(ITEM_TEXTS))
    texts = [f"looking for {ITEM_TEXTS[item]}" if n % 9 == 0 else None for n, item in enumerate(events.items)]
    return Corpus(ITEM_TEXTS, events, texts, CutOffs(10.0, 12.0, 13.0, 14.0))


@st.composite
def behaviours(draw_from: st.DrawFn) -> tuple[History, list[str], list[str | None]]:
    n_users, n_items, n = draw_from(st.integers(1, 6)), draw_from(st.integers(1, 12)), draw_from(st.integers(0, 60))
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32)))
    events = History.from_columns(
        rng.integers(0, n_users, n),
        rng.integers(0, n_items, n),
        rng.integers(0, 20, n).astype(float),
        rng.choice([-1.0, 0.5, 1.0], n),
        n_users=n_users,
        n_items=n_items,
    )
    names = [f"item {k}" for k in rng.integers(0, n_items, n_items)]  # some items read the same
    return events, names, list(rng.choice([None, "", "a good one", "another"], n))


@given(behaviours(), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
def test_examples_keep_their_promises(
    drawn: tuple[History, list[str], list[str | None]], history: int, per_user: int, step: int
) -> None:
    events, names, texts = drawn
    options = SamplingSettings(users_per_step=3, history=history, examples_per_user=per_user)
    pool = ExamplePool.learn_from(events, names, texts, options)
    batch = draw(pool, options, step)
    known = {(user, names[item]) for user, item in zip(events.users, events.items, strict=True)}
    liked = {
        (user, names[item]): time
        for user, item, time, weight in reversed(
            list(zip(events.users, events.items, events.times, events.weights, strict=True))
        )
        if weight > 0
    }
    anchors = batch.anchors.toarray()
    assert len({names[item] for item in batch.items}) == len(batch.items)
    for row, user in enumerate(batch.users):
        target = names[batch.items[batch.targets[row]]]
        assert (user, target) in liked
        assert batch.allowed[row, batch.targets[row]]
        negatives = {names[item] for item in batch.items[batch.allowed[row]]} - {target}
        assert not any((user, name) in known for name in negatives)
        history_items = {names[batch.items[c]] for c in np.flatnonzero(anchors[row, : len(batch.items)])}
        assert target not in history_items
        assert len(history_items) <= history
        assert all(liked[user, name] <= liked[user, target] for name in history_items)
    np.testing.assert_allclose(anchors.sum(axis=1), 1, atol=1e-5)
    heard = (batch.anchors[:, len(batch.items) :].sum(axis=1) > 0) if len(batch.sentences) else np.zeros(len(anchors))
    assert np.bincount(batch.users[~np.asarray(heard, bool).ravel()], minlength=1).max() <= per_user


@given(behaviours(), st.integers(0, 5))
def test_same_step_draws_the_same_batch_and_its_loss_is_finite(
    drawn: tuple[History, list[str], list[str | None]], step: int
) -> None:
    options = SamplingSettings(users_per_step=3)
    pool = ExamplePool.learn_from(*drawn, options)
    batch, again = draw(pool, options, step), draw(pool, options, step)
    np.testing.assert_array_equal(batch.items, again.items)
    np.testing.assert_array_equal(batch.anchors.toarray(), again.anchors.toarray())
    np.testing.assert_array_equal(batch.allowed, again.allowed)
    if not len(batch.users):
        return
    torch.manual_seed(step)
    vectors = torch.nn.functional.normalize(torch.randn(len(batch.items) + len(batch.sentences), 8), dim=1)
    vectors.requires_grad_()
    loss = info_nce(vectors, batch, pool.inclusion, options)
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert torch.isfinite(loss)
    assert loss >= -1e-6
    assert torch.isfinite(gradient).all()


def test_inclusion_is_how_often_windows_hold_an_item() -> None:
    options = SamplingSettings(users_per_step=5, history=3)
    events = corpus().events
    pool = ExamplePool.learn_from(events, ITEM_TEXTS, [None] * len(events), options)
    held = np.zeros(events.n_items)
    for step in range(2000):
        held[draw(pool, options, step).items] += 1 / 2000
    np.testing.assert_allclose(held, pool.inclusion, atol=0.05)


def test_learning_rate_warms_up_then_falls_to_the_last_step() -> None:
    options = FinetuneSettings(steps=100, warmup_share=0.1)
    rates = [schedule(step, options) for step in range(100)]
    assert rates[9] == max(rates) == 1
    assert rates[0] == 0.1
    assert all(a > b for a, b in zip(rates[10:], rates[11:], strict=False))
    assert 0 < rates[-1] < 0.02


def test_bounded_memory_gives_the_same_gradient() -> None:
    gradients = []
    for budget in (10**6, 1):
        options = SHORT.model_copy(update={"tokens_at_once": budget})
        model = Encoder.load("all-minilm-l6-v2", EncoderSettings(precision="fp32", batch_size=16))
        data = corpus()
        pool = ExamplePool.learn_from(data.events, ITEM_TEXTS, data.event_texts, options)
        batch = draw(pool, options, 0)
        tokens = model.tokens([ITEM_TEXTS[i] for i in batch.items] + [pool.sentences[i] for i in batch.sentences])
        loss = backward(model, tokens, batch, pool.inclusion, options)
        parameters = [p.grad for p in model.model.parameters() if p.grad is not None]
        gradients.append((loss, torch.cat([g.flatten() for g in parameters])))
    assert gradients[0][0] == pytest.approx(gradients[1][0], abs=1e-5)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@peft_warns
@pytest.mark.parametrize("tune", ["full", "lora", "last-layers"])
def test_tuning_learns_what_texts_do_not_tell(tune: str, tmp_path: Path) -> None:
    options = SHORT.model_copy(update={"tune": tune, "learning_rate": LEARNING_RATES[tune], "evaluate_every": 2})
    model = encoder()
    points: list[dict[str, float]] = []
    metrics = finetune(model, corpus(), options, tmp_path / "checkpoints", points.append)
    assert metrics["kept"] == "tuned"
    assert metrics["tuned"]["ndcg@10"] > metrics["zero_shot"]["ndcg@10"] * 1.1
    assert [point["step"] for point in points] == list(range(1, metrics["steps"] + 1))
    assert points[-1]["loss"] < points[0]["loss"]
    assert not (tmp_path / "checkpoints").exists()
    model.save(tmp_path / "model")
    judge = EarlyStopping.of(corpus().events, corpus().cut_offs, users=1000, items=1000, seed=7)
    saved = Encoder.load(tmp_path / "model", EncoderSettings())
    assert judge.judge(saved, ITEM_TEXTS)["ndcg@10"] == pytest.approx(metrics["tuned"]["ndcg@10"], abs=0.02)


def test_tuning_that_does_not_help_keeps_the_base_model(tmp_path: Path) -> None:
    model = encoder()
    before = model.encode(ITEM_TEXTS)
    ruinous = SHORT.model_copy(update={"steps": 4, "evaluate_every": 2, "learning_rate": 10.0, "clip": 1e6})
    metrics = finetune(model, corpus(), ruinous, tmp_path)
    assert (metrics["kept"], metrics["best_step"]) == ("zero-shot", 0)
    assert "no evaluation had a better ndcg@10" in metrics["why"]
    assert metrics["tuned"]["ndcg@10"] <= metrics["zero_shot"]["ndcg@10"]
    np.testing.assert_array_equal(model.encode(ITEM_TEXTS), before)


@pytest.mark.parametrize(
    ("changes", "keep", "why"),
    [
        ({"tune": "none"}, slice(None), "tune is none"),
        ({}, slice(0, 14), "1 users with two positive items"),
        ({}, slice(0, 0), "0 users"),
    ],
)
def test_without_learners_the_base_model_stays(changes: dict, keep: slice, why: str, tmp_path: Path) -> None:
    data = corpus()
    mask = np.zeros(len(data.events), bool)
    mask[keep] = True
    texts = [text for text, kept in zip(data.event_texts, mask, strict=True) if kept]
    few = Corpus(ITEM_TEXTS, data.events.keep(mask), texts, data.cut_offs)
    metrics = finetune(encoder(), few, SHORT.model_copy(update=changes), tmp_path)
    assert metrics["kept"] == "zero-shot"
    assert metrics["steps"] == 0
    assert why in metrics["why"]


def test_without_anybody_to_judge_the_base_model_stays(tmp_path: Path) -> None:
    data = corpus()
    late = Corpus(ITEM_TEXTS, data.events, data.event_texts, CutOffs(50.0, 51.0, 52.0, 53.0))
    assert "nothing can judge" in finetune(encoder(), late, SHORT, tmp_path)["why"]


@peft_warns
def test_lora_and_last_layers_train_few_weights_and_merging_changes_nothing_at_first() -> None:
    def trainable(model: Encoder) -> int:
        return sum(p.numel() for p in model.model.parameters() if p.requires_grad)

    model = encoder("fp32")
    everything, before = trainable(model), model.encode(ITEM_TEXTS)
    choose_weights(model, SHORT.model_copy(update={"tune": "lora"}))
    assert trainable(model) < everything / 20
    merge_adapters(model)
    np.testing.assert_allclose(model.encode(ITEM_TEXTS), before, atol=1e-6)
    assert not [name for name in model.model.state_dict() if "lora" in name or "base_layer" in name]
    upper = encoder()
    choose_weights(upper, SHORT.model_copy(update={"tune": "last-layers"}))
    assert trainable(upper) < everything / 3


def test_large_catalogues_are_judged_on_a_sample_that_holds_all_that_is_needed() -> None:
    data = corpus()
    whole = EarlyStopping.of(data.events, data.cut_offs, users=1000, items=1000, seed=7)
    part = EarlyStopping.of(data.events, data.cut_offs, users=5, items=1, seed=7)
    assert len(whole) > len(part) == 5
    assert len(part.items) < len(whole.items) == len(ITEM_TEXTS)
    assert (np.diff(part.relevant.indptr) > 0).all()
    assert (np.diff(part.histories.indptr) > 0).all()


def test_checkpoint_round_trip_and_foreign_tag(tmp_path: Path) -> None:
    weights = {"w": torch.arange(3.0)}
    state = State(step=4, best_step=2, best={"ndcg@10": 0.5}, idle=1, curve=[{"step": 1, "loss": 2.5}])
    checkpoints.save(tmp_path, "tag", State(step=2), weights, weights, {"lr": 0.1})
    checkpoints.save(tmp_path, "tag", state, weights, weights, {"lr": 0.1})
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000004"]
    found = checkpoints.load(tmp_path, "tag")
    assert found is not None
    assert found[0] == state
    torch.testing.assert_close(found[1], weights)
    assert found[3] == {"lr": 0.1}
    assert checkpoints.load(tmp_path, "other") is None
    assert checkpoints.load(tmp_path / "absent", "tag") is None


@given(st.lists(st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=3)), max_size=4))
@settings(max_examples=30)
def test_fingerprint_tells_values_apart(parts: list) -> None:
    tag = checkpoints.fingerprint(parts)
    assert tag == checkpoints.fingerprint(list(parts))
    assert tag != checkpoints.fingerprint([*parts, np.zeros(1)])
    assert checkpoints.fingerprint([np.zeros(2)]) != checkpoints.fingerprint([np.zeros((2, 1))])


def test_fingerprint_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, content in ((one, b"12"), (same, b"12"), (other, b"13")):
        path.write_bytes(content)
    assert checkpoints.fingerprint([one]) == checkpoints.fingerprint([same]) != checkpoints.fingerprint([other])


def test_the_code_that_is_loaded_is_known_by_its_files() -> None:
    files = checkpoints.loaded_code("strata")
    assert {Path(checkpoints.__file__), ROOT / "strata" / "embeddings" / "training.py"} <= set(files)
    assert all(file.suffix == ".py" and file.is_relative_to(ROOT / "strata") for file in files)
