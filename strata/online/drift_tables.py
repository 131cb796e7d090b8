"""Events of a window beside those that a release learned from, in columns that can be compared."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from strata.data.schema import CATEGORIES, ITEM, PRICE, TIMESTAMP, USER
from strata.online.window import Window
from strata.recommendation.recommender import Recommender

MOST: Final = 5_000
"""Events on either side: the latest."""
COMPONENTS: Final = 4
"""Directions in which the vectors of what was learned from spread most."""
KINDS: Final = 30
"""Categories that are told apart; others are one."""
HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class DriftTables:
    """A row for each event: what the release learned from last, and what came since; `kinds`: columns of words."""

    reference: pl.DataFrame
    current: pl.DataFrame
    kinds: tuple[str, ...] = ("weekday", "category")


def drift_tables(seen: Window, release: Recommender) -> DriftTables:
    """Compare hours and days, categories, popularity and prices of items, vectors of items, and users' mean vectors.

    Events on items that the release lacks are left out; users' vectors are means over their events in the table.
    """
    history = release.history
    last = np.sort(np.argsort(history.times, kind="stable")[-MOST:])
    known = seen.events.filter(pl.col(ITEM).is_in(pl.Series(release.catalogue.ids.tolist()).implode()))
    known = known.sort(TIMESTAMP).tail(MOST)
    rows = np.array([release.catalogue.row(item) for item in known[ITEM]], np.int64)
    users = known[USER].rank("dense").to_numpy().astype(np.int64)
    times = known[TIMESTAMP].dt.epoch("us").to_numpy() / 1e6
    directions = _directions(release.vectors[history.items[last]])
    return DriftTables(
        _table(release, history.users[last], history.items[last], history.times[last], directions),
        _table(release, users, rows, times, directions),
    )


def _directions(vectors: np.ndarray) -> np.ndarray:
    """The first principal directions of vectors (n, d): (d, COMPONENTS) or fewer."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(directions[:, ::-1][:, :COMPONENTS])


def _table(
    release: Recommender, users: np.ndarray, items: np.ndarray, times: np.ndarray, directions: np.ndarray
) -> pl.DataFrame:
    catalogue = release.catalogue.items
    counts = np.bincount(release.history.items, minlength=catalogue.height)
    of_item = catalogue.select(
        category=pl.col(CATEGORIES).list.first().fill_null("none"), price=pl.col(PRICE)
    ).with_columns(popularity=pl.Series(np.log2(1 + counts)))
    usual = of_item["category"].value_counts(sort=True)["category"].head(KINDS)
    of_item = of_item.with_columns(
        pl.when(pl.col("category").is_in(usual.implode()))
        .then("category")
        .otherwise(pl.lit("others"))
        .alias("category")
    )
    table = of_item[items]
    if table["price"].null_count() == table.height:
        table = table.drop("price")
    if release.timed:
        table = table.with_columns(
            hour=pl.Series(times % DAY / HOUR), weekday=pl.Series((times // DAY + 3) % 7).cast(pl.Int64).cast(pl.String)
        )
    places = release.vectors[items] @ directions
    means = _means(places, users)
    columns = {f"item_vector_{n + 1}": places[:, n] for n in range(places.shape[1])}
    columns |= {f"user_vector_{n + 1}": means[:, n] for n in range(means.shape[1])}
    return table.with_columns(pl.Series(name, values, pl.Float64) for name, values in columns.items())


def _means(places: np.ndarray, users: np.ndarray) -> np.ndarray:
    """For each row the mean of the rows of its user: (n, c)."""
    _, of = np.unique(users, return_inverse=True)
    sums = np.zeros((of.max(initial=-1) + 1, places.shape[1]))
    np.add.at(sums, of, places)
    return sums[of] / np.bincount(of)[of][:, None]
