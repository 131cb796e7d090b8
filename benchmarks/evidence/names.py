"""Whether a point's name says what is in it: that of half of its items' topic, without the categories they have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from benchmarks.evidence.standing import standings
from strata.data.history import as_date
from strata.data.schema import CATEGORIES, TITLE
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests.naming import Namer
from strata.settings import read_settings

FEWEST = 4
"""Different items, at least, of a point that is judged: two that name it, two to find."""
GUESSES = ("name", "name of random items", "most frequent")
TRIALS = 40
"""Ways to make names, and two to compare them with titles (TF-IDF found less), tried on earlier times."""


@dataclass(frozen=True)
class Members:
    """The items of points, M of them, half of each point's shown to what names it.

    `owners` (P,): row of each point's user, ascending. `point`, `item`, `shown` (M,): members of a point in random
    order. `drawn` (M,): any item of the same user's points. `held`, `odd` (P,): an item of each point that is not
    shown, and one of another point of the same user, −1 where there is none.
    """

    owners: np.ndarray
    point: np.ndarray
    item: np.ndarray
    shown: np.ndarray
    drawn: np.ndarray
    held: np.ndarray
    odd: np.ndarray

    def counts(self, which: np.ndarray, columns: np.ndarray, n_columns: int) -> sparse.csr_matrix:
        """How many members, of those where `which` (M,) holds, each point has in each of `columns` (M,)."""
        places = (self.point[which], columns[which])
        ones = np.ones(len(places[0]), np.float32)
        return sparse.csr_matrix((ones, places), shape=(len(self.owners), n_columns))

    def most(self, which: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The most frequent column of each point: (P,)."""
        return np.asarray(self.counts(which, columns, int(columns.max()) + 1).argmax(1)).ravel()


class Names:
    """Names points by their topics as profiles do, but from texts without categories, and reads names again."""

    def __init__(self, context: Context, time: float) -> None:
        items, self.topics = context.catalogue.items, context.topics_at(time)
        space = InterestSpace.read(context.folder / "artifacts" / "models" / "backtest" / "space")
        settings = read_settings(EncoderSettings, "encoder", context.folder / "params.yaml")
        self.encoder = Encoder.load(context.folder / "artifacts" / "encoder", settings)
        silent = items.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias(CATEGORIES))
        namer = Namer.of(silent, read=lambda phrases: space.of_texts(self.encoder.encode(phrases)))
        of_topic = sparse.csr_matrix((np.ones(len(items), np.float32), (self.topics, np.arange(len(items)))))
        found = namer.names_of(of_topic, unit(of_topic @ space.vectors), n=5)
        self.of_topics = self.encoder.encode([name for name, _ in found])
        """Vectors of the topics' names (t, d)."""
        self.titles = self.encoder.encode(items[TITLE].fill_null("").to_list())
        """Vectors of the items' titles (n_items, d)."""

    def names(self, members: Members, items: np.ndarray) -> np.ndarray:
        """Vectors (P, d) of the names that points get from those of `items` (M,) that stand where members are shown."""
        return self.of_topics[members.most(members.shown, self.topics[items])]


def rows(context: Context) -> list[Row]:
    """Categories found by name, and which of two items a name belongs to, against names of random items."""
    times = context.times("backtest", 0)
    if not times or context.groups.max(initial=-1) < 0:
        context.say("the items have no categories")
        return []
    members = members_of(context, times[0])
    if not len(members.owners):
        context.say(f"no point has {FEWEST} items with a category")
        return []
    context.say(f"naming {len(members.owners):,} points of {as_date(times[0])}")
    namer = Names(context, times[0])
    excluded = f"Points of {as_date(times[0])} with fewer than {FEWEST} different items that have a category."
    ours, random = (namer.names(members, items) for items in (members.item, members.drawn))
    return [
        *_category_rows(context, members, namer, (ours, random), excluded),
        _odd_row(members, namer, (ours, random), excluded),
    ]


def members_of(context: Context, time: float) -> Members:
    """The points at `time` that have at least FEWEST different items with a category."""
    owners, points, items = [], [], []
    for standing in standings(context, time):
        of_event, chosen = standing.points.of_event, standing.history.items
        named = (of_event >= 0) & np.isin(of_event, standing.kept) & (context.groups[chosen] >= 0)
        point, item = np.divmod(
            np.unique(of_event[named] * np.int64(len(context.groups)) + chosen[named]), len(context.groups)
        )
        large = np.bincount(point, minlength=1)[point] >= FEWEST
        owners.append(standing.users[point[large]])
        points.append(point[large])
        items.append(item[large])
    owner, item = np.concatenate(owners), np.concatenate(items)
    both = np.stack([owner, np.concatenate(points)])
    distinct, point = np.unique(both, axis=1, return_inverse=True)
    return halved(distinct[0], point.ravel(), item, np.random.default_rng(SEED))


def halved(owners: np.ndarray, point: np.ndarray, item: np.ndarray, rng: np.random.Generator) -> Members:
    """Half of each point's items (rounded down) shown; `point` (M,) ascends and indexes `owners` (P,), which ascend."""
    order = np.lexsort((rng.random(len(point)), point))
    point, item = point[order], item[order]
    start, size = np.searchsorted(point, np.arange(len(owners))), np.bincount(point)
    shown = np.arange(len(point)) - start[point] < size[point] // 2
    of_member = owners[point]
    first, last = (np.searchsorted(of_member, owners, side) for side in ("left", "right"))
    drawn = item[rng.integers(first[point], last[point])]
    others = last - first - size
    odd = first + rng.integers(0, np.maximum(others, 1))
    odd += np.where(odd >= start, size, 0)  # beyond the point's own items
    held = item[start + size - 1]
    return Members(
        owners, point, item, shown, drawn, held, np.where(others > 0, item[np.minimum(odd, len(item) - 1)], -1)
    )


def categories_of(names: np.ndarray, titles: np.ndarray, groups: np.ndarray, members: Members) -> np.ndarray:
    """The category of which each name (P, d) is nearest to the mean title: (P,).

    The point's own items, shown or not, are left out of the means: nothing is found by its own words alone.
    """
    with_category = np.flatnonzero(groups >= 0)
    n_groups = int(groups.max()) + 1
    places = (groups[with_category], with_category)
    sums = sparse.csr_matrix((np.ones(len(with_category), np.float32), places), shape=(n_groups, len(groups))) @ titles
    scores = names @ unit(sums).T
    keys, pair = np.unique(members.point * np.int64(n_groups) + groups[members.item], return_inverse=True)
    places = (pair, members.item)
    own = sparse.csr_matrix((np.ones(len(pair), np.float32), places), shape=(len(keys), len(groups))) @ titles
    point, group = np.divmod(keys, n_groups)
    scores[point, group] = (names[point] * unit(sums[group] - own)).sum(1)
    return np.asarray(scores.argmax(1))


def _category_rows(
    context: Context, members: Members, namer: Names, names: Sequence[np.ndarray], excluded: str
) -> list[Row]:
    groups = context.groups
    truth = members.most(~members.shown, groups[members.item])
    guesses = [categories_of(vectors, namer.titles, groups, members) for vectors in names]
    guesses.append(np.full(len(truth), np.bincount(truth).argmax()))
    sums = _by_user(members, np.stack([*(guess == truth for guess in guesses), np.ones(len(truth))], axis=1))
    n_groups = len(np.unique(groups[groups >= 0]))
    what = f"Share of points whose unseen half is mostly of the category, of {n_groups}, that is "
    best = 1 + int(sums[:, 1:-1].sum(0).argmax())
    ours = Row.of(
        "names-category",
        f"{what}nearest to the name, made without categories, of the topic of most of the other half: hits / cases.",
        pooled(sums, lambda s: (s[..., 0] - s[..., best]) / s[..., -1]), "share", len(sums),
        value=float(share(sums.sum(0)[[0, -1]])), reference=float(share(sums.sum(0)[[best, -1]])),
        reference_name=GUESSES[best], excluded=excluded, trials=TRIALS,
        per_user=pl.DataFrame(sums, schema=[*GUESSES, "cases"]),
    )  # fmt: skip
    others = [
        Row.of(
            f"names-category-{name}", f"{what}{how}: hits / cases.", pooled(sums[:, [column, -1]], share), "share",
            len(sums), excluded=excluded, trials=TRIALS,
            per_user=pl.DataFrame(sums[:, [column, -1]], schema=["hits", "cases"]),
        )
        for column, name, how in (
            (1, "random", "nearest to the name of as many random items of the same user"),
            (2, "majority", "the most frequent"),
        )
    ]  # fmt: skip
    return [ours, *others]


def _odd_row(members: Members, namer: Names, names: Sequence[np.ndarray], excluded: str) -> Row:
    judged = members.odd >= 0
    hits = []
    for vectors in names:
        inside, outside = ((vectors * namer.titles[items]).sum(1) for items in (members.held, members.odd))
        hits.append((inside > outside) + 0.5 * (inside == outside))
    sums = _by_user(members, np.stack([*hits, np.ones(len(judged))], axis=1) * judged[:, None])
    sums = sums[sums[:, -1] > 0]
    return Row.of(
        "names-odd-one-out",
        "Share of points whose name, made from half of their items, is nearer to another item of theirs than to one of "
        "another point of the same user: hits / cases.",
        pooled(sums, lambda s: (s[..., 0] - s[..., 1]) / s[..., -1]), "share", len(sums),
        value=float(share(sums.sum(0)[[0, -1]])), reference=float(share(sums.sum(0)[[1, -1]])),
        reference_name=GUESSES[1], excluded=f"{excluded} Users with one such point.", trials=TRIALS,
        per_user=pl.DataFrame(sums, schema=[*GUESSES[:2], "cases"]),
    )  # fmt: skip


def _by_user(members: Members, columns: np.ndarray) -> np.ndarray:
    """Sums of `columns` (P, k) over each user's points: (users, k)."""
    return np.add.reduceat(columns, np.flatnonzero(np.diff(members.owners, prepend=-1)), axis=0)
