"""Why an item is recommended: the generator that mattered most, the interest point that led to it, and the evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from strata.candidates import Audience, Generator, Table
from strata.catalogue import Catalogue
from strata.generators import FromHistory, NearestToInterests
from strata.lambdamart import LambdaMart
from strata.recommend import Models, Ranker, select_users

EVIDENCE = 2
"""History items that are cited."""
SAYINGS = {
    "popular": "popular these days",
    "popular in topics": "popular among what you are into",
    "peers": "chosen by people with a history like yours",
    "again": "you keep coming back to it",
    "arrivals": "new, of a kind you choose",
}


@dataclass(frozen=True)
class Reason:
    """One recommendation's reason.

    `generator`: what contributed most, with its `share` of what speaks for the item. `interest`, `tier`: the point
    without which the item would lose most of its score or, where it would lose nothing, the nearest, with the
    `similarity` (cosine); None for users without points. `moved`: whether the score would fall without it.
    `evidence`: item ids that the user chose and that led here. `text`: the reason as a sentence.
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
    catalogue: Catalogue,
    points: Sequence[Mapping[str, Any]],
    cosines: np.ndarray,
    lost: np.ndarray,
) -> Reason:
    """The reason for `item` (row) to the only user of `audience`.

    `contributions` (G,): what each generator adds to the score. `points`: name, tier and evidence of the user's P;
    `cosines` (P,): theirs to the item; `lost` (P,): what the item would lose without each.
    """
    main = int(np.argmax(contributions))
    total = float(np.maximum(contributions, 0).sum())
    generator = generators[main]
    moved = bool((lost > 0).any())
    cited = int(np.argmax(lost if moved else cosines)) if points else None
    point = None if cited is None else points[cited]
    parts = []
    evidence: tuple[str, ...] = ()
    if isinstance(generator, FromHistory):
        evidence = _led_by(generator, audience, item, catalogue)
        if evidence:
            parts.append(f"goes with {_titles(evidence, catalogue)}")
    elif generator.name in SAYINGS:
        parts.append(SAYINGS[generator.name])
    if point is not None:
        if not evidence:
            evidence = tuple(point["evidence"])[:EVIDENCE]
        read_from = f" ({_titles(point['evidence'], catalogue)})" if point["evidence"] else ""
        parts.append(f"{'fits' if moved else 'near to'} your {point['tier']} interest {point['name']}{read_from}")
    text = ", ".join(parts) or "popular these days"
    return Reason(
        generator.name,
        round(max(float(contributions[main]), 0.0) / total, 3) if total > 0 else 0.0,
        None if point is None else str(point["name"]),
        None if point is None else str(point["tier"]),
        None if cited is None else round(float(cosines[cited]), 3),
        evidence,
        text[0].upper() + text[1:],
        moved,
    )


def without_each_point(
    table: Table, signals: np.ndarray, audience: Audience, models: Models, ranker: Ranker
) -> np.ndarray:
    """How much each row of the only user's `table` would lose of its score without each liked point: (P, len(table)).

    The other points keep their weights, and the generators what they found. Users who lack one point each are scored
    at once. `signals` (len(table), F): of the rows.
    """
    n_points, n_rows = len(audience.facts.tiers), len(table)
    if not n_points or not n_rows:
        return np.zeros((n_points, n_rows))
    column = next(i for i, each in enumerate(models.generators) if isinstance(each, NearestToInterests))
    added, copies = table.added(n_points), n_points + 1
    raw, features = (np.tile(part, (copies, 1)) for part in (table.raw, table.features))
    lost = np.append(added, np.zeros((1, n_rows), np.float32), axis=0).ravel()
    scale = _scale(table.raw[:, column], table.features[:, column])
    raw[:, column] -= lost
    features[:, column] = np.maximum(features[:, column] - scale * lost, 0)
    many = Table(np.repeat(np.arange(copies), n_rows), np.tile(table.items, copies), raw, features, table.generators)
    if isinstance(ranker, LambdaMart):
        others = np.tile(signals, (copies, 1))
        scores = ranker.scores(models.signals.of_points(others, many, _lacking_each(audience, n_points)))
    else:
        scores = ranker.scores(many)
    scores = scores.reshape(copies, n_rows)
    return np.asarray(scores[-1] - scores[:-1])


def _lacking_each(audience: Audience, n_points: int) -> Audience:
    """As many copies of the only user as there are points, each without one of them, and then the user."""
    copies = n_points + 1
    kept = np.ones((copies, len(audience.owners)), bool)
    kept[np.arange(n_points), np.arange(n_points)] = False
    liked, others = kept[:, :n_points], kept[:, n_points:]
    owner, point = np.nonzero(liked)
    owner_of_other, other = np.nonzero(others)
    chosen = np.append(point, other + n_points)
    return replace(
        audience,
        history=select_users(audience.history, [0] * copies),
        points=audience.points[chosen],
        owners=np.append(owner, owner_of_other),
        weights=audience.weights[chosen],
        facts=audience.facts.take(point),
        times=np.repeat(audience.times, copies),
        cosines=None,  # they are asked about a few items
    )


def _scale(raw: np.ndarray, features: np.ndarray) -> float:
    """How much a generator's feature grows with its score, among the rows it proposed."""
    there = features > 0
    if there.sum() < 2 or np.ptp(raw[there]) <= 0:
        return 1.0
    return float(np.ptp(features[there]) / np.ptp(raw[there]))


def _led_by(generator: FromHistory, audience: Audience, item: int, catalogue: Catalogue) -> tuple[str, ...]:
    chosen = np.unique(audience.history.items[audience.history.weights > 0])
    strength = generator.model.between(chosen, item)
    best = np.lexsort((chosen, -strength))[:EVIDENCE]
    return tuple(catalogue.ids[chosen[i]] for i in best if strength[i] > 0)


def _titles(items: Sequence[str], catalogue: Catalogue) -> str:
    return ", ".join(catalogue.title_of(item) for item in items[:EVIDENCE])
