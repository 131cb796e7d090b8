"""Items as they are just now: those of the release, and what the journal has had since."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np
import polars as pl

from strata.data.schema import ITEM, ITEMS
from strata.embeddings.item_text import item_texts
from strata.online.item_records import Row, news_of, rows_of
from strata.online.journal import Journal
from strata.online.widened.release import with_items
from strata.recommendation.recommender import Recommender

KEPT = 2
"""Releases that are kept with their items: the one that serves and the next one."""
Vectors = Mapping[str, np.ndarray]
"""Unit vectors (t,) by their texts."""


@dataclass(frozen=True)
class Ahead:
    """What a release `now` lacks up to a place in the journal: `rows`, a table ITEMS, and the `texts` of each (m).

    `read`: vectors of the texts that need no reading, as they are what they were.
    """

    now: Recommender
    rows: pl.DataFrame
    texts: list[str]
    read: Vectors
    upto: int

    @property
    def to_read(self) -> list[str]:
        """The texts that the language model has to read, each once."""
        return list(dict.fromkeys(text for text in self.texts if text not in self.read))


@dataclass(frozen=True)
class Served:
    """A `release` as it was made, and `now` with what came since; `waiting`: rows whose texts nobody has read yet."""

    release: Recommender
    now: Recommender
    waiting: Mapping[str, Row] = field(default_factory=dict)


class LiveItems:
    """Items of a release and of the journal, for many threads, of which one at a time brings a release up to date.

    What was added to a release that serves is kept, so that only what is new in the journal is read and added.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._name = journal.facts().name
        self._kept: list[Served] = []
        self._version = 0
        self._lock = Lock()

    def of(self, release: Recommender, encode: Callable[[Sequence[str]], np.ndarray]) -> Recommender:
        """A release with all items of the journal; `encode` reads texts (n) as unit vectors (n, t).

        Raises StoreUnavailable, and what `encode` raises.
        """
        ahead = self.ahead(release)
        to_read = ahead.to_read
        return self.added(release, ahead, dict(zip(to_read, encode(to_read), strict=True)) if to_read else {})

    def served(self, release: Recommender) -> Recommender:
        """The release with all that was added to it so far: the journal is not asked."""
        return self._of(release).now

    def waiting(self, release: Recommender) -> Mapping[str, Row]:
        """Items that are not served yet, as nobody has read their texts: rows of ITEMS by id."""
        return self._of(release).waiting

    def last(self) -> int:
        """The place of the latest item in the journal. Raises StoreUnavailable."""
        return self.journal.last_of_kind("item")

    def upto(self, release: Recommender) -> int:
        """The place up to which the journal's items are served."""
        return self._upto(self.served(release))

    @property
    def version(self) -> int:
        """Another number after each change of what is served."""
        return self._version

    def ahead(self, release: Recommender) -> Ahead:
        """What the journal has had since, and what waits. Raises StoreUnavailable."""
        served = self._of(release)
        now, catalogue = served.now, served.now.catalogue
        kept = self.journal.of_kind(["item"], self._upto(now))
        news = news_of(each.record for each in kept)

        def known(item_id: str) -> Row | None:
            return catalogue.items.row(catalogue.row(item_id), named=True) if item_id in catalogue else None

        waiting = [row for item_id, row in served.waiting.items() if item_id not in news]
        rows = pl.DataFrame([*waiting, *rows_of(news, known, catalogue.items)], schema=ITEMS)
        texts = item_texts(rows)
        there = np.array([item_id in catalogue for item_id in rows[ITEM]], bool)
        places = np.array([catalogue.row(item_id) for item_id in rows[ITEM].filter(there)], np.int64)
        before = dict(zip(item_texts(catalogue.items[places]), now.texts.vectors(places), strict=True))
        return Ahead(now, rows, texts, before, max([self._upto(now), *(each.place for each in kept)]))

    def added(self, release: Recommender, ahead: Ahead, vectors: Vectors) -> Recommender:
        """The release with what it lacked, as far as there are `vectors` of its texts; the rest waits."""
        vectors = {**vectors, **ahead.read}
        read = [text in vectors for text in ahead.texts]
        found = [vectors[text] for text in ahead.texts if text in vectors]
        matrix = np.array(found, np.float32).reshape(len(found), ahead.now.texts.dimension)
        now = with_items(ahead.now, ahead.rows.filter(read), matrix)
        now = replace(now, items_upto=ahead.upto)
        _ = now.catalogue.titles, now.searches  # which takes some milliseconds: not while somebody waits
        waiting = ahead.rows.filter([not each for each in read])
        self._keep(Served(release, now, {row[ITEM]: row for row in waiting.iter_rows(named=True)}))
        return now

    def _upto(self, now: Recommender) -> int:
        """The place up to which a release has the journal's items."""
        return max(now.items_upto, now.drained.get(self._name, 0))

    def _of(self, release: Recommender) -> Served:
        found = next((each for each in self._kept if each.release is release), None)
        return Served(release, release) if found is None else found

    def _keep(self, served: Served) -> None:
        with self._lock:
            others = [each for each in self._kept if each.release is not served.release]
            self._kept = [*others, served][-KEPT:]
            self._version += 1
