"""What a release answers: interests by tier, now and as they were, and items for someone, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from strata.behaviour import Behaviour
from strata.candidates import Audience, Table, propose
from strata.catalogue import Catalogue
from strata.cleaning import CleaningSettings
from strata.corrections import Corrections
from strata.course import as_of, course_of, moments
from strata.errors import ReleaseError, UnknownId
from strata.explain import Reason, explain, without_each_point
from strata.filters import Filters, rows_of
from strata.generators import Popular
from strata.history import CutOffs, History
from strata.index import ItemIndex
from strata.levels import Levels, levels_of, stated_by
from strata.metrics import NOTHING
from strata.phrases import Phrases
from strata.profiles import Naming, Profiles, Statements, showcase
from strata.ranking import RankSettings, WeightedSum
from strata.recommend import Models, Ranker, RecommendSettings, audience_of, mix, read_ranker
from strata.release import Manifest, verify
from strata.schema import USER
from strata.settings import read_settings
from strata.storage import read_array
from strata.themes import Themes
from strata.tiers import TierSettings
from strata.visitors import Person, Visitors

CORRECTIONS = "corrections.jsonl"
"""Where a release holds what people had corrected when it was made."""
OF_WORDS = {"interests": 2 / 3, "popular": 1 / 3}
"""Weights for somebody of whom only words are known: what fits them first, the popular among it before the rest."""


@dataclass(frozen=True)
class Recommendation:
    """An item for someone: `score` grows with confidence; `reason` says why, where that was asked for."""

    item_id: str
    title: str
    score: float
    reason: Reason | None = None


@dataclass(frozen=True)
class Recommender:
    """A verified release in memory, without its language model: known items and users need no encoding."""

    manifest: Manifest
    catalogue: Catalogue
    users: dict[str, int]
    accounts: pl.DataFrame
    history: History
    index: ItemIndex
    models: Models
    ranker: Ranker
    vectors: np.ndarray
    available: np.ndarray
    settings: RecommendSettings
    visitors: Visitors
    statements: Statements
    corrections: Corrections

    @classmethod
    def load(cls, folder: Path, corrections: Path | None = None) -> "Recommender":
        """Verify and read a release; `corrections` of another file hold in place of the release's own.

        Raises ReleaseError naming what is wrong, SourceError where the corrections are damaged.
        """
        manifest = verify(folder)
        catalogue = Catalogue.read(folder / "tables" / "items.parquet")
        accounts = pl.read_parquet(folder / "tables" / "users.parquet")
        history = History.read(folder / "history.parquet", n_users=len(accounts), n_items=len(catalogue))
        time = CutOffs.read(folder / "cut_offs.json").live
        vectors = read_array(folder / "vectors.npy")
        if len(vectors) != len(catalogue):
            raise ReleaseError(f"release {manifest.id}: {len(vectors)} vectors for {len(catalogue)} items")
        params = folder / "params.yaml"
        index, themes = ItemIndex.read(folder / "items.faiss"), Themes.read(folder / "themes")
        naming = Naming(Phrases(catalogue.items), themes, np.array([""], object), catalogue.ids)
        tiers = read_settings(TierSettings, "tier", params)
        weights = read_settings(CleaningSettings, "cleaning", params).weights
        return cls(
            manifest,
            catalogue,
            {user: row for row, user in enumerate(accounts[USER].to_list())},
            accounts,
            history,
            index,
            Models.of(
                Profiles.read(folder / "profiles"),
                Behaviour.read(folder / "collaborative"),
                index,
                catalogue,
                vectors,
                themes.of_item[:, 0],
                history,
            ),
            read_ranker(folder / "ranker", read_settings(RankSettings, "rank", params).method),
            vectors,
            catalogue.available(time, history),
            read_settings(RecommendSettings, "recommend", params),
            Visitors(catalogue, vectors, naming, time, tiers, {str(name): weight for name, weight in weights.items()}),
            Statements(read_array(folder / "profile_text_users.npy"), read_array(folder / "profile_texts.npy")),
            Corrections.read(corrections or folder / CORRECTIONS),
        )

    @property
    def profiles(self) -> Profiles:
        """All users' profiles."""
        return self.models.profiles

    @property
    def themes(self) -> Themes:
        """The catalogue's groups."""
        return self.visitors.naming.themes

    @cached_property
    def popularity(self) -> np.ndarray:
        """Windowed popularity of each item (n_items,): what is recommended where nothing better can be had."""
        return next(g.counts for g in self.models.generators if isinstance(g, Popular))

    def user_row(self, user_id: str) -> int:
        """The row of a user. Raises UnknownId with a few ids to try."""
        if user_id not in self.users:
            some = ", ".join(list(self.users)[:5])
            raise UnknownId(f"user '{user_id}' is not among the {len(self.users):,} users of this release; try {some}")
        return self.users[user_id]

    def user(self, user_id: str, at: float | None = None) -> Person:
        """A user of the release with what they corrected, now or as of a time (seconds). Raises UnknownId."""
        row = self.user_row(user_id)
        blocked = np.flatnonzero(self.corrections.blocked_items(user_id, self.themes))
        person = Person(row, self.history, self.profiles, blocked)
        if at is None and user_id not in self.corrections:
            return person
        # The release's profiles hold the corrections of its own file, which may not be those in force.
        time, stated = self.visitors.time if at is None else at, self.statements.of_users(row, row + 1)
        return as_of(person, time, self.visitors, user_id, stated, self.corrections)

    def interests(self, whose: str | Person, at: float | None = None) -> pl.DataFrame:
        """Rows of the profile table, now or as of a time: core first, then stable, then momentary. Raises UnknownId.

        As of a time, nothing later counts but corrections; before the first event, and of words, there is nothing.
        """
        person = self._person(whose, at)
        return person.profiles.table[person.profiles.of(person.row)]

    def levels(self, whose: str | Person, at: float | None = None) -> Levels:
        """Categories, preferences, points, dislikes and what is stated, now or as of a time. Raises UnknownId."""
        person = self._person(whose, at)
        if at is None:
            at = max(self.visitors.time, person.history.times[person.history.of(person.row)].max(initial=0) + 1)
        stated = stated_by(self.accounts.row(self.users[whose], named=True)) if isinstance(whose, str) else {}
        return levels_of(person, at, self.catalogue, self.themes, self.visitors.settings, stated)

    def course(self, user_id: str, steps: int | None = None) -> pl.DataFrame:
        """A user's points at each month's end, or at so many equal steps: see `course_of`. Raises UnknownId."""
        times = self.history.times[self.history.of(self.user_row(user_id))]
        when = moments(float(times[0]), self.visitors.time, steps) if len(times) else []
        return course_of(lambda time: self.interests(user_id, time), when, self.themes)

    def admitted(self, filters: Filters | None = None) -> np.ndarray:
        """Items that exist and pass the filters: bool (n_items,). Raises UnknownId."""
        return self.available.copy() if filters is None else self.available & filters.mask(self.catalogue)

    def recommend(
        self,
        whose: str | Person,
        k: int = 10,
        *,
        tier_weights: Mapping[str, float] | None = None,
        categories: Sequence[str] | None = None,
        filters: Filters | None = None,
        exclude_seen: bool | None = None,
        explained: bool = True,
    ) -> list[Recommendation]:
        """Up to `k` items for a user (by id) or a visitor, best first. Raises UnknownId.

        `tier_weights` moves the mix of tiers ("more of now": {"momentary": 3}); `categories` is short for a filter
        on them alone; `exclude_seen` overrides whether what the person already had may come back.
        """
        if categories is not None:
            filters = replace(filters or Filters(), categories=categories)
        person, hide = self._person(whose), not self.settings.repeats if exclude_seen is None else exclude_seen
        admitted = self.admitted(filters)
        admitted[person.rejected] = False
        audience = self._audience(person, tier_weights, admitted, exclude_seen=hide)
        return self._best(person, audience, tier_weights, k, max(self.settings.candidates, k), explained=explained)

    def rank(
        self,
        whose: str | Person,
        item_ids: Sequence[str],
        *,
        tier_weights: Mapping[str, float] | None = None,
        explained: bool = True,
    ) -> list[Recommendation]:
        """All of `item_ids` (each once), best first, whatever is available or seen. Raises UnknownId naming them."""
        named = np.zeros(len(self.catalogue), bool)
        named[rows_of(item_ids, self.catalogue)] = True
        person = self._person(whose)
        audience = self._audience(person, tier_weights, named, exclude_seen=False)
        return self._best(person, audience, tier_weights, len(item_ids), len(item_ids), explained=explained)

    def similar_items(self, item_id: str, k: int = 10, *, filters: Filters | None = None) -> list[Recommendation]:
        """Up to `k` other items nearest to an item, with their cosines. Raises UnknownId."""
        row, admitted = self.catalogue.row(item_id), self.admitted(filters)
        admitted[row] = False
        return self._nearest(self.vectors[row], k, admitted)

    def search(self, vector: np.ndarray, k: int = 10, *, filters: Filters | None = None) -> list[Recommendation]:
        """Up to `k` items nearest to a text's unit vector (d,), with their cosines. Raises UnknownId."""
        return self._nearest(vector, k, self.admitted(filters))

    def popular(self, k: int, admitted: np.ndarray) -> list[Recommendation]:
        """Up to `k` items of a mask (n_items,) by popularity, scaled to at most 1: the stated fallback of all lists."""
        rows = np.flatnonzero(admitted)
        best = rows[np.argsort(-self.popularity[rows], kind="stable")[:k]]
        reason = Reason("popular", 1.0, None, None, None, (), "Popular these days")
        highest = float(self.popularity.max(initial=1e-12))
        return [self._item(int(row), float(self.popularity[row]) / highest, reason) for row in best]

    def richest_user(self) -> str:
        """A user to show. Raises UnknownId where nobody has an interest point."""
        return showcase(self.profiles.table)

    def _person(self, whose: str | Person, at: float | None = None) -> Person:
        if isinstance(whose, str):
            return self.user(whose, at)
        return whose if at is None else as_of(whose, at, self.visitors)

    def _audience(
        self, person: Person, tier_weights: Mapping[str, float] | None, allowed: np.ndarray, *, exclude_seen: bool
    ) -> Audience:
        return audience_of(
            np.array([person.row]),
            person.history,
            person.profiles,
            {**self.settings.tier_weights, **(tier_weights or {})},
            self.visitors.time,
            allowed=allowed,
            exclude_seen=exclude_seen,
            dislike=self.settings.dislike,
        )

    def _best(
        self,
        person: Person,
        audience: Audience,
        tier_weights: Mapping[str, float] | None,
        k: int,
        n: int,
        *,
        explained: bool,
    ) -> list[Recommendation]:
        """The best `k` of `n` candidates from each generator."""
        table, ranker = propose(audience, self.models.generators, n), self._ranker_for(person)
        scores = self.models.score(table, audience, ranker)
        best = table.top(scores + mix(table, audience, self.vectors, scores, tier_weights), 1, k)[0]
        best = best[best != NOTHING]
        chosen = table.only(best)
        reasons = list[Reason | None]([None] * len(chosen))
        if explained:
            reasons = self._reasons(person, audience, chosen, ranker, n)
        found = zip(chosen.items, scores[best], reasons, strict=True)
        return [self._item(int(item), float(score), reason) for item, score, reason in found]

    def _ranker_for(self, person: Person) -> Ranker:
        """The ranker; words without a history lead themselves: it has learned where histories speak."""
        points = person.profiles.of(person.row)
        said = not len(person.seen) and points.stop > points.start
        return WeightedSum(OF_WORDS) if said else self.ranker

    def _reasons(
        self, person: Person, audience: Audience, chosen: Table, ranker: Ranker, n: int
    ) -> list[Reason | None]:
        """The reason of each row of `chosen`."""
        lost = without_each_point(chosen, audience, self.models, ranker, n)
        if isinstance(ranker, WeightedSum):
            contributions = ranker.contributions(chosen)
        else:
            contributions = ranker.contributions(self.models.signals.of(chosen, audience), chosen.generators)
        return [
            explain(
                int(item),
                contributions[place],
                self.models.generators,
                audience,
                person.profiles,
                person.profiles.of(person.row),
                self.catalogue,
                self.vectors,
                lost[:, place],
            )
            for place, item in enumerate(chosen.items)
        ]

    def _nearest(self, vector: np.ndarray, k: int, admitted: np.ndarray) -> list[Recommendation]:
        rows, cosines = self.index.search(np.asarray(vector, np.float32)[None], k, admitted)
        found = zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
        return [self._item(row, cosine) for row, cosine in found if row != NOTHING]

    def _item(self, row: int, score: float, reason: Reason | None = None) -> Recommendation:
        return Recommendation(str(self.catalogue.ids[row]), self.catalogue.titles[row], round(score, 6), reason)
