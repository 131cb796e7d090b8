"""A model learns the platform's texts by its own task, keeps what is better on held-out ones, and resumes."""

from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from strata.embeddings import checkpoints
from strata.embeddings.adapt_settings import AdaptSettings
from strata.embeddings.adapting import adapt
from strata.embeddings.encoder import Encoder, EncoderSettings

WORDS = [
    "red",
    "white",
    "wine",
    "beer",
    "dry",
    "sweet",
    "old",
    "young",
    "from",
    "spain",
    "italy",
    "with",
    "fish",
    "meat",
]
TEXTS = [f"{a} {b} {c} from {d} with {e}" for a in ("dry", "sweet", "old") for b in ("red", "white")
         for c in ("wine", "beer") for d in ("spain", "italy") for e in ("fish", "meat")]  # fmt: skip
SETTINGS = AdaptSettings(
    steps=12, texts_per_step=8, learning_rate=5e-3, evaluate_every=4, checkpoint_every=4, patience=9
)
SIZE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def folder_of(kind: str, folder: Path) -> Path:
    """A tiny model of a family, with random weights."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    torch.manual_seed(0)
    if kind == "encoder":
        model: PreTrainedModel = BertForMaskedLM(BertConfig(vocab_size=len(words), **SIZE))
    else:
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(words), **SIZE))
    model.save_pretrained(folder)
    tokenizer = BertTokenizer(vocab={word: n for n, word in enumerate(words)}, eos_token="[SEP]")
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(params=["encoder", "decoder"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return folder_of(request.param, tmp_path / request.param)


def load(base: Path) -> Encoder:
    return Encoder.load(base, EncoderSettings(base=str(base), precision="fp32"))


def test_perplexity_of_texts_that_were_not_learned_falls(base: Path, tmp_path: Path) -> None:
    encoder = load(base)
    before = encoder.encode(TEXTS[:4])
    found = adapt(encoder, [*TEXTS, *TEXTS, " "], SETTINGS, tmp_path / "checkpoints")
    assert found["task"] == ("masked tokens" if base.name == "encoder" else "next tokens")
    assert (found["texts"], found["held_texts"]) == (len(TEXTS), round(0.1 * len(TEXTS)))
    assert found["adapted"]
    assert found["after"]["perplexity"] < 0.8 * found["before"]["perplexity"]
    assert abs(encoder.encode(TEXTS[:4]) - before).max() > 0.01
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_that_ended_half_way_goes_on_to_the_same_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load(base)
    expected = adapt(whole, TEXTS, SETTINGS, tmp_path / "whole")
    save = checkpoints.save

    def save_and_end(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "save", save_and_end)
        with pytest.raises(KeyboardInterrupt):
            adapt(load(base), TEXTS, SETTINGS, tmp_path / "half")
    steps: list[float] = []
    resumed = load(base)
    found = adapt(resumed, TEXTS, SETTINGS, tmp_path / "half", lambda point: steps.append(point["step"]))
    assert found == expected
    assert steps == list(range(1, SETTINGS.steps + 1))
    assert resumed.encode(TEXTS).tobytes() == whole.encode(TEXTS).tobytes()


def test_a_model_that_learned_nothing_stays_as_it_was(base: Path, tmp_path: Path) -> None:
    encoder = load(base)
    before = encoder.encode(TEXTS)
    spoilt = SETTINGS.model_copy(update={"learning_rate": 1e-12})
    found = adapt(encoder, TEXTS, spoilt, tmp_path / "checkpoints")
    assert not found["adapted"]
    assert found["after"] == found["before"]
    assert encoder.encode(TEXTS).tobytes() == before.tobytes()


def test_too_few_texts_are_said(base: Path, tmp_path: Path) -> None:
    found = adapt(load(base), TEXTS[:8] * 9, SETTINGS, tmp_path / "checkpoints")
    assert not found["adapted"]
    assert found["why"] == "8 different texts are too few"
