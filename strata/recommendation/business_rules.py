"""What a shop insists on: more of new or scarce items, no more than so many of a kind, and items that must be shown."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, PositiveInt, model_validator
from scipy.optimize import linear_sum_assignment

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.filters import rows_of
from strata.data.history import DAY
from strata.data.schema import BRAND, CATEGORIES, CREATED, LEVELS
from strata.errors import SettingsError
from strata.interests.themes import Themes
from strata.recommendation.rerank import scaled
from strata.settings import Settings

Kind = Literal["brand", "category", "theme"]


class Boost(Settings):
    """New items, scarce ones, or those that are both: their score · `times` + `plus`.

    Scores run from 0, the worst of a user's candidates, to 1, the best: a `plus` above 1 puts an item first.
    """

    newer_than_days: float | None = Field(None, gt=0)
    """Created less than so many days ago; items of unknown age are not new."""
    chosen_by_at_most: int | None = Field(None, ge=0)
    """Scarce: so many users, at most, have chosen it."""
    times: float = Field(1.0, ge=0)
    plus: float = 0.0

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.newer_than_days is None and self.chosen_by_at_most is None:
            raise ValueError("a boost needs newer_than_days or chosen_by_at_most: else it moves every item alike")
        return self


class Places(Settings):
    """Where in a list, from 1, an item is shown wherever filters admit it."""

    best: PositiveInt = 1
    """The first place it may have."""
    worst: PositiveInt | None = None
    """The last one; None: the end of the list."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.worst is not None and self.worst < self.best:
            raise ValueError(f"worst place {self.worst} comes before best place {self.best}; swap them")
        return self


class BusinessRules(Settings):
    """What holds for everything recommended, by params.yaml or by the request; nothing by default.

    Filters always go first. Rankings of items that the caller names are boosted and no more.
    """

    boosts: tuple[Boost, ...] = ()
    """Applied one after the other."""
    caps: dict[Kind, PositiveInt] = {}
    """Items of one brand, of one of the catalogue's categories, or of one theme that a list may hold."""
    must_include: dict[str, Places] = {}
    """Item ids and where they are shown."""

    def but(self, asked: Self | None) -> Self:
        """These rules, with those that `asked` names in place of its own."""
        if asked is None:
            return self
        return self.model_copy(update={name: getattr(asked, name) for name in asked.model_fields_set})

    def check(self, catalogue: Catalogue, themes: Themes) -> None:
        """Raise UnknownId or SettingsError where the rules cannot hold, whatever the list: see `obey`."""
        nothing, k = np.zeros(0, np.int64), max(len(self.must_include), 1)
        obey(nothing, k, self, catalogue, themes, np.ones(len(catalogue), bool))


def boost(
    items: np.ndarray,
    scores: np.ndarray,
    rules: BusinessRules,
    catalogue: Catalogue,
    time: float,
    chosen_by: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates (B, n), NOTHING pads, and their scores after all boosts, best first, ties in the order given.

    `time`: now, in seconds; `chosen_by` (n_items,): how many users chose each item. Boosting comes before re-ranking,
    which reads scores and nothing else. Without boosts both come back as they are.
    """
    if not rules.boosts:
        return items, scores
    there, (rows, of_row) = items != NOTHING, np.unique(items, return_inverse=True)
    age = (time - catalogue.items[CREATED][rows].dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6) / DAY
    boosted = np.where(there, scaled(items, scores), 0.0)
    for rule in rules.boosts:
        meets = np.ones(len(rows), bool)
        if rule.newer_than_days is not None:
            meets &= age < rule.newer_than_days
        if rule.chosen_by_at_most is not None:
            meets &= chosen_by[rows] <= rule.chosen_by_at_most
        boosted = np.where(meets[of_row.reshape(items.shape)], boosted * rule.times + rule.plus, boosted)
    boosted = np.where(there, boosted, -np.inf)
    order = np.argsort(-boosted, axis=1, kind="stable")
    return np.take_along_axis(items, order, axis=1), np.take_along_axis(boosted, order, axis=1)


def obey(
    ranked: np.ndarray, k: int, rules: BusinessRules, catalogue: Catalogue, themes: Themes, allowed: np.ndarray
) -> np.ndarray:
    """The list of one user under caps and must-includes: `k` item rows at most, best first.

    `ranked` (n,): re-ranked candidates, best first, NOTHING pads; more than `k` where caps are to find others in
    place of what they drop. `allowed` (n_items,) bool: what filters admit; nothing else is shown. A must-include keeps
    the place it earned or has the nearest one it may have, if need be the next free one; where `k` is too short for
    them all, those named first are there. Raises UnknownId for items that do not exist, SettingsError where
    must-includes alone break a cap.
    """
    named = rows_of(list(rules.must_include), catalogue).tolist() if rules.must_include else []
    musts = {row: places for row, places in zip(named, rules.must_include.values(), strict=True) if allowed[row]}
    musts = dict(list(musts.items())[:k])
    ranked = ranked[ranked != NOTHING]
    rows = dict.fromkeys([*ranked[allowed[ranked]].tolist(), *musts])
    kept = _within_caps(list(rows), musts, rules, catalogue, themes) if rules.caps else list(rows)
    listed = [row for row in kept if row not in musts][: k - len(musts)]
    for place, row in _placed(musts, kept, k):
        listed.insert(place, row)
    return np.array(listed, np.int64)


def _within_caps(
    rows: list[int], musts: Mapping[int, Places], rules: BusinessRules, catalogue: Catalogue, themes: Themes
) -> list[int]:
    """The item rows that caps leave, in their order; `musts` count first and stay."""
    kinds = dict(zip(rows, _kinds(rows, rules, catalogue, themes), strict=True))
    held = Counter(kind for row in musts for kind in kinds[row])
    for kind, group in held:
        if held[kind, group] > rules.caps[kind]:
            raise SettingsError(
                f"must_include holds {held[kind, group]} items of {kind} '{group}', and caps.{kind} is "
                f"{rules.caps[kind]}; raise the cap or drop one of them"
            )
    kept = []
    for row in rows:
        if row in musts:
            kept.append(row)
        elif all(held[kind, group] < rules.caps[kind] for kind, group in kinds[row]):
            kept.append(row)
            held.update(kinds[row])
    return kept


def _kinds(rows: list[int], rules: BusinessRules, catalogue: Catalogue, themes: Themes) -> list[list[tuple[Kind, str]]]:
    """The brand, categories and theme of each item, as far as they are capped; what is unknown is of none."""
    items, names = catalogue.items.select(BRAND, CATEGORIES)[rows], themes.names("theme")
    groups: dict[Kind, list[list[str]]] = {
        "brand": [[brand] if brand else [] for brand in items[BRAND]],
        "category": [list(set(categories or [])) for categories in items[CATEGORIES].to_list()],
        "theme": [[names[theme]] for theme in themes.of_item[rows, LEVELS.index("theme")]],
    }
    return [[(kind, group) for kind in rules.caps for group in groups[kind][n]] for n in range(len(rows))]


def _placed(musts: Mapping[int, Places], kept: list[int], k: int) -> list[tuple[int, int]]:
    """Place from 0 and item row of each must-include, by place: as few places as can be from those they earned."""
    places = np.arange(k)
    earned = np.array([kept.index(row) for row in musts])[:, None]
    best = np.array([must.best - 1 for must in musts.values()])[:, None]
    worst = np.array([k - 1 if must.worst is None else must.worst - 1 for must in musts.values()])[:, None]
    outside = np.maximum(best - places, 0) + np.maximum(places - worst, 0)
    must, place = linear_sum_assignment(outside * (k * k + 1) + abs(places - earned))
    rows = list(musts)
    return sorted((int(at), rows[number]) for number, at in zip(must, place, strict=True))
