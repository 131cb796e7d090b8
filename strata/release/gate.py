"""The release gate: refuses a release that is clearly worse than the current one, and says why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from strata.data.schema import USER
from strata.release.layout import Part
from strata.release.manifest import read_manifest
from strata.settings import Settings

USERS_WITH_POINTS = "users_with_points"
Share = Annotated[float, Field(ge=0, le=1)]


class GateSettings(Settings):
    """How far metrics of a new release may fall."""

    may_fall: dict[str, Share] = {
        "ndcg@10.all": 0.02,
        "strata.ndcg@10": 0.02,
        "strata.coverage@10": 0.3,
        USERS_WITH_POINTS: 0.05,
    }
    """Metric (path in metrics.json, higher is better) → share of the current value that may be lost."""


@dataclass(frozen=True)
class Verdict:
    """Result of one rule; `least`: lowest value of `metric` that passes, None without a current value."""

    metric: str
    current: float | None
    new: float | None
    least: float | None
    passed: bool
    reason: str


def figures(release_folder: Path) -> dict[str, float]:
    """All numbers that rules can name: the manifest's metrics by dotted path, and the share of users with points."""
    profiles = pl.read_parquet(release_folder / Part.PROFILES / "profiles.parquet", columns=[USER])
    users = pl.read_parquet(release_folder / Part.USERS, columns=[USER])
    with_points = profiles[USER].n_unique() / max(users.height, 1)
    return {**_flat(read_manifest(release_folder).metrics), USERS_WITH_POINTS: round(with_points, 6)}


def judge(current: Mapping[str, float] | None, new: Mapping[str, float], settings: GateSettings) -> Sequence[Verdict]:
    """Compare figures rule by rule; `current` is None before the first release. All must pass."""
    return [_verdict(name, fall, current or {}, new) for name, fall in settings.may_fall.items()]


def as_markdown(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as a Markdown table."""
    lines = ["| metric | current | new | at least | verdict |", "|---|---:|---:|---:|---|"]
    for verdict in verdicts:
        numbers = " | ".join(
            "–" if value is None else f"{value:.4f}" for value in (verdict.current, verdict.new, verdict.least)
        )
        lines.append(f"| {verdict.metric} | {numbers} | {verdict.reason} |")
    return "\n".join(lines) + "\n"


def _verdict(name: str, may_fall: float, current: Mapping[str, float], new: Mapping[str, float]) -> Verdict:
    before, after = current.get(name), new.get(name)
    least = None if before is None else before * (1 - may_fall) if before >= 0 else before * (1 + may_fall)
    if after is None or not math.isfinite(after):
        return Verdict(name, before, after, least, False, "**refused**: the new release lacks it")
    if before is None or least is None:
        return Verdict(name, before, after, least, True, "passed: nothing to compare with")
    change = f"{(after - before) / abs(before):+.1%}" if before else f"{after - before:+.4f}"
    if after < least:
        return Verdict(name, before, after, least, False, f"**refused**: {change}, allowed −{may_fall:.0%}")
    return Verdict(name, before, after, least, True, f"passed: {change}")


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[prefix + name] = float(value)
    return found
