"""Adapts a language model to the platform's own texts, by the task it was made for, before behaviour tunes it.

Encoders fill in masked tokens (Devlin et al. 2019), decoders tell the next one. Next-sentence prediction is left out:
later models did without it (RoBERTa: arXiv 1907.11692), and items' texts have no sentences that follow each other.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from strata.embeddings import checkpoints
from strata.embeddings.adapt_settings import AdaptSettings
from strata.embeddings.checkpoints import State, Weights
from strata.embeddings.encoder import Encoder, local_folder
from strata.embeddings.processes import ALONE, Processes

JUDGED_BY = "perplexity"
IGNORED = -100
"""Label of tokens that are not to be told."""
Report = Callable[[dict[str, float]], None]
"""Called with each point of the curve; after a resume, with the earlier ones again."""


def adapt(
    encoder: Encoder,
    texts: Sequence[str],
    settings: AdaptSettings,
    folder: Path,
    report: Report = lambda point: None,
    processes: Processes = ALONE,
) -> dict[str, Any]:
    """Put into `encoder` the weights of its base model after it learned from `texts`; returns metrics.

    All `processes` end alike.

    The weights with the lowest perplexity on held-out texts are kept, the base model's where none is lower; `of_each`
    of these texts are the tokens told and the negative log likelihood before and after. `folder`
    holds checkpoints of an unfinished run; a run with the same settings, texts, base model and code resumes from them.
    """
    distinct = np.array(sorted({text for text in texts if text.strip()}), object)
    shuffled = np.random.default_rng(settings.seed).permutation(distinct)
    n_held = min(max(round(settings.held_share * len(shuffled)), 1), settings.held_texts)
    metrics: dict[str, Any] = {"adapted": False, "texts": len(shuffled), "held_texts": n_held, "steps": 0}
    if len(shuffled) < settings.texts_per_step + n_held:
        return metrics | {"why": f"{len(shuffled)} different texts are too few"}
    run = _Run(encoder, list(shuffled[n_held:]), list(shuffled[:n_held]), settings, processes)
    parts = (path for path in checkpoints.loaded_code("strata"))
    before = (weight for _, weight in sorted(encoder.model.state_dict().items()))
    run.train(folder, checkpoints.fingerprint([*parts, settings.model_dump(), list(shuffled), *before]), report)
    if processes.first:
        shutil.rmtree(folder, ignore_errors=True)
    state = run.state
    metrics |= {"task": run.task, "steps": state.step, "best_step": state.best_step, "before": run.before,
                "after": state.best, "adapted": state.best_step > 0,
                "of_each": {"tokens": run.losses[:, 1].tolist(), "before": run.before_losses[:, 0].tolist(),
                            "after": run.losses[:, 0].tolist()}}  # fmt: skip
    if state.best_step:
        body: Any = encoder.model[0]
        body.model.load_state_dict(run.model.base_model.state_dict(), strict=False)  # a pooler stays as it was
    return metrics


class _Run:
    """One run: the base model with the head of its own task, the optimiser, and how far it has come."""

    def __init__(
        self, encoder: Encoder, learned: list[str], held: list[str], settings: AdaptSettings, processes: Processes
    ) -> None:
        torch.manual_seed(settings.seed)
        self.processes = processes
        self.encoder, self.settings = encoder, settings
        self.tokenizer: Any = encoder.model.tokenizer
        body: Any = encoder.model[0]
        self.causal = body.model.config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        self.task = "next tokens" if self.causal else "masked tokens"
        kind: Any = AutoModelForCausalLM if self.causal else AutoModelForMaskedLM
        base = str(local_folder(encoder.settings.base) or encoder.settings.base)
        self.model = kind.from_pretrained(base, use_safetensors=True, trust_remote_code=False, dtype=torch.float32)
        self.model.to(encoder.device)
        self.learned, self.held = self._tokens(learned), self._tokens(held)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.losses = self.before_losses = np.zeros((0, 2))
        self.before = self.judge()
        self.before_losses = self.losses
        self.state, self.best = State(best=self.before), self.copy()

    def train(self, folder: Path, tag: str, report: Report) -> None:
        self.processes.wait()  # none may be read while one of them writes it
        if (found := checkpoints.load(folder, tag)) is not None:
            self.state, current, self.best, optimiser = found
            self.restore(current)
            self.optimiser.load_state_dict(optimiser)
        state, settings = self.state, self.settings
        for earlier in state.curve:
            report(earlier)
        while state.step < settings.steps and state.idle < settings.patience:
            point: dict[str, float] = {"step": state.step + 1, "loss": self.learn(state.step)}
            state.step += 1
            if state.step % settings.evaluate_every == 0 or state.step == settings.steps:
                scores = self.judge()
                point |= scores
                better = scores[JUDGED_BY] < state.best[JUDGED_BY]
                state.idle = 0 if better else state.idle + 1
                if better:
                    state.best_step, state.best, self.best = state.step, scores, self.copy()
            state.curve.append(point)
            report(point)
            if state.step % settings.checkpoint_every == 0 and self.processes.first:
                checkpoints.save(folder, tag, state, self.copy(), self.best, self.optimiser.state_dict())
        self.restore(self.best)
        self.judge()

    def learn(self, step: int) -> float:
        settings, rng = self.settings, np.random.default_rng([self.settings.seed, step])
        rows = rng.choice(len(self.learned), settings.texts_per_step, replace=False)
        warmup = max(settings.steps // 10, 1)
        for group in self.optimiser.param_groups:
            left = (settings.steps - step) / max(settings.steps - warmup, 1)
            group["lr"] = settings.learning_rate * min((step + 1) / warmup, left, 1.0)
        self.model.train()
        torch.manual_seed(settings.seed + step)  # dropout of a resumed run is that of an unbroken one
        losses, told = self._losses([self.learned[row] for row in self.processes.own(rows.tolist())], rng)
        loss = losses.sum() / self.processes.summed(told.sum()).clamp(min=1)
        torch.autograd.backward(loss)
        self.processes.add_up_gradients(self.model.parameters())
        loss = self.processes.summed(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return round(loss.item(), 6)

    @torch.inference_mode()
    def judge(self) -> dict[str, float]:
        """Perplexity of the held-out texts, and the tokens told, always the same ones."""
        self.model.eval()
        rng, size = np.random.default_rng(self.settings.seed), self.settings.texts_per_step
        parts = [self._losses(self.held[start : start + size], rng) for start in range(0, len(self.held), size)]
        self.losses = torch.cat([torch.stack(part, 1) for part in parts]).double().cpu().numpy()
        self.losses = self.processes.told(self.losses)
        total, told = self.losses.sum(0)
        return {JUDGED_BY: round(math.exp(min(total / max(told, 1), 50)), 4), "tokens": int(told)}

    def _losses(self, tokens: list[list[int]], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each text (B,), the summed negative log likelihood of the tokens to tell, and how many these are."""
        padding = self.tokenizer.pad_token_id or 0
        ids = pad_sequence([torch.tensor(line) for line in tokens], batch_first=True, padding_value=padding)  # (B, L)
        there = torch.arange(ids.shape[1]) < torch.tensor([len(line) for line in tokens])[:, None]
        labels = torch.where(there, ids, IGNORED)
        if not self.causal:
            ids, labels = self._masked(ids, labels, rng)
        device = self.encoder.device
        with self.encoder.autocast():
            logits = self.model(input_ids=ids.to(device), attention_mask=there.long().to(device)).logits
        if self.causal:
            logits, labels = logits[:, :-1], labels[:, 1:]
        asked = (labels != IGNORED).to(device)
        found = torch.nn.functional.cross_entropy(logits[asked].float(), labels.to(device)[asked], reduction="none")
        losses = torch.zeros(len(tokens), device=device).index_add(0, asked.nonzero()[:, 0], found)
        return losses, asked.sum(1).float()

    def _masked(
        self, ids: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids with some hidden or replaced, and labels of these alone; special tokens are never asked for."""
        special = torch.isin(ids, torch.tensor(self.tokenizer.all_special_ids)) | (labels == IGNORED)
        asked = torch.from_numpy(rng.random(ids.shape) < self.settings.masked) & ~special
        how = torch.from_numpy(rng.random(ids.shape))
        others = torch.from_numpy(rng.integers(0, len(self.tokenizer), ids.shape))
        ids = torch.where(asked & (how < 0.8), self.tokenizer.mask_token_id, ids)
        ids = torch.where(asked & (how >= 0.8) & (how < 0.9), others, ids)
        return ids, torch.where(asked, labels, IGNORED)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        end = [self.tokenizer.eos_token_id] if self.causal else []
        limit = self.settings.max_tokens - len(end)
        lines = self.tokenizer(texts, truncation=True, max_length=limit)["input_ids"]
        return [line + end for line in lines]

    def copy(self) -> Weights:
        return {name: weight.detach().cpu().clone() for name, weight in self.model.named_parameters()}

    @torch.no_grad()
    def restore(self, weights: Weights) -> None:
        for name, weight in self.model.named_parameters():
            weight.copy_(weights[name])
