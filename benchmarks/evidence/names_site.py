"""Whether names that are made without tags are understood: nearest, by the encoder, to the tag of unseen members.

BERTopic names the same halves of the same topics; users' points are judged beside their topics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import FEW, Row
from benchmarks.evidence.halves import FEWEST, Tags, found, halves, judged, membership
from benchmarks.evidence.intervals import pooled, share
from benchmarks.peers.topics import Words, words_by_bertopic
from strata.data.catalogue import Catalogue
from strata.data.history import as_date
from strata.data.schema import DESCRIPTION, TAGS, TITLE, USER_ROW
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests import naming
from strata.interests.profiling import Profiler
from strata.interests.themes import Themes
from strata.settings import read_settings

SEEDS = (1, 2, 3, 4, 5)
"""Each halves every topic anew."""
PEERS = {"KeyBERT": "", "c-TF-IDF": "-ctfidf"}
"""BERTopic's ways to rank words, and what the ids of their rows end in."""
MOST_WORDS = 5
"""Words that a name of BERTopic's may have; how many is chosen for it, by these very cases."""
WITHIN = 0.05
"""How far points may stay behind their topics."""


@dataclass(frozen=True)
class Namer:
    """Names as the pipeline makes them, of a catalogue whose tags and categories nothing reads.

    `names_of` and `points` are all that a change of naming has to touch here.
    """

    context: Context

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items without tags."""
        items = self.context.catalogue.items
        return Catalogue(items.with_columns(pl.lit([], dtype=items.schema[TAGS]).alias(TAGS)))

    @cached_property
    def space(self) -> InterestSpace:
        """The interest space at the backtest cut-off."""
        return InterestSpace.read(self.context.folder / "artifacts" / "models" / "backtest" / "space")

    @cached_property
    def naming(self) -> naming.Namer:
        """Names by titles and descriptions alone."""
        chosen = np.bincount(
            self.context.history.before(self.context.cut_offs.backtest).items, minlength=len(self.catalogue)
        )
        return naming.Namer.of(
            self.catalogue.items, chosen, lambda said: self.space.of_texts(self.encoder.encode(said))
        )

    @property
    def model(self) -> Path:
        """The folder of the language model."""
        return self.context.folder / "artifacts" / "encoder"

    @cached_property
    def encoder(self) -> Encoder:
        """The workspace's language model, which judges."""
        return Encoder.load(self.model, read_settings(EncoderSettings, "encoder", self.context.folder / "params.yaml"))

    def names_of(self, groups: Sequence[np.ndarray]) -> list[str]:
        """A name of its own for each group of item rows, from these items."""
        return naming.told_apart([name for name, _ in self._named(groups)], list(map(self.naming.examples, groups)))

    def points(self, time: float) -> pl.DataFrame:
        """Users' points at `time` as profiles have them, all of their items as evidence, named without tags."""
        themes = Themes.read(self.context.folder / "artifacts" / "models" / "backtest" / "themes")
        everything = self.context.settings.model_copy(update={"evidence": len(self.catalogue)})
        profiler = Profiler.of(self.catalogue, self.space, self._renamed(themes), everything)
        return profiler.profiles(self.context.history, time)[0].table

    def _named(self, groups: Sequence[np.ndarray]) -> list[tuple[str, list[str]]]:
        inside = membership(groups, len(self.catalogue))
        return self.naming.names_of(inside, unit(inside @ self.space.vectors), n=5)

    def _renamed(self, themes: Themes) -> Themes:
        """Themes whose topics are named without tags."""
        topics = themes.at("topic")
        groups = [np.flatnonzero(themes.of_item[:, 0] == topic) for topic in topics["group"]]
        columns = [
            pl.Series("name", self.names_of(groups), pl.String),
            pl.Series("phrases", [phrases for _, phrases in self._named(groups)], pl.List(pl.String)),
        ]
        others = themes.groups.filter(pl.col("level") != "topic")  # `groups` begins with the topics, by number
        return replace(themes, groups=pl.concat([topics.with_columns(columns), others]))


def rows(context: Context) -> list[Row]:
    """Rows names-tags, …-ctfidf, …-read, names-points, …-rest and …-once."""
    tags = Tags.of(context.catalogue.items)
    groups = judged(context.topics["backtest"], tags.tagged)
    if not groups:
        context.say(f"no topic has {FEWEST} items with tags")
        return []
    context.say(f"naming {len(groups)} topics, {len(tags.names)} tags")
    namer = Namer(context)
    vectors = namer.encoder.encode([tag.replace("-", " ") for tag in tags.names])
    return [*_topic_rows(namer, tags, vectors, groups), *_point_rows(namer, tags, vectors)]


def texts_of(items: pl.DataFrame) -> list[str]:
    """Title and description of each item as one text; "" where it has neither."""
    pairs = items.select(TITLE, DESCRIPTION).iter_rows()
    return [". ".join(part for part in pair if part) for pair in pairs]


def chosen(words: Sequence[Words], way: str, judge: Callable[[list[list[str]]], np.ndarray]) -> tuple[str, np.ndarray]:
    """The best of the names that BERTopic's words make when ranked in one `way`: what they are of, and their hits (G,).

    `words`: of each halving. `judge` gives the hits of the names of all halvings.
    """
    best: tuple[str, np.ndarray] | None = None
    for how in words[0]:
        for most in range(1, MOST_WORDS + 1):
            names = [[" ".join(group[:most]) for group in halving[how][way]] for halving in words]
            hits = judge(names)
            if best is None or hits.sum() > best[1].sum():  # of equals the first
                best = f"{most} word{'s' if most > 1 else ''}, texts {how}", hits
    assert best is not None
    return best


def _topic_rows(namer: Namer, tags: Tags, vectors: np.ndarray, groups: list[np.ndarray]) -> list[Row]:
    context, n_cases = namer.context, np.full(len(groups), len(SEEDS), np.float64)
    pairs = [halves(groups, seed) for seed in SEEDS]
    truths = [tags.most(held) for _, held in pairs]
    read: dict[str, np.ndarray] = {}

    def judge(names: list[list[str]]) -> np.ndarray:
        new = sorted({name for of in names for name in of} - read.keys())  # BERTopic's settings share many
        read.update(zip(new, namer.encoder.encode(new), strict=True) if new else ())
        each = [
            found(np.stack([read[name] for name in of]), vectors, truth)
            for of, truth in zip(names, truths, strict=True)
        ]
        return np.sum(each, axis=0, dtype=np.float64)

    ours = judge([namer.names_of(shown) for shown, _ in pairs])
    words = words_by_bertopic(
        texts_of(context.catalogue.items), [shown for shown, _ in pairs], namer.model, say=context.say
    )
    what = (
        f"Share of topics, {len(SEEDS)} random halvings each, whose name made without tags from one half is nearest, "
        f"by the encoder, to the most frequent of {len(tags.names)} tags in the other half, or one of several: hits / "
        "cases"
    )
    excluded = f"Topics with fewer than {FEWEST} items that have a tag; items without."
    rows = []
    for way, suffix in PEERS.items():
        of, hits = chosen(words, way, judge)
        sums = np.stack([ours, hits, n_cases], axis=1)
        rows.append(
            Row.of(
                f"names-tags{suffix}",
                f"{what}; against {way} of BERTopic from the same halves with the same encoder, {of}: its best of "
                f"{len(words[0]) * MOST_WORDS} settings in these cases.",
                pooled(sums, lambda s: (s[..., 0] - s[..., 1]) / s[..., 2]), "share", len(sums),
                value=float(share(sums.sum(0)[[0, 2]])), reference=float(share(sums.sum(0)[[1, 2]])),
                reference_name=f"BERTopic, {way}", excluded=excluded, seeds=SEEDS,
                per_user=pl.DataFrame(sums, schema=["name", way, "cases"]),
            )
        )  # fmt: skip
    agreed = np.sum([_agrees(tags, *pair) for pair in pairs], axis=0)
    sums = np.stack([agreed, n_cases], axis=1)
    told = f"{what.partition(', whose')[0]}, whose halves have the same most frequent tag: what reading tags gives."
    per_user = pl.DataFrame(sums, schema=["hits", "cases"])
    rows.append(
        Row.of(
            "names-tags-read", told, pooled(sums, share), "share", len(sums), excluded=excluded, seeds=SEEDS,
            per_user=per_user,
        )
    )  # fmt: skip
    return rows


def _agrees(tags: Tags, shown: list[np.ndarray], held: list[np.ndarray]) -> np.ndarray:
    """Chance (G,) that a most frequent tag of the shown half is one of the other."""
    guesses, truth = tags.most(shown), tags.most(held)
    return np.asarray((guesses & truth).sum(1) / guesses.sum(1))


def _point_rows(namer: Namer, tags: Tags, vectors: np.ndarray) -> list[Row]:
    context, time = namer.context, namer.context.cut_offs.backtest
    of_item = context.topics["backtest"]
    topics = namer.names_of([np.flatnonzero(of_item == topic) for topic in range(int(of_item.max()) + 1)])
    table = namer.points(time)
    rows_of = [np.array([context.catalogue.row(item) for item in items], np.int64) for items in table["evidence"]]
    own = tags.most(rows_of)
    rest = tags.most([_rest(of_item, topic, items) for topic, items in zip(table["topic"], rows_of, strict=True)])
    names = namer.encoder.encode(table["name"].to_list())
    general = namer.encoder.encode([topics[topic] for topic in table["topic"]])
    once = (table["events"] == 1).to_numpy()
    what = f"Share of users' points of {as_date(time)} whose name, made without tags, is nearest to the most frequent"
    asked = (
        ("", own, np.ones(len(once), bool), f"{what} tag of their own items"),
        ("-rest", rest, np.ones(len(once), bool), f"{what} tag of the items of their main topic that are not theirs"),
        ("-once", own, once, f"{what} tag of their own items, points of one event alone"),
    )
    rows = []
    for suffix, truth, which, told in asked:
        which = which & truth.any(1)
        if not which.any():
            continue
        hits = np.stack([found(each, vectors, truth) for each in (names, general)], axis=1) * which[:, None]
        sums = _by_user(table[USER_ROW].to_numpy(), np.column_stack([hits, which]))
        row = Row.of(
            f"names-points{suffix}",
            f"{told}; against the name of their main topic, made of all of its items, judged by the same tags: hits / "
            "cases.",
            pooled(sums, lambda s: (s[..., 0] - s[..., 1]) / s[..., 2]), "share", len(sums),
            value=float(share(sums.sum(0)[[0, 2]])), reference=float(share(sums.sum(0)[[1, 2]])),
            reference_name="name of the topic", excluded="Points none of whose judging items has a tag.",
            per_user=pl.DataFrame(sums, schema=["name", "topic", "cases"]),
        )  # fmt: skip
        rows.append(_within(row))
    return rows


def _within(row: Row) -> Row:
    """The row, inconclusive only where it has few users or its interval holds −WITHIN: behind by more, or not."""
    if row.n < FEW:
        return row
    unsure = row.low <= -WITHIN <= row.high
    return replace(row, inconclusive=f"the interval holds −{WITHIN}." if unsure else "")


def _rest(of_item: np.ndarray, topic: int, items: np.ndarray) -> np.ndarray:
    return np.setdiff1d(np.flatnonzero(of_item == topic), items)


def _by_user(users: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sums of `columns` (P, k) over each user's points, of users with a case: (users, k); the last counts cases."""
    _, place = np.unique(users, return_inverse=True)
    sums = np.zeros((int(place.max(initial=-1)) + 1, columns.shape[1]))
    np.add.at(sums, place, columns)
    return sums[sums[:, -1] > 0]
