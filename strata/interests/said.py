"""Interests read from words alone: each clause is a point of its topic, or a dislike where it speaks against it."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import LEVELS, TIME, USER, USER_ROW
from strata.interests.naming import parts_of, told_apart
from strata.interests.profiles import DISLIKE_COLUMNS
from strata.interests.themes import Themes

SAID: Final = "said in this request: nothing is known of before, so it is of now"
STATED: Final = "stated in the profile text; nothing else is known"
REFUSED: Final = "spoken against in words"


def said_points(
    vectors: np.ndarray,
    themes: Themes,
    catalogue: Catalogue,
    *,
    owners: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    query: bool,
    of_topics: np.ndarray | None = None,
) -> pl.DataFrame:
    """The profile table of texts (n, d): core, or momentary where they are a `query`; all of an owner count the same.

    `owners` (n,): user row of each, ascending, with these `ids` (n,); one person without id by default. `of_topics`
    (n,): topic number of each, the nearest by default. Without events there are no numbers of events. A point has the
    name of its topic; of one topic, a person's several have examples.
    """
    n = len(vectors)
    owners = np.zeros(n, np.int32) if owners is None else np.asarray(owners, np.int32)
    topics = themes.at(LEVELS[0])
    nearest = np.concatenate([np.zeros(0, np.int64), np.argmax(vectors @ themes.centres(LEVELS[0]).T, axis=1)])
    if of_topics is not None:
        nearest = np.asarray(of_topics, np.int64)
    said = topics[nearest]
    starts = np.searchsorted(owners, owners)
    count = np.searchsorted(owners, owners, "right") - starts
    return pl.DataFrame(
        {
            USER_ROW: owners,
            USER: pl.Series([""] * n if ids is None else ids.tolist(), dtype=pl.String),
            "point": (np.arange(n) - starts).astype(np.int32),
            "name": pl.Series(_names(said, owners, catalogue), dtype=pl.String),
            "phrases": said["phrases"],
            "tier": pl.repeat("momentary" if query else "core", n, eager=True),
            "because": pl.repeat(SAID if query else STATED, n, eager=True),
            "stated": pl.repeat(not query, n, eager=True),
            "strength": np.ones(n),
            "share": (1 / np.maximum(count, 1)).round(6),
            "evidence": pl.Series([[]] * n, dtype=pl.List(pl.String)),
            "topics": pl.Series(nearest[:, None].tolist(), dtype=pl.List(pl.Int32)),
            "topic": nearest.astype(np.int32),
            "category": themes.above(LEVELS[0], LEVELS[1])[nearest].astype(np.int32),
            "theme": themes.above(LEVELS[0], LEVELS[2])[nearest].astype(np.int32),
        }
    )


def said_dislikes(
    vectors: np.ndarray,
    themes: Themes,
    catalogue: Catalogue,
    *,
    owners: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    of_topics: np.ndarray | None = None,
) -> pl.DataFrame:
    """The table of dislikes of texts (n, d) that speak against something: as `said_points`, in DISLIKE_COLUMNS."""
    table = said_points(vectors, themes, catalogue, owners=owners, ids=ids, query=True, of_topics=of_topics)
    counts = {name: pl.lit(None, pl.Int64) for name in ("events", "items")}
    times = {name: pl.lit(None, TIME) for name in ("first_seen", "last_seen")}
    return table.with_columns(because=pl.lit(REFUSED), medoid=pl.lit(None, pl.String), **counts, **times).select(
        DISLIKE_COLUMNS
    )


def _names(said: pl.DataFrame, owners: np.ndarray, catalogue: Catalogue) -> Sequence[str]:
    """Names of points of these topics, told apart where an owner has several of one topic or name."""
    names, typical = said["name"].to_list(), said["typical"].to_list()
    keys = pl.DataFrame({"owner": owners, "name": [name.casefold() for name in names]})
    for owner in keys.filter(keys.is_duplicated())["owner"].unique(maintain_order=True):
        own = range(*np.searchsorted(owners, [owner, owner + 1]).tolist())
        count = Counter(names[own.start : own.stop])
        bases = [names[row] if count[names[row]] == 1 else parts_of(names[row])[0] for row in own]
        examples = [map(catalogue.titles.__getitem__, typical[row]) for row in own]
        names[own.start : own.stop] = told_apart(bases, examples)
    return names
