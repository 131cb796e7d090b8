"""Why an item is recommended: the generator that mattered most, the interest point that led to it, and the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strata.candidates import Audience, FromHistory, Generator
from strata.catalogue import Catalogue
from strata.profiles import Profiles

EVIDENCE = 2
"""History items that are cited."""


@dataclass(frozen=True)
class Reason:
    """One recommendation's reason.

    `generator`: what contributed most, with its `share` of the score. `interest`, `tier`: the point that added most to
    the score or, where none did, the nearest, with the `similarity` (cosine); None for users without points.
    `moved`: whether that point added to the score. `evidence`: item ids that the user chose and that led here.
    `text`: the reason as a sentence.
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
    audience: Audience,
    profiles: Profiles,
    rows: slice,
    catalogue: Catalogue,
    vectors: np.ndarray,
    added: np.ndarray,
) -> Reason:
    """The reason for `item` (row) to the only user of `audience`, whose points are `rows` of `profiles`.

    `contributions` (G,) are the shares of the score by generator, `added` (P,) what each point of `rows` added to it.
    """
    main = int(np.argmax(contributions))
    total = float(contributions.sum())
    generator = generators[main]
    point, similarity = _cited_point(vectors[item], profiles, rows, added)
    moved = bool(added.any())
    parts = []
    evidence: tuple[str, ...] = ()
    if isinstance(generator, FromHistory):
        evidence = _led_by(generator, audience, item, catalogue)
        if evidence:
            parts.append(f"goes with {_titles(evidence, catalogue)}")
    elif generator.name == "popular":
        parts.append("popular these days")
    if point is not None:
        if not evidence:
            evidence = tuple(point["evidence"])[:EVIDENCE]
        read_from = f" ({_titles(point['evidence'], catalogue)})" if point["evidence"] else ""
        parts.append(f"{'fits' if moved else 'near to'} your {point['tier']} interest {point['name']}{read_from}")
    text = ", ".join(parts) or "popular these days"
    return Reason(
        generator.name,
        round(float(contributions[main]) / total, 3) if total > 0 else 0.0,
        None if point is None else str(point["name"]),
        None if point is None else str(point["tier"]),
        similarity,
        evidence,
        text[0].upper() + text[1:],
        moved,
    )


def _cited_point(
    vector: np.ndarray, profiles: Profiles, rows: slice, added: np.ndarray
) -> tuple[dict[str, Any] | None, float | None]:
    if rows.start == rows.stop:
        return None, None
    cosines = np.asarray(profiles.vectors[rows]) @ vector
    best = int(np.argmax(added if added.any() else cosines))
    return profiles.table.row(rows.start + best, named=True), round(float(cosines[best]), 3)


def _led_by(generator: FromHistory, audience: Audience, item: int, catalogue: Catalogue) -> tuple[str, ...]:
    chosen = np.unique(audience.history.items[audience.history.weights > 0])
    strength = generator.model.between(chosen, item)
    best = np.lexsort((chosen, -strength))[:EVIDENCE]
    return tuple(catalogue.ids[chosen[i]] for i in best if strength[i] > 0)


def _titles(items: Sequence[str], catalogue: Catalogue) -> str:
    return ", ".join(catalogue.title_of(item) for item in items[:EVIDENCE])
