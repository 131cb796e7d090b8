"""Items to add to the tiny recommender, and what is asked of it before and after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.filters import Filters
from strata.data.history import DAY, History
from strata.data.schema import BRAND, CATEGORIES, CREATED, DESCRIPTION, ITEM, ITEMS, TITLE
from strata.embeddings.vectors import unit
from strata.recommendation.availability import Availability
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.word_index import WordIndex
from tests.strategies import DIMENSION, N_ITEMS, N_USERS, TIME, USER_IDS, catalogue, vectors
from tests.tiny_recommender import tiny_recommender

NOW = datetime.fromtimestamp(TIME, UTC)
NEW_IDS = ("n0", "n1", "n2", "n3", "n4")
ALL = ListRequest(k=30)


def made() -> Recommender:
    """Users with long, short and no histories; items have brands, times of creation and descriptions."""
    items = catalogue().with_columns(
        pl.Series(BRAND, [None if n % 4 == 0 else f"maker {n % 4}" for n in range(N_ITEMS)]),
        pl.Series(CREATED, [NOW - timedelta(days=30 * n + 1) for n in range(N_ITEMS)], dtype=ITEMS[CREATED]),
        pl.Series(DESCRIPTION, [f"about things of {n} kinds" for n in range(N_ITEMS)]),
    )
    rng = np.random.default_rng(5)
    users = np.repeat([0, 1], [30, 3])
    chosen = np.concatenate([3 * rng.integers(0, 4, 20), rng.integers(0, N_ITEMS, 10), [1, 4, 1]])
    times = TIME - rng.integers(1, 300, len(users)) * DAY
    history = History.from_columns(users, chosen, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    shop = Catalogue(items)
    return replace(
        tiny_recommender(history),
        catalogue=shop,
        words=WordIndex.build(items, WordSettings()),
        available=Availability.of(shop, history),
    )


RELEASE = made()


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    """Items of these columns."""
    empty = {**dict.fromkeys(ITEMS), "categories": [], "tags": [], "attributes": []}
    return pl.DataFrame([{**empty, **row} for row in rows], schema=ITEMS)


@st.composite
def additions(draw: st.DrawFn, ids: tuple[str, ...] = NEW_IDS) -> tuple[pl.DataFrame, np.ndarray]:
    """Some of these items with unit vectors of their texts: those of items that are there, or anywhere."""
    chosen = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=len(ids), unique=True))
    words = st.lists(st.sampled_from(["garden", "piece", "rose", "电影", "7"]), max_size=4)
    rows = [
        {
            ITEM: item_id,
            TITLE: " ".join(draw(words)) or item_id,
            CATEGORIES: draw(st.lists(st.sampled_from(["garden", "music", "cooking"]), max_size=2, unique=True)),
            BRAND: draw(st.sampled_from([None, "maker 1", "maker 9", "maker 8"])),
            "price": draw(st.none() | st.integers(1, 100).map(float)),
            CREATED: draw(st.none() | st.integers(1, 900).map(lambda days: NOW - timedelta(days=days))),
        }
        for item_id in chosen
    ]
    anywhere = st.lists(st.floats(-1, 1, width=32), min_size=DIMENSION, max_size=DIMENSION).map(
        lambda values: unit(np.array([values]) + [[2, 0, 0, 0, 0]])[0]
    )
    there = st.integers(0, N_ITEMS - 1).map(lambda row: vectors()[row])
    return table(*rows), np.array([draw(there | anywhere) for _ in rows], np.float32)


def answers(release: Recommender, *, without: tuple[str, ...] = ()) -> list[Any]:
    """What it answers to many questions if some items may not come."""
    filters = Filters(exclude_items=[each for each in without if each in release.catalogue])
    request = ListRequest(k=30, filters=filters)
    somebody = release.new_users.from_texts(vectors()[:2])
    return [
        *(release.recommend(user, request) for user in USER_IDS),
        release.recommend(somebody, request),
        release.rank("u0", ["i03", "i07", "i01"]),
        *(release.similar_items(f"i{row:02d}", 30, filters=filters) for row in (0, 5)),
        release.search("garden piece", vectors()[1], 30, filters=filters),
        release.search("rose", vectors()[2], 30, filters=filters),
        release.hot_topics("u0", filters=filters),
        release.brands_to_follow("u0", filters=filters),
        release.similar_users("u0"),
        release.interests("u0").to_dicts(),
    ]  # fmt: skip
