"""Loads a release: verifies it, and reads the parts that answers are made of."""

from pathlib import Path

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.cleaning import CleaningSettings
from strata.data.history import History
from strata.data.inferred import Inferred
from strata.data.schema import USER
from strata.embeddings.class_labels import item_classes
from strata.embeddings.index import ItemIndex
from strata.embeddings.space import InterestSpace
from strata.errors import ReleaseError
from strata.evaluation.split import CutOffs
from strata.interests.corrections import Corrections
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.query_users import NewUsers
from strata.interests.settings import tier_settings
from strata.interests.statements import Statements
from strata.interests.themes import Themes
from strata.interests.understanding import Reader
from strata.interests.wording import Wording
from strata.language.words import Words
from strata.models.fitted import CollaborativeModels
from strata.models.predicted_ratings import PredictedRatings, why_none
from strata.models.rating_signs import ItemFacts
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.rankers import read_ranker
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import Models
from strata.recommendation.availability import Availability
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.recommender import Recommender
from strata.recommendation.rerank import RerankSettings
from strata.recommendation.search_settings import SearchSettings
from strata.recommendation.trending import TrendSettings
from strata.recommendation.word_index import WordIndex
from strata.release.layout import Part
from strata.release.manifest import verify
from strata.settings import read_settings
from strata.storage import read_array, read_json


def load_recommender(folder: Path, corrections: Path | None = None) -> Recommender:
    """Verify and read a release; a `corrections` file replaces the release's own.

    Raises ReleaseError naming what is wrong, SourceError where the corrections are damaged, UnknownId or
    SettingsError where no list can obey the business rules.
    """
    manifest = verify(folder)
    catalogue = Catalogue.read(folder / Part.ITEMS)
    accounts = pl.read_parquet(folder / Part.USERS)
    history = History.read(folder / Part.HISTORY, n_users=len(accounts), n_items=len(catalogue))
    time = CutOffs.read(folder / Part.CUT_OFFS).live
    space = InterestSpace.read(folder / Part.SPACE)
    if len(space.vectors) != len(catalogue):
        raise ReleaseError(f"release {manifest.id}: {len(space.vectors)} vectors for {len(catalogue)} items")
    params = folder / Part.PARAMS
    index, themes = ItemIndex.read(folder / Part.INDEX), Themes.read(folder / Part.THEMES)
    profiler = Profiler.of(catalogue, space, themes, tier_settings(params))
    cleaning = read_settings(CleaningSettings, "cleaning", params)
    rules = read_settings(BusinessRules, "rules", params)
    rules.check(catalogue, themes)
    settings = read_settings(RecommendSettings, "recommend", params)
    texts = ItemIndex.read(folder / Part.TEXT_INDEX)
    reader = Reader.of(Words.read(folder / Part.WORDS, len(catalogue)), space, themes, texts)
    method = read_settings(RankSettings, "rank", params).method
    collaborative = CollaborativeModels.read(folder / Part.MODELS)
    known = GeneratorInputs(catalogue, index, collaborative, themes.of_item[:, 0], history, settings)
    models = Models.of(Profiles.read(folder / Part.PROFILES), known, space.vectors)
    return Recommender(
        manifest=manifest,
        catalogue=catalogue,
        users={user: row for row, user in enumerate(accounts[USER].to_list())},
        accounts=accounts,
        history=history,
        models=models,
        ranker=read_ranker(folder / Part.RANKER, method, models.feature_names),
        texts=texts,
        words=WordIndex.read(folder / Part.WORD_INDEX, len(catalogue)),
        available=Availability.of(catalogue, history),
        settings=settings,
        new_users=NewUsers(profiler, time, cleaning.weights, cleaning.rating, reader),
        statements=Statements.of(
            read_array(folder / Part.PROFILE_TEXT_USERS), space.of_texts(read_array(folder / Part.PROFILE_TEXTS))
        ),
        corrections=Corrections.read(corrections or folder / Part.CORRECTIONS).found(themes, catalogue, space),
        rerank=read_settings(RerankSettings, "rerank", params),
        rules=rules,
        trends=read_settings(TrendSettings, "trends", params),
        searching=read_settings(SearchSettings, "search", params),
        inferred=Inferred.read(folder / Part.HEADS),
        ratings=PredictedRatings.read(folder / Part.RATINGS, lambda: _item_facts(catalogue, texts)),
        no_ratings=why_none(folder / Part.RATINGS),
        wording=Wording.read(folder / Part.WORDING),
        drained=read_json(folder / Part.JOURNAL) if (folder / Part.JOURNAL).exists() else {},
    )


def _item_facts(catalogue: Catalogue, texts: ItemIndex) -> ItemFacts:
    """What predicted ratings know of the items."""
    return ItemFacts(texts.vectors(np.arange(len(catalogue))), item_classes(catalogue.items))
