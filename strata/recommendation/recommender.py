"""What a release answers: interests by tier, now and as they were, and items for someone, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.cleaning import CleaningSettings
from strata.data.filters import Filters, rows_of
from strata.data.history import History
from strata.data.schema import USER
from strata.embeddings.index import ItemIndex
from strata.errors import ReleaseError, UnknownId
from strata.evaluation.split import CutOffs
from strata.interests.corrections import Corrections
from strata.interests.levels import Levels, levels_of, stated_by
from strata.interests.phrases import Phrases
from strata.interests.profiles import Profiles, showcase
from strata.interests.profiling import Naming, Statements
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes
from strata.interests.timeline import as_of, course_of, moments
from strata.interests.visitors import Person, Visitors
from strata.models.fitted import Behaviour
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import Models, Ranker, read_ranker
from strata.recommendation.audience import Member
from strata.recommendation.brands import Brand
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.lists import Lists, Recommendation, Wish
from strata.recommendation.relations import Relations
from strata.recommendation.rerank import RerankSettings
from strata.recommendation.similar_users import SimilarUser
from strata.recommendation.trending import HotTopic, TrendSettings
from strata.release.manifest import Manifest, verify
from strata.settings import read_settings
from strata.storage import read_array

CORRECTIONS = "corrections.jsonl"
"""Where a release holds what people had corrected when it was made."""


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
    rerank: RerankSettings = RerankSettings()
    rules: BusinessRules = BusinessRules()
    trends: TrendSettings = TrendSettings()

    @classmethod
    def load(cls, folder: Path, corrections: Path | None = None) -> "Recommender":
        """Verify and read a release; `corrections` of another file hold in place of the release's own.

        Raises ReleaseError naming what is wrong, SourceError where the corrections are damaged, UnknownId or
        SettingsError where the business rules can never hold.
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
        settings = read_settings(RecommendSettings, "recommend", params)
        weights = read_settings(CleaningSettings, "cleaning", params).weights
        rules = read_settings(BusinessRules, "rules", params)
        rules.check(catalogue, themes)
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
                settings,
            ),
            read_ranker(folder / "ranker", read_settings(RankSettings, "rank", params).method),
            vectors,
            catalogue.available(time, history),
            settings,
            Visitors(catalogue, vectors, naming, time, tiers, {str(name): weight for name, weight in weights.items()}),
            Statements(read_array(folder / "profile_text_users.npy"), read_array(folder / "profile_texts.npy")),
            Corrections.read(corrections or folder / CORRECTIONS),
            read_settings(RerankSettings, "rerank", params),
            rules,
            read_settings(TrendSettings, "trends", params),
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
    def lists(self) -> Lists:
        """What makes lists of items."""
        time = self.visitors.time
        return Lists(
            self.catalogue, self.themes, self.vectors, self.history, self.models, self.ranker, self.settings, time
        )

    @cached_property
    def relations(self) -> Relations:
        """What relates people."""
        time = self.visitors.time
        return Relations(
            self.catalogue, self.themes, self.vectors, self.history, self.profiles, self.settings, self.trends, time
        )

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
        mine = self.history.of(row)
        hidden = self.history.items[mine][~self.history.chosen[mine]]
        person = Person(row, self.history, self.profiles, np.union1d(blocked, hidden))
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
        diversity: float | None = None,
        calibration: float | None = None,
        rules: BusinessRules | None = None,
        explained: bool = True,
    ) -> list[Recommendation]:
        """Up to `k` items for a user (by id) or a visitor, best first. Raises UnknownId, SettingsError (see `obey`).

        `tier_weights` moves the mix of tiers ("more of now": {"momentary": 3}); `categories` is short for a filter
        on them alone; `exclude_seen` overrides whether what the person already had may come back, `diversity` and
        `calibration` (0 to 1) how the list is re-ranked; those of `rules` that are named replace the release's.
        """
        if categories is not None:
            filters = replace(filters or Filters(), categories=categories)
        settings, rules = self.rerank.but(diversity, calibration), self.rules.but(rules)
        wish = Wish(tier_weights or {}, settings, rules, self.hides_seen(exclude_seen), explained=explained)
        person = self._person(whose)
        allowed = self._allowed(person, filters)
        return self.lists.best(person, allowed, k, max(self.settings.candidates, k), wish)

    def rank(
        self,
        whose: str | Person,
        item_ids: Sequence[str],
        *,
        tier_weights: Mapping[str, float] | None = None,
        rules: BusinessRules | None = None,
        explained: bool = True,
    ) -> list[Recommendation]:
        """All of `item_ids` (each once), best first, whatever is available or seen. Raises UnknownId naming them.

        Of the business rules only boosts hold here.
        """
        named = np.zeros(len(self.catalogue), bool)
        named[rows_of(item_ids, self.catalogue)] = True
        boosts = BusinessRules(boosts=self.rules.but(rules).boosts)
        wish = Wish(tier_weights or {}, rules=boosts, exclude_hidden=False, explained=explained)
        return self.lists.best(self._person(whose), named, len(item_ids), len(item_ids), wish)

    def hides_seen(self, exclude_seen: bool | None = None) -> bool:
        """Whether what a person already had may not come back: as asked, else as the release is set."""
        return not self.settings.repeats if exclude_seen is None else exclude_seen

    def similar_items(self, item_id: str, k: int = 10, *, filters: Filters | None = None) -> list[Recommendation]:
        """Up to `k` other items nearest to an item, with their cosines. Raises UnknownId."""
        row, admitted = self.catalogue.row(item_id), self.admitted(filters)
        admitted[row] = False
        return self._nearest(self.vectors[row], k, admitted)

    def search(self, vector: np.ndarray, k: int = 10, *, filters: Filters | None = None) -> list[Recommendation]:
        """Up to `k` items nearest to a text's unit vector (d,), with their cosines. Raises UnknownId."""
        return self._nearest(vector, k, self.admitted(filters))

    def similar_users(self, whose: str | Person, k: int = 10) -> list[SimilarUser]:
        """Up to `k` other users of the likest interests, with those that are shared. Raises UnknownId."""
        own = [self.user_row(whose)] if isinstance(whose, str) else []
        return self.relations.similar_users(self._person(whose), k, np.array(own, np.int64))

    def audience(self, of: str | np.ndarray, k: int = 10) -> list[Member]:
        """Up to `k` users whom an item (by id) or a text's unit vector (d,) concerns most. Raises UnknownId.

        Those who had the item, or blocked its topic, are no audience of it.
        """
        if isinstance(of, np.ndarray):
            return self.relations.audience(of, k, np.zeros(0, np.int64))
        row = self.catalogue.row(of)
        blocking = {line.user_id for line in self.corrections.lines if line.action == "block"} & self.users.keys()
        against = [self.users[u] for u in blocking if self.corrections.blocked_items(u, self.themes)[row]]
        had = self.history.users[self.history.items == row]
        return self.relations.audience(self.vectors[row], k, np.append(had, np.array(against, np.int64)))

    def hot_topics(self, whose: str | Person, k: int = 10, *, filters: Filters | None = None) -> list[HotTopic]:
        """Up to `k` topics on the rise within the themes of somebody's interests, hottest first. Raises UnknownId."""
        person = self._person(whose)
        return self.relations.hot_topics(person, k, self._allowed(person, filters))

    def brands_to_follow(self, whose: str | Person, k: int = 10, *, filters: Filters | None = None) -> list[Brand]:
        """Up to `k` brands (creators, shops) new to somebody and near to their interests. Raises UnknownId."""
        person = self._person(whose)
        return self.relations.brands(person, k, self._allowed(person, filters))

    def richest_user(self) -> str:
        """A user to show. Raises UnknownId where nobody has an interest point."""
        return showcase(self.profiles.table)

    def _person(self, whose: str | Person, at: float | None = None) -> Person:
        if isinstance(whose, str):
            return self.user(whose, at)
        return whose if at is None else as_of(whose, at, self.visitors)

    def _allowed(self, person: Person, filters: Filters | None) -> np.ndarray:
        """Items that are admitted and not spoken against: bool (n_items,)."""
        allowed = self.admitted(filters)
        allowed[person.rejected] = False
        return allowed

    def _nearest(self, vector: np.ndarray, k: int, admitted: np.ndarray) -> list[Recommendation]:
        rows, cosines = self.index.search(np.asarray(vector, np.float32)[None], k, admitted)
        found = zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
        return [self.lists.item(row, cosine) for row, cosine in found if row != NOTHING]
