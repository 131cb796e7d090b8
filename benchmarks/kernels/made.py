"""A workspace of made users and items, as large as asked for: tables, vectors and histories, then the real stages."""

import contextlib
import shutil
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.simulate import SimulationSettings, simulate
from strata.data.history import DAY
from strata.data.schema import CATEGORIES as KINDS
from strata.data.schema import CREATED, ITEM, ITEM_ROW, ITEMS, TIME, TIMESTAMP, TITLE, USER, USER_ROW, USERS, WEIGHT
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.space import SpaceSettings
from strata.embeddings.vectors import unit
from strata.evaluation.split import CutOffs
from strata.evaluation.window import Window
from strata.language.words import Words
from strata.models.baselines import ASSOCIATION_RULES, DECAYED_ALS, DECAYED_EASE, DECAYED_ITEM_KNN, USER_KNN, WINDOWED
from strata.models.fitted import TUNING
from strata.ranking.lambdamart import LambdaMart, boost, dataset
from strata.ranking.settings import RecommendSettings
from strata.ranking.training_windows import examples
from strata.release.manifest import write_release
from strata.storage import write_array, write_json, write_table
from tasks import (
    CORRECTIONS,
    HISTORY,
    RANKER,
    RELEASE,
    SHARE,
    TABLES,
    TEXT_INDEX,
    VECTORS,
    WORD_INDEX,
    collaborate,
    index,
    space,
    themes,
    tier,
)
from tasks import WORDS as SPOKEN
from tasks.inputs import Inputs, folder
from tasks.models import models_at

DIMENSION, TOPICS, CATEGORIES, THEMES = 384, 1_000, 100, 12
NEARNESS: Final = (1.0, 0.8, 0.6, 0.7)
"""How far themes lie from the middle, categories from their theme, topics from their category, items from theirs."""
NOW, SEED = 20_000 * DAY, 7
VISITS_PER_WEEK, NEGATIVES = 4.0, 150
TREES: Final = (8, 200, (7, 8))
"""Leaves, number and seeds of the trees, about as many as MovieLens-100K's."""
CHOSEN: Final = {
    DECAYED_EASE: {"penalty": 500, "half_life": 100.0, "most": 5_000},
    DECAYED_ITEM_KNN: {"neighbours": 100, "half_life": 100.0, "shrink": 10},
    ASSOCIATION_RULES: {"neighbours": 100, "half_life": 10.0, "shrink": 10, "distance": 10},
    DECAYED_ALS: {"factors": 64, "penalty": 10, "alpha": 3, "half_life": 100.0, "rounds": 10, "seed": 7},
    USER_KNN: {"neighbours": 100, "half_life_days": None, "least_rarity": 0.1},
    WINDOWED: {"window_days": 30},
}
"""What tuning could have chosen."""
WORDS: Final = ["".join(letters) for letters in product("bdgklmnprstv", "aeiou", "bdgklmnprstv", "aeiou")]
MADE: Final = (ITEM, TITLE, KINDS, CREATED)
"""Columns of items that are filled in."""


def workspace(target: Path, params: Path, *, items: int, users: int) -> Path:
    """Make `target` with tables, models and a release, where it has none; `params`: the project's settings."""
    if not (target / RELEASE).exists():
        shutil.rmtree(target, ignore_errors=True)
        (target / "corrections").mkdir(parents=True)
        (target / "corrections" / "corrections.jsonl").touch()
        (target / "anchors").mkdir()
        text = params.read_text(encoding="utf-8").replace("method: best", "method: lambdamart")  # only trees are made
        (target / "params.yaml").write_text(text, encoding="utf-8")
        with contextlib.chdir(target):
            _write_tables(items, users)
            for stage in (space.main, themes.main, tier.main, collaborate.main, index.main):
                stage("live")
            _write_words()
            _learn_trees()
            _package()
    return target


def _write_tables(n_items: int, n_users: int) -> None:
    """Items of topics within categories within themes, users with planted interests in topics, and a year of events."""
    rng = np.random.default_rng(SEED)
    topics = rng.integers(TOPICS, size=n_items)
    write_table(_items(topics, rng), TABLES / "items.parquet")
    accounts = [{USER: f"user-{n:06d}", "profile_text": None, "attributes": []} for n in range(n_users)]
    write_table(pl.DataFrame(accounts, schema=USERS), TABLES / "users.parquet")
    popularity = rng.permutation(1_000 / np.arange(1, n_items + 1) ** 0.7).astype(int)
    settings = SimulationSettings(users=n_users, visits_per_week=VISITS_PER_WEEK, seed=SEED)
    history = simulate(topics % CATEGORIES, popularity, settings, time=NOW).history
    times = pl.Series((history.times * 1e6).astype(np.int64)).cast(TIME)
    columns = {USER_ROW: history.users, ITEM_ROW: history.items, TIMESTAMP: times, WEIGHT: history.weights}
    write_table(pl.DataFrame(columns), HISTORY / "interactions.parquet")
    CutOffs(NOW - 90 * DAY, NOW - 60 * DAY, NOW - 30 * DAY, NOW).write(HISTORY / "cut_offs.json")
    write_array(_vectors(topics, rng), VECTORS / "items.npy")
    write_array(np.zeros(0, np.int32), VECTORS / "profile_text_users.npy")
    write_array(np.zeros((0, DIMENSION), np.float32), VECTORS / "profile_texts.npy")
    write_json({"chosen": CHOSEN}, folder("backtest") / TUNING)
    write_json({"share": SpaceSettings().behaviour}, SHARE)


def _items(topics: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Titles of a word of the topic and two of the item's own; created at any time of three years."""
    own = rng.integers(len(WORDS), size=(len(topics), 2))
    created = NOW - rng.uniform(0, 3 * 365, len(topics)) * DAY
    return pl.DataFrame(
        {
            ITEM: [f"item-{n:06d}" for n in range(len(topics))],
            TITLE: [f"{WORDS[topic]} {WORDS[a]} {WORDS[b]}" for topic, (a, b) in zip(topics, own, strict=True)],
            KINDS: [[f"category {topic % CATEGORIES}"] for topic in topics],
            CREATED: pl.Series((created * 1e6).astype(np.int64)).cast(TIME),
        }
    ).select(pl.col(name) if name in MADE else pl.lit(None, kind).alias(name) for name, kind in ITEMS.items())


def _vectors(topics: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors (n_items, DIMENSION) that lie as their topics, categories and themes do."""
    of_level = (topics % CATEGORIES % THEMES, topics % CATEGORIES, topics, np.arange(len(topics)))
    found = np.zeros((len(topics), DIMENSION))
    for length, group in zip(NEARNESS, of_level, strict=True):
        found += length * unit(rng.normal(size=(group.max() + 1, DIMENSION)))[group]
    return unit(found)


def _write_words() -> None:
    """The index of texts, and words as a model of random vectors would read them: no language model is made."""
    inputs, rng = Inputs(), np.random.default_rng(SEED)
    ItemIndex.build(inputs.texts, IndexSettings()).write(TEXT_INDEX)
    words = Words.of(inputs.catalogue.items, inputs.texts, lambda texts: unit(rng.normal(size=(len(texts), DIMENSION))))
    words.write(SPOKEN)


def _learn_trees() -> None:
    """Trees of the size that stage `rank` chooses, from the last month; what it asks more often is left out."""
    inputs = Inputs()
    window, models = Window.of(inputs.history, NOW - 30 * DAY, NOW), models_at(inputs, "live")
    available = np.ones(len(inputs.catalogue), bool)
    found = examples(window, models, RecommendSettings(), available, negatives=NEGATIVES, seed=SEED)
    leaves, rounds, seeds = TREES
    boosters = tuple(boost(dataset([found]), leaves, rounds, seed) for seed in seeds)
    LambdaMart(boosters, models.features.names(models.names), {}).write(RANKER)


def _package() -> None:
    parts = {
        "tables": TABLES,
        "history.parquet": HISTORY / "interactions.parquet",
        "cut_offs.json": HISTORY / "cut_offs.json",
        "profile_text_users.npy": VECTORS / "profile_text_users.npy",
        "profile_texts.npy": VECTORS / "profile_texts.npy",
        "items.faiss": folder("live") / "items.faiss",
        "texts.faiss": TEXT_INDEX,
        "words": SPOKEN,
        "word_index": WORD_INDEX,
        "space": folder("live") / "space",
        "themes": folder("live") / "themes",
        "profiles": folder("live") / "profiles",
        "collaborative": folder("live") / "collaborative",
        "ranker": RANKER,
        "params.yaml": Path("params.yaml"),
        "corrections.jsonl": CORRECTIONS,
    }
    write_release(RELEASE, parts, versions={}, metrics={})
