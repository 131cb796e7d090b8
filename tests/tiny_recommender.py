"""A recommender over the twelve items and four users of the strategies, in memory and as a release folder."""

from pathlib import Path

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import CHOSEN, ITEM_ROW, TIMESTAMP, USER_ROW, USERS, WEIGHT
from strata.data.schema import TIME as TIME_TYPE
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.evaluation.split import CutOffs
from strata.evaluation.window import Window
from strata.interests.corrections import Corrections
from strata.interests.profiling import NOTHING_STATED, profile_history
from strata.interests.settings import TierSettings
from strata.interests.visitors import Visitors
from strata.models.als import Factors
from strata.models.ease import Ease
from strata.models.fitted import Behaviour
from strata.models.item_knn import ItemNeighbours
from strata.models.popularity import popularity
from strata.models.user_knn import UserNeighbours
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.settings import RecommendSettings, TreeSettings
from strata.ranking.training_windows import examples
from strata.ranking.two_stage import Models
from strata.recommendation.recommender import Recommender
from strata.release.manifest import Manifest, write_release
from strata.storage import write_array, write_table
from tests.places import ROOT
from tests.strategies import N_ITEMS, TIME, catalogue, naming, vectors

SETTINGS = TierSettings(cut=0.8, core_persistence=0.5, stable_persistence=0.12)
NAMING = naming()
INDEX = ItemIndex.build(vectors(), IndexSettings())
ACCOUNTS = pl.DataFrame(
    [{"user_id": user, "profile_text": None, "attributes": []} for user in NAMING.user_ids], schema=USERS
)


def tiny_behaviour(history: History) -> Behaviour:
    """Every model of behaviour, small."""
    return Behaviour(
        {
            "ease": Ease.fit(history, penalty=5, half_life=None),
            "neighbours": ItemNeighbours.fit(history, neighbours=5, half_life=None, shrink=1),
            "transitions": ItemNeighbours.following(history, neighbours=5, half_life=3.0, shrink=1, distance=10),
            "factors": Factors.fit(history, factors=3, penalty=1, alpha=1, half_life=None, rounds=10, seed=7),
        },
        UserNeighbours.fit(history, TIME, neighbours=3, half_life_days=None, least_rarity=0.1),
        popularity(history, TIME),
        90.0,
    )


def tiny_ranker(models: Models, history: History) -> LambdaMart:
    """Trees that learned from what half of the history chose after the other half."""
    middle = float(np.median(history.choices.times))
    window = Window.of(history, middle, TIME, repeats=True)
    settings = RecommendSettings(repeats=True)
    found = examples(window, models, settings, np.ones(N_ITEMS, bool), negatives=10, seed=1)
    return LambdaMart.fit([found], models.signals.names(models.names), TreeSettings(), apart=1, seeds=(1, 2))


def tiny_recommender(history: History, corrections: Corrections | None = None) -> Recommender:
    """All four users of `history`, known up to TIME, and what they corrected since."""
    items = Catalogue(catalogue())
    visitors = Visitors(items, vectors(), NAMING, TIME, SETTINGS, {"like": 1.0, "dislike": -1.0})
    profiles, _ = profile_history(history, vectors(), TIME, NAMING, SETTINGS, visitors.height)
    topics, settings = NAMING.themes.of_item[:, 0], RecommendSettings(repeats=True)
    models = Models.of(profiles, tiny_behaviour(history), INDEX, items, vectors(), topics, history, settings)
    return Recommender(
        Manifest("tiny", {}, {}, {}),
        items,
        {user: row for row, user in enumerate(NAMING.user_ids)},
        ACCOUNTS,
        history,
        INDEX,
        models,
        tiny_ranker(models, history),
        vectors(),
        np.ones(N_ITEMS, bool),
        settings,
        visitors,
        NOTHING_STATED,
        corrections or Corrections(),
    )


def write_tiny_release(folder: Path, history: History, corrections: str = "") -> Path:
    """The same as files, by the settings of the project's params.yaml; returns the release folder."""
    tiny, parts = tiny_recommender(history), folder / "parts"
    table = {USER_ROW: history.users, ITEM_ROW: history.items, TIMESTAMP: history.times * 1e6}
    table |= {WEIGHT: history.weights, CHOSEN: history.chosen}
    write_table(
        pl.DataFrame(table).with_columns(pl.col(TIMESTAMP).cast(pl.Int64).cast(TIME_TYPE)), parts / "history.parquet"
    )
    write_table(tiny.catalogue.items, parts / "tables" / "items.parquet")
    write_table(tiny.accounts, parts / "tables" / "users.parquet")
    CutOffs(TIME, TIME, TIME, TIME).write(parts / "cut_offs.json")
    write_array(tiny.vectors, parts / "vectors.npy")
    write_array(tiny.statements.users, parts / "profile_text_users.npy")
    write_array(tiny.statements.vectors, parts / "profile_texts.npy")
    tiny.index.write(parts / "items.faiss")
    tiny.themes.write(parts / "themes")
    tiny.profiles.write(parts / "profiles")
    tiny_behaviour(history).write(parts / "collaborative", {})
    tiny.ranker.write(parts / "ranker")
    (parts / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (parts / "corrections.jsonl").write_text(corrections, encoding="utf-8")
    write_release(folder / "release", {part.name: part for part in parts.iterdir()}, versions={}, metrics={})
    return folder / "release"
