"""Fine-tunes the language model on behaviour, until ranking of unseen behaviour stops improving."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from strata.data.history import History
from strata.embeddings import checkpoints
from strata.embeddings.checkpoints import State, Weights
from strata.embeddings.early_stopping import EarlyStopping
from strata.embeddings.encoder import Encoder
from strata.embeddings.processes import ALONE, Processes
from strata.embeddings.sampling import Batch, ExamplePool, SamplingSettings, draw, info_nce
from strata.evaluation.split import CutOffs

JUDGED_BY = "ndcg@10"
Report = Callable[[dict[str, float]], None]
"""Called with each point of the curve; after a resume, with the earlier ones again."""


class FinetuneSettings(SamplingSettings):
    """Length and rate of training, and the weights tuned."""

    tune: Literal["full", "lora", "last-layers", "none"] = "full"
    steps: PositiveInt = 40
    learning_rate: PositiveFloat = 5e-5
    warmup_share: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)
    clip: PositiveFloat = 1.0
    """Largest norm of a step's gradient."""
    lora_rank: PositiveInt = 16
    tokens_at_once: PositiveInt = 16_384
    """Steps with more padded tokens are encoded twice (GradCache) instead of held in memory."""
    evaluate_every: PositiveInt = 10
    mix: float = Field(0.6, gt=0, le=1)
    """Share of the tuned weights in the kept model, the base model's the rest (WiSE-FT: arXiv 2109.01903): most of the
    gain, while texts that mean the same stay together."""
    patience: PositiveInt = 3
    """Evaluations without improvement before training stops."""
    validation_users: PositiveInt = 1_000
    validation_items: PositiveInt = 20_000
    """Above so many users or items, a fixed sample of each is evaluated."""
    checkpoint_every: PositiveInt = 20


@dataclass(frozen=True)
class Corpus:
    """Training data: `item_texts` (n_items,), `events` (n,) and the words that came with each, or None."""

    item_texts: Sequence[str]
    events: History
    event_texts: Sequence[str | None]
    cut_offs: CutOffs


def finetune(
    encoder: Encoder,
    corpus: Corpus,
    settings: FinetuneSettings,
    folder: Path,
    report: Report = lambda point: None,
    processes: Processes = ALONE,
) -> dict[str, Any]:
    """Tune `encoder` in place on the events before cut_offs.finetune; returns metrics. All `processes` end alike.

    The weights with the best NDCG@10 on users active in [finetune, validation) are kept, or the base model's where
    tuning never beats them or there are no users to train or evaluate on. `folder` holds checkpoints of an unfinished
    run; a run with the same settings, data, base model and code resumes from them.
    """
    early = corpus.events.times < corpus.cut_offs.finetune
    texts = [text for text, keep in zip(corpus.event_texts, early, strict=True) if keep]
    pool = ExamplePool.learn_from(corpus.events.keep(early), corpus.item_texts, texts, settings)
    validation = EarlyStopping.of(
        corpus.events,
        corpus.cut_offs,
        users=settings.validation_users,
        items=settings.validation_items,
        seed=settings.seed,
    )
    zero_shot = validation.judge(encoder, corpus.item_texts)
    metrics: dict[str, Any] = {
        "kept": "zero-shot",
        "why": _obstacle(pool, validation, settings),
        "learners": pool.learners,
        "pairs": pool.pairs,
        "validation_users": len(validation),
        "steps": 0,
        "best_step": 0,
        "zero_shot": zero_shot,
        "tuned": {},
    }
    if metrics["why"]:
        return metrics
    tag = _fingerprint(encoder, corpus, settings)
    run = _Run(encoder, corpus.item_texts, pool, validation, settings, zero_shot, processes)
    run.train(folder, tag, report)
    if processes.first:
        shutil.rmtree(folder, ignore_errors=True)
    state = run.state
    metrics |= {"steps": state.step, "best_step": state.best_step, "best": state.best, "tuned": run.mixed}
    if state.best_step and run.mixed[JUDGED_BY] > zero_shot[JUDGED_BY]:
        return metrics | {"kept": "tuned", "why": f"better {JUDGED_BY} on the validation window"}
    return metrics | {"why": f"no evaluation had a better {JUDGED_BY} than the base model"}


class _Run:
    """One run of training: the encoder's trainable weights, their optimiser and how far it has come."""

    def __init__(
        self,
        encoder: Encoder,
        item_texts: Sequence[str],
        pool: ExamplePool,
        validation: EarlyStopping,
        settings: FinetuneSettings,
        zero_shot: dict[str, float],
        processes: Processes,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.processes = processes
        self.encoder, self.pool, self.validation, self.settings = encoder, pool, validation, settings
        self.item_texts, self.zero_shot = item_texts, zero_shot
        self.item_tokens = encoder.tokens(item_texts)
        self.sentence_tokens = encoder.tokens(pool.sentences)
        choose_weights(encoder, settings)
        self.weights = {name: p for name, p in encoder.model.named_parameters() if p.requires_grad}
        self.base = self.best = self.copy()
        self.mixed: dict[str, float] = {}
        self.state = State(best=zero_shot)
        self.optimiser = torch.optim.AdamW(
            self.weights.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )

    def train(self, folder: Path, tag: str, report: Report) -> None:
        self.resume(folder, tag)
        state, settings = self.state, self.settings
        for earlier in state.curve:
            report(earlier)
        while state.step < settings.steps and state.idle < settings.patience:
            point: dict[str, float] = {"step": state.step + 1, "loss": self.learn(state.step)}
            state.step += 1
            if state.step % settings.evaluate_every == 0 or state.step == settings.steps:
                point |= self.judge()
            state.curve.append(point)
            report(point)
            if state.step % settings.checkpoint_every == 0 and self.processes.first:
                checkpoints.save(folder, tag, state, self.copy(), self.best, self.optimiser.state_dict())
        self.keep_mixture()
        merge_adapters(self.encoder)

    def keep_mixture(self) -> None:
        """Leave the mixture of base and best weights in the encoder, or the base where the mixture is no better."""
        share = self.settings.mix
        self.restore({name: torch.lerp(self.base[name], best, share) for name, best in self.best.items()})
        self.mixed = self.scores()
        if self.mixed[JUDGED_BY] <= self.zero_shot[JUDGED_BY]:
            self.restore(self.base)

    def learn(self, step: int) -> float:
        batch = draw(self.pool, self.settings, step)
        tokens = [self.item_tokens[i] for i in batch.items] + [self.sentence_tokens[i] for i in batch.sentences]
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * schedule(step, self.settings)
        loss = backward(self.encoder, tokens, batch, self.pool.inclusion, self.settings, self.processes)
        torch.nn.utils.clip_grad_norm_(self.weights.values(), self.settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return round(loss, 6)

    def scores(self) -> dict[str, float]:
        found = self.validation.judge(self.encoder, self.item_texts) if self.processes.first else {}
        return dict(self.processes.told(found))

    def judge(self) -> dict[str, float]:
        scores = self.scores()
        if scores[JUDGED_BY] > self.state.best[JUDGED_BY]:
            self.state.best_step, self.state.best, self.state.idle = self.state.step, scores, 0
            self.best = self.copy()
        else:
            self.state.idle += 1
        return scores

    def resume(self, folder: Path, tag: str) -> None:
        self.processes.wait()  # none may be read while one of them writes it
        if (found := checkpoints.load(folder, tag)) is not None:
            self.state, current, self.best, optimiser = found
            self.restore(current)
            self.optimiser.load_state_dict(optimiser)

    def copy(self) -> Weights:
        return {name: weight.detach().cpu().clone() for name, weight in self.weights.items()}

    @torch.no_grad()
    def restore(self, weights: Weights) -> None:
        for name, weight in self.weights.items():
            weight.copy_(weights[name])


def backward(
    encoder: Encoder,
    tokens: list[list[int]],
    batch: Batch,
    inclusion: np.ndarray,
    settings: FinetuneSettings,
    processes: Processes = ALONE,
) -> float:
    """Accumulate the gradient of the batch's loss and return the loss.

    Above `tokens_at_once`, and in several processes, the texts are encoded without gradients first and again batch by
    batch, which gives the same gradient in bounded memory (GradCache: Gao et al. 2021, arXiv 2101.06983).
    """
    batches = encoder.batches(tokens)
    few = sum(len(rows) * len(tokens[rows[-1]]) for rows in batches) <= settings.tokens_at_once
    if few and processes.count == 1:
        loss = info_nce(encoder.vectors(tokens), batch, inclusion, settings)
        torch.autograd.backward(loss)
        return loss.item()
    own = processes.own(batches)
    with torch.no_grad():
        vectors = processes.summed(_at_rows(encoder, tokens, own))
    vectors.requires_grad_()
    loss = info_nce(vectors, batch, inclusion, settings)
    (gradient,) = torch.autograd.grad(loss, vectors)
    for rows in own:
        again = encoder.vectors([tokens[row] for row in rows])
        torch.autograd.backward((again * gradient[rows]).sum())
    processes.add_up_gradients(each for each in encoder.model.parameters() if each.requires_grad)
    return loss.item()


def _at_rows(encoder: Encoder, tokens: list[list[int]], batches: Sequence[list[int]]) -> torch.Tensor:
    """Vectors (n, d) of the texts in some batches, 0 for the others."""
    dimension = encoder.dimension
    found = torch.zeros((len(tokens), dimension), device=encoder.device)
    for rows in batches:
        found[rows] = encoder.vectors([tokens[row] for row in rows]).to(found)
    return found


def schedule(step: int, settings: FinetuneSettings) -> float:
    """Share of the learning rate at `step`: linear warm-up, then linear decay to the last step."""
    warmup = max(round(settings.warmup_share * settings.steps), 1)
    return min((step + 1) / warmup, (settings.steps - step) / max(settings.steps - warmup, 1), 1.0)


def choose_weights(encoder: Encoder, settings: FinetuneSettings) -> None:
    """Make only the weights that `tune` names trainable: all, low-rank adapters (Hu et al. 2021) or the upper half."""
    body: Any = encoder.model[0]
    if settings.tune == "lora":
        from peft import LoraConfig, get_peft_model  # only this choice needs it

        rank = settings.lora_rank
        body.model = get_peft_model(body.model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"))
    elif settings.tune == "last-layers":
        layers = max(
            (m for m in body.model.modules() if isinstance(m, torch.nn.ModuleList)),
            key=lambda stack: sum(weight.numel() for weight in stack.parameters()),
        )
        encoder.model.requires_grad_(False)
        for layer in layers[len(layers) // 2 :]:
            layer.requires_grad_(True)


def merge_adapters(encoder: Encoder) -> None:
    """Fold low-rank adapters, where there are any, into the weights they adapt."""
    body: Any = encoder.model[0]
    if hasattr(body.model, "merge_and_unload"):
        body.model = body.model.merge_and_unload()


def _obstacle(pool: ExamplePool, validation: EarlyStopping, settings: FinetuneSettings) -> str:
    """Why nothing can be trained, or an empty text."""
    if settings.tune == "none":
        return "finetune.tune is none"
    if pool.learners < 2:
        return f"{pool.learners} users with two positive items or a text before the cut-off; two are needed"
    if not len(validation):
        return "no user with a history is active between the cut-offs finetune and validation, so nothing can judge"
    return ""


def _fingerprint(encoder: Encoder, corpus: Corpus, settings: FinetuneSettings) -> str:
    events = corpus.events
    return checkpoints.fingerprint(
        [
            *checkpoints.loaded_code("strata"),
            settings.model_dump(),
            encoder.settings.model_dump(),
            vars(corpus.cut_offs),
            list(corpus.item_texts),
            list(corpus.event_texts),
            *(events.users, events.items, events.times, events.weights),
            *(weight for _, weight in sorted(encoder.model.state_dict().items())),
        ]
    )
