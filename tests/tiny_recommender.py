"""A recommender over the twelve items and four users of the strategies, in memory and as a release folder."""

from pathlib import Path

import numpy as np
import polars as pl
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from strata.data.history import History
from strata.data.schema import CHOSEN, ITEM_ROW, TIMESTAMP, USER_ROW, USERS, WEIGHT
from strata.data.schema import TIME as TIME_TYPE
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.vectors import unit
from strata.evaluation.split import CutOffs
from strata.evaluation.window import Window
from strata.interests.corrections import Corrections
from strata.interests.query_users import NewUsers
from strata.interests.settings import TierSettings
from strata.interests.statements import NOTHING_STATED
from strata.interests.understanding import Reader
from strata.language.words import Words
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.ease import Ease
from strata.models.fitted import CollaborativeModels
from strata.models.item_knn import ItemKnn
from strata.models.popularity import popularity
from strata.models.user_knn import UserKnn
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.settings import RecommendSettings, Size, TreeSettings
from strata.ranking.training_windows import examples
from strata.ranking.two_stage import Models
from strata.recommendation.availability import Availability
from strata.recommendation.recommender import Recommender
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.word_index import WordIndex
from strata.release.layout import Part
from strata.release.manifest import Manifest, write_release
from strata.storage import write_array, write_table
from tests.places import ROOT
from tests.strategies import DIMENSION, N_ITEMS, TIME, USER_IDS, profiler, vectors

SETTINGS = TierSettings(cut=0.8, core_persistence=0.5, stable_persistence=0.12)
PROFILER = profiler(SETTINGS)
WORDS = Words.of(
    PROFILER.catalogue.items,
    vectors(),
    lambda texts: unit(np.random.default_rng(3).normal(size=(len(texts), DIMENSION))),
)
"""Everyday sentences and labels lie anywhere."""
INDEX = ItemIndex.build(vectors(), IndexSettings())
ACCOUNTS = pl.DataFrame([{"user_id": user, "profile_text": None, "attributes": []} for user in USER_IDS], schema=USERS)


def tiny_collaborative(history: History) -> CollaborativeModels:
    """Every model of behaviour, small."""
    return CollaborativeModels(
        {
            "ease": Ease.fit(history, penalty=5, half_life=None),
            "item-knn": ItemKnn.fit(history, neighbours=5, half_life=None, shrink=1),
            "association-rules": AssociationRules.fit(history, neighbours=5, half_life=3.0, shrink=1, distance=10),
            "als": Als.fit(history, factors=3, penalty=1, alpha=1, half_life=None, rounds=10, seed=7),
        },
        UserKnn.fit(history, TIME, neighbours=3, half_life_days=None, least_rarity=0.1),
        popularity(history, TIME),
        90.0,
    )


def tiny_models(history: History, settings: RecommendSettings | None = None) -> Models:
    """All that recommending needs, of the users of `history`, known up to TIME."""
    profiles, _ = PROFILER.profiles(history, TIME, USER_IDS)
    topics, settings = PROFILER.themes.of_item[:, 0], settings or RecommendSettings()
    known = GeneratorInputs(PROFILER.catalogue, INDEX, tiny_collaborative(history), topics, history, settings)
    return Models.of(profiles, known, vectors())


def tiny_ranker(models: Models, history: History) -> LambdaMart:
    """Trees that learned from what half of the history chose after the other half."""
    middle = float(np.median(history.choices.times))
    window = Window.of(history, middle, TIME, repeats=True)
    settings = RecommendSettings(repeats=True)
    found = examples(window, models, settings, np.ones(N_ITEMS, bool), negatives=10, seed=1)
    few = TreeSettings(sizes=(Size(leaves=8, rounds=(30,)),))
    return LambdaMart.fit([found], models.features.names(models.names), few, apart=1, seeds=(1, 2))


def tiny_recommender(
    history: History, corrections: Corrections | None = None, settings: RecommendSettings | None = None
) -> Recommender:
    """All four users of `history`, known up to TIME, and what they corrected since."""
    settings = settings or RecommendSettings(repeats=True)
    models = tiny_models(history, settings)
    return Recommender(
        manifest=Manifest("tiny", {}, {}, {}),
        catalogue=PROFILER.catalogue,
        users={user: row for row, user in enumerate(USER_IDS)},
        accounts=ACCOUNTS,
        history=history,
        models=models,
        ranker=tiny_ranker(models, history),
        texts=INDEX,
        words=WordIndex.build(PROFILER.catalogue.items, WordSettings()),
        available=Availability.of(PROFILER.catalogue, history),
        settings=settings,
        new_users=NewUsers(
            PROFILER,
            TIME,
            {"like": 1.0, "rate": 1.0, "dislike": -1.0},
            reader=Reader.of(WORDS, PROFILER.space, PROFILER.themes, INDEX),
        ),
        statements=NOTHING_STATED,
        corrections=corrections or Corrections(),
    )


def write_tiny_encoder(folder: Path) -> None:
    """A language model of a few words and random weights, whose vectors are as long as the items'."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "star", "garden", "film"]
    torch.manual_seed(0)
    size = {"hidden_size": DIMENSION, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(folder)
    BertTokenizer(vocab={word: row for row, word in enumerate(words)}).save_pretrained(folder)


def write_tiny_release(folder: Path, history: History, corrections: str = "") -> Path:
    """The same as files, by the settings of the project's params.yaml, ranked by trees; returns the release folder."""
    tiny, parts = tiny_recommender(history), folder / "parts"
    table = {USER_ROW: history.users, ITEM_ROW: history.items, TIMESTAMP: history.times * 1e6}
    table |= {WEIGHT: history.weights, CHOSEN: history.chosen}
    write_table(
        pl.DataFrame(table).with_columns(pl.col(TIMESTAMP).cast(pl.Int64).cast(TIME_TYPE)), parts / Part.HISTORY
    )
    write_table(tiny.catalogue.items, parts / Part.ITEMS)
    write_table(tiny.accounts, parts / Part.USERS)
    CutOffs(TIME, TIME, TIME, TIME).write(parts / Part.CUT_OFFS)
    PROFILER.space.write(parts / Part.SPACE)
    write_array(tiny.statements.users, parts / Part.PROFILE_TEXT_USERS)
    write_array(np.zeros((0, DIMENSION), np.float32), parts / Part.PROFILE_TEXTS)
    tiny.models.index.write(parts / Part.INDEX)
    write_tiny_encoder(parts / Part.ENCODER)
    tiny.texts.write(parts / Part.TEXT_INDEX)
    WORDS.write(parts / Part.WORDS)
    tiny.words.write(parts / Part.WORD_INDEX)
    tiny.themes.write(parts / Part.THEMES)
    tiny.profiles.write(parts / Part.PROFILES)
    tiny_collaborative(history).write(parts / Part.MODELS, {})
    tiny.ranker.write(parts / Part.RANKER)
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (parts / Part.PARAMS).write_text(params.replace("method: best", "method: lambdamart"), encoding="utf-8")
    (parts / Part.CORRECTIONS).write_text(corrections, encoding="utf-8")
    write_release(folder / "release", {part.name: part for part in parts.iterdir()}, versions={}, metrics={})
    return folder / "release"
