"""A workspace whose recommender is made anew at times of one's own, and rows that pool what users got at several.

Language model and texts are the workspace's: they may know nothing of what is judged. Space and topics are those of a
time: see `Site.at`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.quality.time_split import Judged, rows
from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import CATEGORIES, TAGS, TITLE, USER
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.space import InterestSpace, SpaceSettings
from strata.errors import SourceError
from strata.evaluation.metrics import ndcg_at_k
from strata.evaluation.report import split_hash
from strata.evaluation.split import SplitSettings
from strata.evaluation.tuning import trials
from strata.evaluation.window import Window
from strata.interests.naming import Namer
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.settings import tier_settings
from strata.interests.themes import Themes, ThemeSettings, learn_themes
from strata.interests.understanding import Reader
from strata.language.words import Words
from strata.models.baselines import Baseline
from strata.models.fitted import TUNING, CollaborativeModels
from strata.models.settings import CollaborativeSettings
from strata.ranking.examples import Examples
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.training_windows import training_examples
from strata.ranking.two_stage import Models
from strata.settings import read_settings
from strata.storage import read_array, read_json

MONTH = 30 * DAY
"""How long what is chosen after a cut-off counts."""
LISTED = 10
Values = tuple[np.ndarray, Mapping[str, np.ndarray]]
"""Users (B,) judged at one cut-off and each method's NDCG@10 (B,)."""


@dataclass(frozen=True)
class Site:
    """A workspace of n_items and n_users: what they did, and the settings to make models with at any time.

    `texts`, `zero_shot` (n_items, t); `chosen`: the settings of each baseline, tuned before what is judged.
    """

    folder: Path
    catalogue: Catalogue
    accounts: pl.DataFrame
    history: History
    texts: np.ndarray
    zero_shot: np.ndarray
    profiler: Profiler
    index: ItemIndex
    chosen: Mapping[str, Mapping[str, Any]]
    recommend: RecommendSettings
    ranking: RankSettings
    least_users: int

    @classmethod
    def read(cls, folder: Path, cut_off: str) -> Self:
        """Read a workspace with the topics of one cut-off, and what was tuned for it where that stage has run.

        Raises SourceError where the stage `themes` has not.
        """
        artifacts, settings = folder / "artifacts", folder / "params.yaml"
        made = artifacts / "models" / cut_off
        if not (made / "themes").exists():
            raise SourceError(f"{made / 'themes'} does not exist; run dvc repro themes@{cut_off} in {folder}")
        catalogue = Catalogue.read(artifacts / "tables" / "items.parquet")
        accounts = pl.read_parquet(artifacts / "tables" / "users.parquet")
        texts = np.asarray(read_array(artifacts / "vectors" / "items.npy"))
        space = InterestSpace.read(made / "space")
        tuning = made / "collaborative" / TUNING
        interactions = artifacts / "history" / "interactions.parquet"
        themes = Themes.read(made / "themes")
        return cls(
            folder, catalogue, accounts,
            History.read(interactions, n_users=len(accounts), n_items=len(catalogue)),
            texts, np.asarray(read_array(artifacts / "vectors" / "zero_shot.npy")),
            Profiler.of(catalogue, space, themes, tier_settings(settings)),
            _index(made / "items.faiss", space.vectors, read_settings(IndexSettings, "index", settings)),
            read_json(tuning)["chosen"] if tuning.exists() else {},
            read_settings(RecommendSettings, "recommend", settings),
            read_settings(RankSettings, "rank", settings),
            read_settings(SplitSettings, "split", settings).least_users,
        )  # fmt: skip

    @cached_property
    def namer(self) -> Namer:
        """Names topics by where phrases occur."""
        return Namer.of(self.catalogue.items)

    def window(self, history: History, time: float, end: float | None = None, least_users: int | None = None) -> Window:
        """The window after a cut-off (seconds), by the rules of the workspace; a month long unless `end` is given."""
        stop, least = time + MONTH if end is None else end, self.least_users if least_users is None else least_users
        return Window.of(history, time, stop, repeats=self.recommend.repeats, least_users=least)

    def at(self, past: History, time: float) -> "Site":
        """The site with the interest space, topics and index as the product would have learned them by `time`."""
        params = self.folder / "params.yaml"
        known = self.catalogue.available(time, past)
        space = InterestSpace.fit(self.texts, known, past, read_settings(SpaceSettings, "space", params))
        themes = learn_themes(space.vectors, known, self.namer, read_settings(ThemeSettings, "themes", params))
        profiler = Profiler.of(self.catalogue, space, themes, self.profiler.settings)
        index = ItemIndex.build(space.vectors, read_settings(IndexSettings, "index", params))
        return replace(self, profiler=profiler, index=index)

    def profiles(self, history: History, time: float) -> Profiles:
        """Points of all users of a history, as known at `time`, by the rules of the product."""
        return self.profiler.profiles(history, time)[0]

    def models(self, past: History, time: float, users: np.ndarray) -> Models:
        """All models of a past, with the profiles of `users` (B,) rows alone."""
        profiles = self.profiles(past.keep(np.isin(past.users, users)), time)
        topics = self.profiler.themes.of_item[:, 0]
        collaborative = CollaborativeModels.fit(past, time, self.chosen)
        known = GeneratorInputs(self.catalogue, self.index, collaborative, topics, past, self.recommend)
        return Models.of(profiles, known, self.profiler.vectors)

    def available(self, window: Window) -> np.ndarray:
        """Items that exist when a window starts: bool (n_items,)."""
        return self.catalogue.available(window.time, window.past)

    def learn(self, window: Window, models: Models) -> Examples:
        """What the users of a window teach the trees: of all items, and of those that count."""
        return training_examples(
            window, models, self._profiled, self.recommend, self.available(window), self.ranking,
            least_users=self.least_users,
        )  # fmt: skip

    def _profiled(self, window: Window) -> Profiles:
        return self.profiles(window.past.keep(np.isin(window.past.users, window.users)), window.time)

    def tune(self, models: Mapping[str, Baseline], windows: Sequence[Window]) -> dict[str, dict[str, Any]]:
        """The settings with which each baseline does best over windows before those that are judged."""
        chosen, settings = {}, self.tuning
        for name, model in models.items():
            tried = trials(model.grid, settings.trials, settings.seed)
            reached = [[judge_baseline(model, each.past, each, one) for each in windows] for one in tried]
            means = [float(np.concatenate(values).mean()) for values in reached]
            chosen[name] = tried[int(np.argmax(means))]
        return chosen

    @property
    def tuning(self) -> CollaborativeSettings:
        """How much is tried for each baseline."""
        return read_settings(CollaborativeSettings, "collaborate", self.folder / "params.yaml")

    def reader(self, known: np.ndarray) -> Reader:
        """What reads words, as the product would have made it of the items `known` (n_items,) bool at a time."""
        said = [pl.when(pl.Series(known)).then(pl.col(name)).alias(name) for name in (TITLE, TAGS, CATEGORIES)]
        words = Words.of(self.catalogue.items.with_columns(said), self.texts, self.encode)
        texts = ItemIndex.build(self.texts, read_settings(IndexSettings, "index", self.folder / "params.yaml"))
        return Reader.of(words, self.profiler.space, self.profiler.themes, texts)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) of texts by the workspace's tuned language model."""
        return _encoder(self.folder).encode(texts)


@cache
def _encoder(folder: Path) -> Encoder:
    settings = read_settings(EncoderSettings, "encoder", folder / "params.yaml")
    return Encoder.load(folder / "artifacts" / "encoder", settings)


def _index(path: Path, vectors: np.ndarray, settings: IndexSettings) -> ItemIndex:
    return ItemIndex.read(path) if path.exists() else ItemIndex.build(vectors, settings)


def judge(ranked: np.ndarray, window: Window) -> np.ndarray:
    """NDCG@10 of rankings (B, k): (B,)."""
    return ndcg_at_k(ranked, window.relevant, LISTED)


def judge_baseline(model: Baseline, past: History, window: Window, settings: Mapping[str, Any]) -> np.ndarray:
    """NDCG@10 (B,) of a baseline fitted on `past`, for the users of a window."""
    return judge(window.rank(model.fit(past, window.time, **settings), LISTED), window)


def pooled(site: Site, found: Sequence[Values]) -> pl.DataFrame:
    """Each user's mean over the cut-offs at which they are judged, a column per method."""
    ids = site.accounts[USER].to_numpy()
    parts = [pl.DataFrame({USER: ids[users], **values}) for users, values in found]
    return pl.concat(parts).group_by(USER).mean().sort(USER)


def compared(name: str, what: str, values: pl.DataFrame, trials: int, excluded: str = "") -> list[Row]:
    """Row NAME against the best other method, and NAME-OTHER for each of the others."""
    judged = Judged(values.with_columns(warm=pl.lit(value=True)), "", trials, 0)
    return [replace(row, excluded=excluded) for row in rows(judged, name, what, only_warm=False)]


def split_of(windows: Sequence[Window]) -> str:
    """A short hash of who is judged on what at all cut-offs."""
    return "-".join(split_hash(window)[:6] for window in windows)


def midnight(day: str) -> float:
    """Seconds since 1970 of a date, UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
