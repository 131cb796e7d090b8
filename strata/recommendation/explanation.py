"""The reason for a recommendation: the main generator, the interest point that fits, and the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from strata.data.catalogue import Catalogue
from strata.interests.tier_words import worded
from strata.ranking.candidates import Generator
from strata.ranking.query import QueryBatch

EVIDENCE = 2
"""Most history items cited in a reason."""
LATELY = " these days"
"""What popularity says where events have times."""


class CitedPoint(NamedTuple):
    """An interest point as a reason cites it; `evidence`: ids of items."""

    name: str
    tier: str
    evidence: list[str]


@dataclass(frozen=True)
class Reason:
    """One recommendation's reason.

    `generator`: the one that contributed most, with its `share` of all positive contributions. `interest`, `tier`: the
    point without which the score would fall most or, if it would not fall, the nearest point; `similarity`: its cosine
    to the item; None for users without points. `moved`: whether the score would fall without it. `evidence`: ids of
    items in the history that led to the item. `text`: the reason as a sentence.
    """

    generator: str
    share: float
    interest: str | None
    tier: str | None
    similarity: float | None
    evidence: tuple[str, ...]
    text: str
    moved: bool = False


def explain(
    item: int,
    contributions: np.ndarray,
    generators: Sequence[Generator],
    batch: QueryBatch,
    catalogue: Catalogue,
    points: Sequence[CitedPoint],
    cosines: np.ndarray,
    cited: int,
    moved: bool,
    akin: bool,
    timed: bool = True,
) -> Reason:
    """The reason for `item` (row) in a batch of one user.

    `contributions` (G,): what each generator adds to the score. `points`: the user's P points; `cosines` (P,): of each
    to the item; `cited`, `moved`: as `cited_points` gives them; `akin`: whether the item is of the cited point's topics
    or category, and so fits it. Where the data are not `timed`, nothing is of these days and no interest is called
    momentary.
    """
    main = int(np.argmax(contributions))
    total = float(np.maximum(contributions, 0).sum())
    generator = generators[main]
    point = points[cited] if points else None
    parts = []
    evidence = tuple(str(catalogue.ids[row]) for row in generator.led_by(item, batch)[:EVIDENCE])
    if said := generator.says(_titles(evidence, catalogue)):
        parts.append(said if timed else said.removesuffix(LATELY))
    if point is not None and (moved or akin):
        if not evidence:
            evidence = tuple(point.evidence)[:EVIDENCE]
        read_from = f" ({_titles(point.evidence, catalogue)})" if point.evidence else ""
        interest = f"{worded(point.tier, timed=timed)} interest".lstrip()
        how = ("fits" if akin else "raised by") if moved else "near to"
        parts.append(f"{how} your {interest} {point.name}{read_from}")
    text = ", ".join(parts) or f"popular{LATELY if timed else ''}"
    return Reason(
        generator.name,
        round(max(float(contributions[main]), 0.0) / total, 3) if total > 0 else 0.0,
        None if point is None else point.name,
        None if point is None else point.tier,
        None if point is None else round(float(cosines[cited]), 3),
        evidence,
        text[0].upper() + text[1:],
        moved,
    )


def _titles(items: Sequence[str], catalogue: Catalogue) -> str:
    return ", ".join(dict.fromkeys(catalogue.title_of(item) for item in items[:EVIDENCE]))
