"""Items as they are just now: those of the release, and what the journal has had since."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import numpy as np
import polars as pl

from strata.data.schema import ITEM
from strata.embeddings.item_text import item_texts
from strata.online.item_records import rows_of, table_of
from strata.online.journal import Journal
from strata.online.widened.release import with_items
from strata.recommendation.recommender import Recommender

KEPT = 2
"""Releases that are kept with their items: the one that serves and the next one."""
Vectors = Mapping[str, np.ndarray]
"""Unit vectors (t,) by their texts."""


@dataclass(frozen=True)
class Ahead:
    """What a release lacks: `rows`, a table ITEMS, whose `texts` (m) are to be read, up to a place in the journal.

    `read`: vectors of the texts that need no reading, as they are what they were.
    """

    release: Recommender
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
    """A `release` as it was made, `now` with what came since; `waiting`: items whose texts could not be read yet."""

    release: Recommender
    now: Recommender
    waiting: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class LiveItems:
    """Items of a release and of the journal. May be asked by several threads; one at a time should bring it up to date.

    Of a release that serves, what was added is kept, and only what is new in the journal is read and added.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._name = journal.facts().name
        self._served: list[Served] = []
        self._lock = Lock()

    def served(self, release: Recommender) -> Recommender:
        """The release with all that is known here to have come since; the journal is not asked."""
        return self._of(release).now

    def waiting(self, release: Recommender) -> int:
        """Items that are not served yet, as their texts could not be read."""
        return len(self._of(release).waiting)

    def behind(self, release: Recommender) -> bool:
        """Whether the journal has had items since. Raises StoreUnavailable."""
        return self.journal.last_of_kind("item") > self._upto(self.served(release))

    def ahead(self, release: Recommender) -> Ahead:
        """What the journal has had since, and what waits. Raises StoreUnavailable."""
        served = self._of(release)
        now = served.now
        kept = self.journal.of_kind(["item"], self._upto(now))

        def known(item_id: str) -> Mapping[str, Any] | None:
            there = item_id in now.catalogue
            return now.catalogue.items.row(now.catalogue.row(item_id), named=True) if there else None

        rows = {**served.waiting, **rows_of((each.record for each in kept), known)}
        gone = {each.record.body[ITEM] for each in kept} - rows.keys()
        rows = {item_id: row for item_id, row in rows.items() if item_id not in gone}
        table = table_of(rows.values(), now.catalogue.items)
        texts = item_texts(table)
        return Ahead(now, table, texts, self._unchanged(now, table, texts), max([self._upto(now), *(each.place for each in kept)]))
