"""Compares what was understood of files with what they mean, setting by setting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal

import yaml

from strata.data.guess.plan import Plan

Verdict = Literal["right", "asked", "missed", "silent"]
"""Right (though perhaps asked about); wrong, and asked about; left out, and shown so; wrong without a word."""
_FREE: Final = {("interactions", "event_id")}
"""Settings on which nothing hangs if they are there or not."""
_NAMES: Final = ("columns", "attributes")


@dataclass(frozen=True)
class Judged:
    """One setting of a data set: what should be, what was understood, how that is."""

    setting: str
    should: Any
    given: Any
    verdict: Verdict


def truth() -> dict[str, Any]:
    """The content of truth.yaml: data set → table → settings."""
    content: dict[str, Any] = yaml.safe_load(
        files("benchmarks.init").joinpath("truth.yaml").read_text(encoding="utf-8")
    )
    return content


def judge(plan: Plan, should: Mapping[str, Any]) -> list[Judged]:
    """Every setting that should be, and every column or meaning that was given and should not."""
    asked = {guess.key for guess in plan.guesses if not guess.sure}
    wanted = dict(_flat(should))
    given = dict(_flat({**plan.source, "cleaning": plan.cleaning}))
    judged = []
    for key, right in wanted.items():
        value = given.get(key)
        choices = right["any"] if isinstance(right, dict) and "any" in right else [right]
        doubted = any(key[: len(each)] == each for each in asked)
        verdict: Verdict = (
            "right" if value in choices else "asked" if doubted else "missed" if value is None else "silent"
        )
        if verdict == "missed" and (key[1] not in _NAMES or key[0] == "interactions"):
            verdict = "silent"  # what is read without it is read wrongly
        judged.append(Judged(".".join(key), choices[0], value, verdict))
    for key, value in given.items():
        if key not in wanted and _means(key) and key[0] in should:
            doubted = any(key[: len(each)] == each for each in asked)
            judged.append(Judged(".".join(key), None, value, "asked" if doubted else "silent"))
    return judged


def _means(key: tuple[str, ...]) -> bool:
    """Whether a setting that is not in the truth changes what is read."""
    if key[1] in ("columns", "constants", "behaviours", "unrated", "time", "time_unit", "time_format", "unfold"):
        return (key[0], key[-1]) not in _FREE
    return key[1] in ("separator", "number_ids", "skip_lines")


def _flat(settings: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    whole = (
        not isinstance(settings, Mapping)
        or "any" in settings
        or (above and above[-1] in ("unfold", "properties", "unrated"))
    )
    if whole or (len(above) == 2 and above[0] == "cleaning"):
        yield above, settings
        return
    for key, value in settings.items():
        yield from _flat(value, (*above, str(key)))
