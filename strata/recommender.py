"""What a release answers: a user's interests by tier, and items for them, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from strata.catalogue import Catalogue
from strata.errors import ReleaseError, UnknownId
from strata.explain import Reason, explain
from strata.history import CutOffs, History
from strata.index import ItemIndex
from strata.metrics import NOTHING
from strata.profiles import Profiles
from strata.ranking import Ranker
from strata.recommend import Models, RecommendSettings, audience_of, propose
from strata.release import Manifest, verify
from strata.schema import USER
from strata.settings import read_settings
from strata.storage import read_array


@dataclass(frozen=True)
class Recommendation:
    """An item for a user: `score` grows with confidence; `reason` says why."""

    item_id: str
    title: str
    score: float
    reason: Reason


@dataclass(frozen=True)
class Recommender:
    """A verified release in memory, without its language model: known items and users need no encoding."""

    manifest: Manifest
    catalogue: Catalogue
    users: dict[str, int]
    history: History
    models: Models
    ranker: Ranker
    vectors: np.ndarray
    available: np.ndarray
    settings: RecommendSettings

    @classmethod
    def load(cls, folder: Path) -> "Recommender":
        """Verify and read a release. Raises ReleaseError naming what is wrong."""
        manifest = verify(folder)
        catalogue = Catalogue.read(folder / "tables" / "items.parquet")
        ids = pl.read_parquet(folder / "tables" / "users.parquet", columns=[USER])[USER].to_list()
        history = History.read(folder / "history.parquet", n_users=len(ids), n_items=len(catalogue))
        time = CutOffs.read(folder / "cut_offs.json").live
        vectors = read_array(folder / "vectors.npy")
        if len(vectors) != len(catalogue):
            raise ReleaseError(f"release {manifest.id}: {len(vectors)} vectors for {len(catalogue)} items")
        return cls(
            manifest,
            catalogue,
            {user: row for row, user in enumerate(ids)},
            history,
            Models.read(folder, ItemIndex.read(folder / "items.faiss")),
            Ranker.read(folder / "ranker.json"),
            vectors,
            catalogue.available(time, history),
            read_settings(RecommendSettings, "recommend", folder / "params.yaml"),
        )

    @property
    def profiles(self) -> Profiles:
        """All users' profiles."""
        return self.models.profiles

    def user_row(self, user_id: str) -> int:
        """The row of a user. Raises UnknownId with a few ids to try."""
        if user_id not in self.users:
            some = ", ".join(list(self.users)[:5])
            raise UnknownId(f"user '{user_id}' is not among the {len(self.users):,} users of this release; try {some}")
        return self.users[user_id]

    def interests(self, user_id: str) -> pl.DataFrame:
        """The user's rows of the profile table: core first, then stable, then momentary. Raises UnknownId."""
        return self.profiles.table[self.profiles.of(self.user_row(user_id))]

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        tier_weights: Mapping[str, float] | None = None,
        categories: Sequence[str] | None = None,
        exclude_seen: bool | None = None,
    ) -> list[Recommendation]:
        """Up to `k` items for a user, best first. Raises UnknownId.

        `tier_weights` moves the mix of tiers ("more of now": {"momentary": 3}); `categories` admits only items
        that carry one of them; `exclude_seen` overrides whether what the user already had may come back.
        """
        row = self.user_row(user_id)
        allowed = self.available if categories is None else (
            self.available & self.catalogue.in_categories(list(categories))
        )  # fmt: skip
        audience = audience_of(
            np.array([row]),
            self.history,
            self.profiles,
            {**self.settings.tier_weights, **(tier_weights or {})},
            allowed=allowed,
            exclude_seen=not self.settings.repeats if exclude_seen is None else exclude_seen,
        )
        generators = self.models.generators
        table = propose(audience, generators, max(self.settings.candidates, k))
        scores = self.ranker.scores(table)
        best = [int(place) for place in table.top(scores, 1, k)[0] if place != NOTHING]
        weights = self.ranker.vector(table.generators)
        points = self.profiles.of(row)
        return [
            Recommendation(
                str(self.catalogue.ids[table.items[place]]),
                self.catalogue.titles[table.items[place]],
                round(float(scores[place]), 6),
                explain(
                    int(table.items[place]), table.features[place] * weights, generators, audience,
                    self.profiles, points, self.catalogue, self.vectors,
                ),
            )
            for place in best
        ]  # fmt: skip

    def richest_user(self) -> str:
        """A user to show: most tiers, then the longest judged history, then the fewest points."""
        per_user = self.profiles.table.group_by(USER).agg(
            pl.col("tier").n_unique().alias("tiers"),
            pl.col("of_periods").max(),
            pl.len().alias("points"),
        )
        if per_user.is_empty():
            raise UnknownId("no user of this release has an interest point")
        best = per_user.sort(["tiers", "of_periods", "points", USER], descending=[True, True, False, False])
        return str(best[USER][0])
