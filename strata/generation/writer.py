"""Texts that may be shown: from the cache, from a generator if they pass the check, else from the template."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from strata.generation.cache import TextCache
from strata.generation.checking import Fault, fault_of
from strata.generation.evidence import Evidence
from strata.generation.generator import Completion, Failure, Generator
from strata.generation.prompts import Prompt, prompt_for
from strata.generation.settings import GenerateSettings
from strata.generation.templates import template
from strata.generation.tidying import tidy

By = Literal["template", "generator"]


@dataclass(frozen=True)
class Written:
    """A text that may be shown, who wrote it, and why the generator's was not taken, where one was asked."""

    text: str
    by: By
    refused: Fault | Failure | None = None


@dataclass
class Writer:
    """Writes texts of evidence; `counts`: texts by who wrote them, and fallbacks by what was wrong.

    `topical`: lower-case words of the catalogue's topics; none may be said where the evidence lacks it.
    """

    settings: GenerateSettings
    generator: Generator | None = None
    cache: TextCache = field(default_factory=TextCache)
    topical: Collection[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)

    def write(self, evidences: Sequence[Evidence]) -> list[Written]:
        """One text for each evidence, in their order. Raises SettingsError where the generator can answer nothing."""
        clean = [evidence.screened() for evidence in evidences]
        found: dict[int, Written] = {}
        refused: dict[int, Fault | Failure] = {}
        for attempt in range(self.settings.attempts if self.generator is not None else 0):
            open_ones = [at for at in range(len(clean)) if at not in found and self._asks(clean[at], refused.get(at))]
            self._attempt(clean, open_ones, attempt, found, refused)
        for at, evidence in enumerate(clean):
            if at not in found:
                refused |= self._unspoken(at, evidence)
                found[at] = Written(template(evidence), "template", refused.get(at))
            self.counts[found[at].by] += 1
            if (fault := found[at].refused) is not None:
                self.counts[f"refused: {fault}"] += 1
        return [found[at] for at in range(len(clean))]

    def known(self, evidence: Evidence) -> Written | None:
        """What is there without asking a generator: a cached text or, without a generator, the template's."""
        clean = evidence.screened()
        if self.generator is None or clean.language not in self.settings.speaks:
            return Written(template(clean), "template")
        text = self.cache.get(clean, self.generator.identity)
        return None if text is None else Written(text, "generator")

    def _asks(self, evidence: Evidence, refused: Fault | Failure | None) -> bool:
        """Whether a generator is asked: it speaks the language, there is something to say, and budget is left."""
        return evidence.language in self.settings.speaks and bool(template(evidence)) and refused != "over-budget"

    def _unspoken(self, at: int, evidence: Evidence) -> dict[int, Fault | Failure]:
        asked = self.generator is not None and bool(template(evidence))
        return {at: "not-spoken"} if asked and evidence.language not in self.settings.speaks else {}

    def _attempt(
        self,
        clean: Sequence[Evidence],
        rows: Sequence[int],
        attempt: int,
        found: dict[int, Written],
        refused: dict[int, Fault | Failure],
    ) -> None:
        """Ask once for `rows`; put what may be shown into `found`, and why the others may not into `refused`."""
        if self.generator is None:
            return
        ask: list[int] = []
        for at in rows:
            text = self.cache.get(clean[at], self.generator.identity)
            if text is not None and fault_of(text, clean[at], (), self.topical) is None:
                found[at] = Written(text, "generator")
            else:
                ask.append(at)
        prompts = [prompt_for(clean[at], self.settings.prompt_tokens) for at in ask]
        for at, prompt, answer in zip(ask, prompts, self.generator.write(prompts, attempt), strict=True):
            text, fault = self._judged(prompt, answer)
            if fault is not None:
                refused[at] = fault
                continue
            found[at] = Written(text, "generator")
            self.cache.put(clean[at], self.generator.identity, text)

    def _judged(self, prompt: Prompt, answer: Completion) -> tuple[str, Fault | Failure | None]:
        if answer.failure is not None:
            return "", answer.failure
        text = tidy(answer, prompt.evidence.task)
        return text, fault_of(text, prompt.evidence, prompt.parts, self.topical)
