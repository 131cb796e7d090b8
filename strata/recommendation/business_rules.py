"""Business rules: boosts for new or scarce items, caps per brand, category or theme, and must-include items."""

from collections import Counter
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Annotated, Literal, Self, get_args

import numpy as np
import polars as pl
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from scipy.optimize import linear_sum_assignment

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.filters import rows_of
from strata.data.history import DAY
from strata.data.schema import BRAND, CATEGORIES, CREATED, LEVELS
from strata.errors import SettingsError
from strata.fields import Count, Id, Place, Request, Weight, one_of
from strata.interests.themes import Themes
from strata.recommendation.rerank import PAGE, scaled

Kind = Literal["brand", "category", "theme"]


CONDITIONS = ("newer_than_days", "chosen_by_at_most")


class Boost(Request):
    """Items that meet every condition given: their score, from 0 to 1 here, becomes score · `times` + `plus`.

    0 is the worst of a user's candidates, 1 the best: a `plus` above 1 puts an item first.
    """

    model_config = ConfigDict(json_schema_extra=one_of(*((name, {}) for name in CONDITIONS)))

    newer_than_days: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="Created since then."
    )
    """Items of unknown age do not meet it."""
    chosen_by_at_most: Count | None = Field(default=None, description="Users, at most, who chose it.")
    """Scarce items."""
    times: Weight = 1.0
    plus: Annotated[float, Field(ge=-100, le=100)] = 0.0

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.newer_than_days is None and self.chosen_by_at_most is None:
            raise PydanticCustomError("boost", "a boost needs newer_than_days or chosen_by_at_most")
        return self


class Caps(Request):
    """Items of one brand, category or theme that a list may hold; null: any number."""

    brand: Place | None = None
    category: Place | None = None
    theme: Place | None = None


class Places(Request):
    """Where in a list, from 1, an item is shown wherever filters admit it; places count from the first page on."""

    best: Place = Field(default=1, description="The first place it may have.")
    worst: Place | None = Field(
        default=None, description="The last one, not before `best`; null: the tenth, or the end of a shorter page."
    )

    def last(self, k: int) -> int:
        """The last place it may have where pages are of `k`: the same for all `k` from PAGE on."""
        return max(self.best, min(k, PAGE) if self.worst is None else self.worst)


class Boosts(Request):
    """The rules that move items and drop none."""

    boosts: list[Boost] = Field(default=[], max_length=16, description="Applied one after the other.")


class BusinessRules(Boosts):
    """Rules that a list must obey, after filters, by params.yaml or by the request; none by default.

    For rankings of items that the caller names, only boosts apply.
    """

    caps: Caps = Caps()
    must_include: dict[Id, Places] = Field(
        default={},
        max_length=100,
        description="Item ids; they are shown where filters admit them, whatever their score. What a person had comes "
        "back only where exclude_seen is false, what they rejected never. Places that cannot all hold are refused.",
    )

    @property
    def capped(self) -> dict[Kind, int]:
        """Capped kinds → most items of one group."""
        return {kind: most for kind in get_args(Kind) if (most := getattr(self.caps, kind)) is not None}

    def but(self, asked: Boosts | None) -> Self:
        """These rules, with the fields set in `asked` replaced."""
        if asked is None:
            return self
        return self.model_copy(update={name: getattr(asked, name) for name in asked.model_fields_set})

    def check(self, catalogue: Catalogue, themes: Themes) -> None:
        """Raise UnknownId or SettingsError where no list can obey the rules: see `apply_rules`."""
        apply_rules(np.zeros(0, np.int64), PAGE, self, catalogue, themes, np.ones(len(catalogue), bool))

    def check_places(self) -> None:
        """Raise SettingsError where must-includes cannot all be at places they may have.

        Each takes the first free one; of those that may, the one whose last place comes first (Jackson's rule).
        """
        for item_id, places in self.must_include.items():
            if places.worst is not None and places.worst < places.best:
                raise SettingsError(
                    f"rules.must_include of '{item_id}': worst place {places.worst} comes before best place "
                    f"{places.best}; swap them"
                )
        waiting = sorted((each.best, each.worst, item_id) for item_id, each in self.must_include.items() if each.worst)
        place, may_stand = 1, list[tuple[int, str]]()
        while waiting or may_stand:
            place = place if may_stand else max(place, waiting[0][0])
            while waiting and waiting[0][0] <= place:
                best, worst, item_id = waiting.pop(0)
                heappush(may_stand, (worst, item_id))
            worst, item_id = heappop(may_stand)
            if worst < place:
                raise SettingsError(
                    f"rules.must_include of '{item_id}': no place up to {worst} is left, as the others take them; "
                    "let it be later, or drop one"
                )
            place += 1


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
    which only sees scores. Without boosts both are returned unchanged.
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


def apply_rules(
    ranked: np.ndarray, k: int, rules: BusinessRules, catalogue: Catalogue, themes: Themes, allowed: np.ndarray
) -> np.ndarray:
    """The whole list of one user under caps and must-includes: item rows, best first, of which pages of `k` are cut.

    `ranked` (n,): re-ranked candidates, best first, NOTHING pads; give more than are shown, to replace what caps drop.
    `allowed` (n_items,) bool: what filters admit; nothing else is shown. A must-include keeps its earned place or moves
    to the nearest place it may have, or else the next free one. Candidates added at the end move none before them.
    Raises UnknownId for items that do not exist, SettingsError where must-includes alone break a cap or cannot all be
    at places they may have.
    """
    named = rows_of(list(rules.must_include), catalogue).tolist() if rules.must_include else []
    rules.check_places()
    musts = {row: places for row, places in zip(named, rules.must_include.values(), strict=True) if allowed[row]}
    ranked = ranked[ranked != NOTHING]
    rows = dict.fromkeys([*ranked[allowed[ranked]].tolist(), *musts])
    kept = _within_caps(list(rows), musts, rules, catalogue, themes) if rules.capped else list(rows)
    listed = [row for row in kept if row not in musts]
    for place, row in _placed(musts, kept, k):
        listed.insert(place, row)
    return np.array(listed, np.int64)


def _within_caps(
    rows: list[int], musts: Mapping[int, Places], rules: BusinessRules, catalogue: Catalogue, themes: Themes
) -> list[int]:
    """The item rows that pass the caps, in order; `musts` are counted first and always kept."""
    kinds = dict(zip(rows, _kinds(rows, rules, catalogue, themes), strict=True))
    held = Counter(kind for row in musts for kind in kinds[row])
    for kind, group in held:
        if held[kind, group] > rules.capped[kind]:
            raise SettingsError(
                f"must_include holds {held[kind, group]} items of {kind} '{group}', and caps.{kind} is "
                f"{rules.capped[kind]}; raise the cap or drop one of them"
            )
    kept = []
    for row in rows:
        if row in musts:
            kept.append(row)
        elif all(held[kind, group] < rules.capped[kind] for kind, group in kinds[row]):
            kept.append(row)
            held.update(kinds[row])
    return kept


def _kinds(rows: list[int], rules: BusinessRules, catalogue: Catalogue, themes: Themes) -> list[list[tuple[Kind, str]]]:
    """(kind, group) pairs of each item for the capped kinds; none where unknown."""
    items, names = catalogue.items.select(BRAND, CATEGORIES)[rows], themes.names("theme")
    groups: dict[Kind, list[list[str]]] = {
        "brand": [[brand] if brand else [] for brand in items[BRAND]],
        "category": [list(set(categories or [])) for categories in items[CATEGORIES].to_list()],
        "theme": [[names[theme]] for theme in themes.of_item[rows, LEVELS.index("theme")]],
    }
    return [[(kind, group) for kind in rules.capped for group in groups[kind][n]] for n in range(len(rows))]


def _placed(musts: Mapping[int, Places], kept: list[int], k: int) -> list[tuple[int, int]]:
    """(place from 0, item row) of each must-include, as near as possible to allowed places, then to the earned one."""
    if not musts:
        return []
    best = np.array([must.best - 1 for must in musts.values()])[:, None]
    worst = np.array([must.last(k) - 1 for must in musts.values()])[:, None]
    places = np.arange(int(worst.max()) + len(musts))  # room for all, however long the list is
    earned = np.minimum([[kept.index(row)] for row in musts], places[-1])
    outside = np.maximum(best - places, 0) + np.maximum(places - worst, 0)
    # A last place that was asked for counts more than all usual ones together.
    asked = np.array([must.worst is not None for must in musts.values()])[:, None]
    outside = outside * np.where(asked, len(musts) * len(places) + 1.0, 1.0)
    must, place = linear_sum_assignment(outside * (len(places) ** 2 + 1) + abs(places - earned))
    rows = list(musts)
    return sorted((int(at), rows[number]) for number, at in zip(must, place, strict=True))
