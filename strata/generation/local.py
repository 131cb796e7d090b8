"""A causal language model on this machine, by transformers; in English it is held to the words of its evidence."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
)
from transformers.utils.logging import disable_progress_bar

from strata.data.sources.packages import RESOURCES, model_folder
from strata.errors import EncoderError
from strata.generation.evidence import Evidence
from strata.generation.generator import Completion
from strata.generation.lexicon import Lexicon
from strata.generation.prompts import Prompt
from strata.generation.settings import GenerateSettings
from strata.generation.vocabulary import shown

TEMPERATURE, SEED = 0.7, 7
"""Of further attempts; the first takes the likeliest words."""


class LocalModel:
    """Answers prompts in batches, shortest first."""

    def __init__(self, model: Any, tokenizer: Any, settings: GenerateSettings, name: str) -> None:
        self.model, self.tokenizer, self.settings = model.eval(), tokenizer, settings
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._name = name

    @classmethod
    def load(cls, settings: GenerateSettings) -> Self:
        """Load `settings.model`: a packaged model, a folder or a hub name, from safetensors, running none of its code.

        Raises EncoderError.
        """
        torch.set_num_threads(settings.threads)
        disable_progress_bar()  # type: ignore[no-untyped-call]  # the stages draw their own
        name = settings.model
        packaged = name in RESOURCES and RESOURCES[name].kind == "model" and not Path(name).is_dir()
        base = str(model_folder(name)) if packaged else name
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        here = packaged or Path(base).is_dir()
        try:
            tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=here, trust_remote_code=False)
            model: Any = AutoModelForCausalLM.from_pretrained(
                base, local_files_only=here, trust_remote_code=False, use_safetensors=True, dtype=dtype
            )
        except Exception as error:  # the hub client, tokenisers and torch share no base class
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise EncoderError(
                f"generate.model: '{name}' cannot be loaded ({reason}); name a folder with a model in safetensors, "
                "a packaged one (`strata model list`), or a hub name this machine can reach"
            ) from error
        return cls(model.to(device), tokenizer, settings, name)

    @property
    def identity(self) -> str:
        """The model's name."""
        return f"local:{self._name}"

    def write(self, prompts: Sequence[Prompt], attempt: int = 0) -> list[Completion]:
        """Answers to prompts; further attempts are sampled, with a seed of their own."""
        order = sorted(range(len(prompts)), key=lambda at: len(prompts[at].question))
        found: dict[int, Completion] = {}
        for start in range(0, len(order), self.settings.batch_size):
            batch = order[start : start + self.settings.batch_size]
            found.update(zip(batch, self._batch([prompts[at] for at in batch], attempt), strict=True))
        return [found[at] for at in range(len(prompts))]

    def _batch(self, prompts: Sequence[Prompt], attempt: int) -> list[Completion]:
        texts = [self._chat(prompt) for prompt in prompts]
        given = self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(self.model.device)
        length = given["input_ids"].shape[1]
        held = _Held([self._lexicon(prompt.evidence) for prompt in prompts], length, self.tokenizer.eos_token_id)
        sampled = {"do_sample": True, "temperature": TEMPERATURE, "top_p": 0.9} if attempt else {"do_sample": False}
        torch.manual_seed(SEED + attempt)
        started = time.monotonic()
        with torch.inference_mode():
            out = self.model.generate(
                **given, **sampled, max_new_tokens=self.settings.max_tokens, max_time=self.settings.time_out,
                logits_processor=LogitsProcessorList([held]), pad_token_id=self.tokenizer.pad_token_id,
            )  # fmt: skip
        late = time.monotonic() - started >= self.settings.time_out
        return [self._completion(line[length:].tolist(), late) for line in out]

    def _completion(self, tokens: list[int], late: bool) -> Completion:
        finished = self.tokenizer.eos_token_id in tokens
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        if not finished and late:
            return Completion(failure="time-out")
        return Completion(text, finished)

    def _chat(self, prompt: Prompt) -> str:
        if self.tokenizer.chat_template is None:
            return "\n".join(message["content"] for message in prompt.messages()) + "\n"
        chat: str = self.tokenizer.apply_chat_template(prompt.messages(), add_generation_prompt=True, tokenize=False)
        return chat

    def _lexicon(self, evidence: Evidence) -> Lexicon | None:
        if evidence.language != "en":
            return None
        return Lexicon(lambda text: self.tokenizer.encode(text, add_special_tokens=False), sayable(evidence))


def sayable(evidence: Evidence) -> list[str]:
    """What a text may be made of beside plain words: titles as they are shown, phrases, and tiers."""
    phrases = [form for phrase in evidence.phrases for form in (phrase, phrase.lower())]
    if evidence.task == "name":
        return phrases
    return [*(shown(title) for title in evidence.titles), *phrases, *evidence.tiers]


class _Held(LogitsProcessor):
    """Leaves each line of a batch only the tokens that its lexicon allows."""

    def __init__(self, lexicons: Sequence[Lexicon | None], prompt_length: int, end: int) -> None:
        self.lexicons, self.start, self.end = lexicons, prompt_length, end

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        held = torch.full_like(scores, -torch.inf)
        for line, lexicon in enumerate(self.lexicons):
            tokens = input_ids[line, self.start :].tolist()
            if lexicon is None or self.end in tokens:
                held[line] = scores[line]
                continue
            following, may_end = lexicon.allowed(tokens)
            allowed = list(following | {self.end} if may_end or not following else following)
            held[line, allowed] = scores[line, allowed]
        return held  # type: ignore[return-value]
