"""Whether similar items are chosen by the same people later, and whether some are similar to everything."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from benchmarks.evidence.context import Before, Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.hubs import occurrences, powers, skew, tens
from benchmarks.evidence.intervals import pooled, share
from strata.data.history import History, as_date
from strata.models.item_knn import ItemKnn
from strata.storage import read_array

OURS, TEXT, ZERO_SHOT, ITEM_KNN = "the interest space", "text alone", "zero-shot text", "item-kNN"
SUFFIXES: Final = {OURS: "", ZERO_SHOT: "-zero-shot", ITEM_KNN: "-item-knn"}
TEXTS: Final = {TEXT: "items.npy", ZERO_SHOT: "zero_shot.npy"}
SHRINKS: Final = (0, 1, 3, 10, 30, 100, 300, 1000)
"""Of item-kNN; the best on the validation window is taken."""


@dataclass(frozen=True)
class Measure:
    """A figure of tens: `what` it is, of values (n, k) of users or items, named by `columns`.

    `sums` turns these into what each adds (n, m), `figure` sums over them (…, m) into the figure (…).
    """

    what: str
    unit: str
    columns: tuple[str, ...]
    sums: Callable[[np.ndarray], np.ndarray]
    figure: Callable[[np.ndarray], np.ndarray]

    def of(self, values: np.ndarray) -> float:
        """The figure of all values (n, k)."""
        return float(self.figure(self.sums(values).sum(0)))

    def row(self, id: str, ours: np.ndarray, text: np.ndarray, what: str, **more: str | int) -> Row:
        """The figure of `ours` (n, k) beside that of text, and their difference."""
        both = np.hstack([self.sums(ours), self.sums(text)])
        half = both.shape[1] // 2
        columns = [*self.columns, *(f"{name}_by_text" for name in self.columns)]
        return Row.of(
            id, f"{self.what}; {what}",
            pooled(both, lambda sums: self.figure(sums[..., :half]) - self.figure(sums[..., half:])),
            self.unit, len(ours), value=self.of(ours), reference=self.of(text), reference_name=TEXT,
            per_user=pl.DataFrame(np.hstack([ours, text]), schema=columns), **more,
        )  # fmt: skip


HITS = Measure(
    "Share of the ten items most similar to one that a user chose later which the user chose later too, mean over the "
    "user's items and over users",
    "share", ("share",), lambda values: np.insert(values, 1, 1, axis=1), share,
)  # fmt: skip
LIFT = Measure(
    "The same share, over the share of other users who chose these items later: what popularity alone would hit is 1",
    "times", ("share", "by_others"), np.asarray, share,
)  # fmt: skip
HUBNESS = Measure(
    "Skewness of the number of tens that an item is in, of one ten for each item",
    "skewness", ("tens",), lambda values: powers(values[:, 0]), skew,
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """What was known before a cut-off, and what was chosen from it to the next, `later`.

    Items are the m that existed at the cut-off: `known` (n_items,) bool, `vectors` (m, d).
    """

    known: np.ndarray
    vectors: np.ndarray
    past: History
    later: History

    @classmethod
    def of(cls, context: Context, cut_off: Before) -> "Window":
        """The window after a cut-off."""
        end = {"validation": context.cut_offs.backtest, "backtest": context.cut_offs.live}[cut_off]
        time = getattr(context.cut_offs, cut_off)
        known = context.catalogue.available(time, context.history)
        past, later = context.history.before(time).within(known), context.history.between(time, end).within(known)
        return cls(known, context.spaces[cut_off][known], past, later)

    def by_item_knn(self, shrink: float) -> np.ndarray:
        """The ten items of each item by item-kNN: (m, 10)."""
        weights = ItemKnn.fit(self.past, neighbours=100, half_life=None, shrink=shrink).weights.toarray()
        return tens(np.where(weights > 0, weights, -np.inf))

    def hits(self, lists: np.ndarray) -> np.ndarray:
        """By user (n_users, 2): the share of the tens of their choices that they chose, and of other users who did.

        Means over the user's choices, NaN where these are fewer than two; `lists` (m, 10).
        """
        chosen = np.pad(self.later.matrix().toarray() > 0, ((0, 0), (0, 1)))  # NOTHING, −1, is chosen by nobody
        by, others = chosen.sum(0), max(len(self.later.active_users()) - 1, 1)
        found = np.full((len(chosen), 2), np.nan)
        for user in np.flatnonzero(chosen.sum(1) > 1):
            listed = lists[np.flatnonzero(chosen[user])]
            own = chosen[user][listed]
            found[user] = own.mean(), (by[listed] - own).mean() / others
        return found


def rows(context: Context) -> list[Row]:
    """Rows similar-hits, similar-lift and similar-hubness of the interest space and, suffixed, of others."""
    window = Window.of(context, "backtest")
    lists = lists_by(context, window)
    hits = {way: window.hits(found) for way, found in lists.items()}
    users = np.isfinite(hits[TEXT][:, 0])
    if not users.any():
        context.say("nobody chose two items after the cut-off")
        return []
    date, trials = as_date(context.cut_offs.backtest), {ITEM_KNN: len(SHRINKS)}
    excluded = f"{(~users).sum()} users who chose fewer than two items then."
    found = []
    for way, suffix in SUFFIXES.items():
        what = f"by {way}, later is from {date}, what is similar was learned before."
        tried = trials.get(way, 0)
        for name, measure, of in (("hits", HITS, [0]), ("lift", LIFT, [0, 1])):
            ours, text = (hits[each][users][:, of] for each in (way, TEXT))
            found.append(measure.row(f"similar-{name}{suffix}", ours, text, what, excluded=excluded, trials=tried))
        ours, text = (occurrences(lists[each])[:, None] for each in (way, TEXT))
        found.append(HUBNESS.row(f"similar-hubness{suffix}", ours, text, what, trials=tried))
    return found


def lists_by(context: Context, window: Window) -> dict[str, np.ndarray]:
    """The ten items of each item (m, 10) by every way, of what was known at the cut-off of the window."""
    folder = context.folder / "artifacts" / "vectors"
    vectors = {way: np.asarray(read_array(folder / file))[window.known] for way, file in TEXTS.items()}
    vectors[OURS] = window.vectors
    found = {way: tens(each @ each.T) for way, each in vectors.items()}
    return found | {ITEM_KNN: window.by_item_knn(best_shrink(context))}


def best_shrink(context: Context) -> float:
    """The shrinkage of item-kNN that hits most in the validation window."""
    window = Window.of(context, "validation")
    return max(SHRINKS, key=lambda shrink: np.nanmean(window.hits(window.by_item_knn(shrink))[:, 0]))
