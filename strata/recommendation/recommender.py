"""The library's main class: answers all requests about users, items and interests of a release in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.filters import Filters, rows_of
from strata.data.history import History
from strata.data.inferred import NOTHING_INFERRED, Inferred
from strata.embeddings.index import ItemIndex
from strata.errors import SettingsError, UnknownId
from strata.interests.corrections import Corrections, said_lost
from strata.interests.lately import NOTHING_LATELY, Lately
from strata.interests.levels import Levels, levels_of, stated_by
from strata.interests.profiles import Profiles, showcase
from strata.interests.query_users import NewUsers, PastChoice, QueryUser
from strata.interests.statements import Statements
from strata.interests.themes import Themes
from strata.interests.timeline import as_of, moments, timeline_of
from strata.interests.wording import Wording
from strata.models.predicted_ratings import PredictedRatings
from strata.ranking.ranker import Ranker
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models
from strata.recommendation.audience import Member, audience_for, uninvited
from strata.recommendation.availability import Availability
from strata.recommendation.brands import Brand, brands_to_follow
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.crowd import Crowd, alone
from strata.recommendation.lists import ListBuilder, Recommendation
from strata.recommendation.people import REGISTERED, People
from strata.recommendation.request import ListRequest
from strata.recommendation.rerank import RerankSettings
from strata.recommendation.search import Search
from strata.recommendation.search_settings import SearchSettings
from strata.recommendation.similar_users import SimilarUser, similar_users
from strata.recommendation.trending import HotTopic, Rising, TrendSettings, hot_topics, rising_topics
from strata.recommendation.word_index import WordIndex
from strata.release.manifest import Manifest

DEFAULT = ListRequest()


@dataclass(frozen=True)
class Recommender:
    """A verified release in memory, without its language model, which only new texts need.

    `drained`: by a journal's name, the place up to which the release has what it kept. `people`: who knows users.
    `clock`: what time it is, in seconds; None: the end of the release's data. `plain`: of a release with items that
    came since it was made, the release as it was made; `items_upto`: the place of the latest of them in the journal.
    """

    manifest: Manifest
    catalogue: Catalogue
    users: dict[str, int]
    accounts: pl.DataFrame
    history: History
    models: Models
    ranker: Ranker
    texts: ItemIndex
    words: WordIndex
    available: Availability
    settings: RecommendSettings
    new_users: NewUsers
    statements: Statements
    corrections: Corrections
    rerank: RerankSettings = RerankSettings()
    rules: BusinessRules = BusinessRules()
    trends: TrendSettings = TrendSettings()
    searching: SearchSettings = SearchSettings()
    inferred: Inferred = NOTHING_INFERRED
    ratings: PredictedRatings | None = None
    no_ratings: str = "it is of an earlier version"
    wording: Wording = Wording()
    drained: Mapping[str, int] = field(default_factory=dict)
    people: People = REGISTERED
    clock: Callable[[], float] | None = None
    plain: "Recommender | None" = None
    items_upto: int = 0

    @property
    def profiles(self) -> Profiles:
        """All users' profiles."""
        return self.models.profiles

    @property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the items (n_items, d) in the interest space."""
        return self.new_users.profiler.vectors

    @property
    def themes(self) -> Themes:
        """The catalogue's groups."""
        return self.new_users.profiler.themes

    @property
    def timed(self) -> bool:
        """Whether the events of the release have times; else theirs are made, and no date says anything."""
        return self.new_users.profiler.settings.timed

    @cached_property
    def list_builder(self) -> ListBuilder:
        """The builder of item lists."""
        return ListBuilder(
            self.catalogue, self.themes, self.vectors, self.history, self.models, self.ranker, self.settings,
            self.new_users.time, self.rerank, self.timed, self.inferred,
            None if self.plain is None else self.plain.list_builder,
        )  # fmt: skip

    @cached_property
    def crowd(self) -> Crowd:
        """All users' points and their weights."""
        if self.plain is not None:
            return self.plain.crowd
        weights, dislike = self.settings.tier_weights, self.settings.dislike
        return Crowd.of(self.profiles, self.history.n_users, tier_weights=weights, dislike=dislike, timed=self.timed)

    @cached_property
    def searches(self) -> Search:
        """What finds items for texts."""
        return Search.of(self.words, self.texts, self.models.index, self.catalogue, self.searching)

    @cached_property
    def rising(self) -> Rising:
        """How much more each topic is chosen lately than expected."""
        if self.plain is not None:
            return self.plain.rising.widened(len(self.catalogue))
        return rising_topics(self.history, self.themes, self.new_users.time, self.trends)

    def user_row(self, user_id: str) -> int:
        """The row of a user. Raises UnknownId with a few ids to try."""
        if user_id not in self.users:
            some = ", ".join(list(self.users)[:5])
            raise UnknownId(f"user '{user_id}' is not among the {len(self.users):,} users of this release; try {some}")
        return self.users[user_id]

    def lately(self, user_id: str) -> Lately:
        """What somebody searched for or wrote since the release was made: read it, and give it to `whose`."""
        return self.people.lately(self, user_id)

    def whose(self, user_id: str, session: Sequence[PastChoice] = (), said: Lately = NOTHING_LATELY) -> str | QueryUser:
        """Whom an id means, as of now: for `recommend` and all else that is asked of somebody.

        `session`: choices of the moment, in time order; `said`: as `lately` gives it. Somebody whom nobody knows has no
        interests, and is recommended what is popular. Raises UnknownId for unknown items.
        """
        found = self.people.whose(self, user_id, session, said)
        return self.new_users.unknown(user_id) if found is None else found

    def user(self, user_id: str, at: float | None = None) -> QueryUser:
        """A user of the release with their corrections, now or as of a time (seconds). Raises UnknownId."""
        row = self.user_row(user_id)
        blocked = np.flatnonzero(self.corrections.blocked_items(user_id, self.themes))
        mine = self.history.of_users(row, row + 1)
        against = mine.items[mine.spoken_against()]
        person = QueryUser(
            row, self.history, self.profiles, np.union1d(blocked, against), user_id=user_id,
            statements=self.statements.of_users(row, row + 1), corrections=self.corrections,
        )  # fmt: skip
        if at is None and user_id not in self.corrections:
            return person
        # Profiles in the release contain the corrections of its own file, which may have been replaced.
        return as_of(person, self.new_users.time if at is None else at, self.new_users.profiler)

    def interests(self, whose: str | QueryUser, at: float | None = None) -> pl.DataFrame:
        """Rows of the profile table, now or as of a time: core first, then stable, then momentary. Raises UnknownId.

        As of a time, only corrections may be later; empty before the first event, and for persons made from texts.
        """
        person = self.person(whose, at)
        return person.profiles.table[person.profiles.of(person.row)]

    def levels(self, whose: str | QueryUser, at: float | None = None) -> Levels:
        """Categories, preferences, points, dislikes and stated attributes, now or as of a time. Raises UnknownId."""
        person = self.person(whose, at)
        if at is None:
            at = max(self.new_users.time, person.history.times[person.history.of(person.row)].max(initial=0) + 1)
        row = self.users.get(person.user_id)
        stated = {} if row is None else stated_by(self.accounts.row(row, named=True))
        return levels_of(person, at, self.catalogue, self.themes, self.new_users.settings, stated)

    def lost_corrections(self, of: str | QueryUser | None = None) -> list[str]:
        """What to say of corrections, of one user or all, that no longer find their interest in this release."""
        corrections = of.corrections if isinstance(of, QueryUser) else self.corrections
        user_id = of.user_id if isinstance(of, QueryUser) else of
        return [said_lost(line) for line in corrections.lost(self.themes) if user_id in (None, line.user_id)]

    def timeline(self, user_id: str, steps: int | None = None) -> pl.DataFrame:
        """A user's points at each month's end, or at `steps` equal steps: see `timeline_of`. Raises UnknownId."""
        times = self.history.times[self.history.of(self.user_row(user_id))]
        when = moments(float(times[0]), self.new_users.time, steps) if len(times) else []
        return timeline_of(lambda time: self.interests(user_id, time), when, self.themes)

    def admitted(self, filters: Filters | None = None, refused: np.ndarray | None = None) -> np.ndarray:
        """Items that are there now, pass the filters and are none of the rows `refused`: bool (n_items,).

        Raises UnknownId.
        """
        found = self.available.at(self.new_users.time if self.clock is None else self.clock())
        if filters is not None:
            found &= filters.mask(self.catalogue, self.inferred)
        if refused is not None:
            found[refused] = False
        return found

    def recommend(self, whose: str | QueryUser, request: ListRequest = DEFAULT) -> list[Recommendation]:
        """Up to `k` items after the first `offset` for a user (by id) or a visitor, best first.

        Somebody whose words want nothing that the catalogue has gets what is popular, without what they refuse.
        Raises UnknownId, and SettingsError where rules cannot be obeyed (see `apply_rules`) or no rating predicted.
        """
        person, filled = self.person(whose), self.filled(request)
        allowed = self._allowed(person, filled.filters)
        if person.says_nothing:
            found = self.list_builder.popular(filled, allowed)
        else:
            found = self.list_builder.best(person, allowed, filled)
        return self._predicted(whose, found) if request.predict else found

    def rank(
        self, whose: str | QueryUser, item_ids: Sequence[str], request: ListRequest = DEFAULT
    ) -> list[Recommendation]:
        """All of `item_ids` (each once), best first, even if unavailable or seen. Raises UnknownId naming unknown ones.

        Of the request, only the tier mix, boosts, `explain` and `predict` apply. Raises SettingsError where no rating
        can be predicted.
        """
        person, named = self.person(whose), rows_of(item_ids, self.catalogue)
        filled = self.filled(request.model_copy(update={"exclude_seen": None}))
        found = self.list_builder.ranking(person, self._allowed(person, None), named, filled)
        return self._predicted(whose, found) if request.predict else found

    def predict_ratings(self, whose: str | QueryUser, items: np.ndarray) -> np.ndarray:
        """The ratings that somebody would give to item rows (n,), on the platform's scale: (n,).

        Of a user by their own ratings and what they state, of a visitor by the ratings of their history; without any,
        by what anybody would give. Raises UnknownId, and SettingsError where the release predicts none.
        """
        if self.ratings is None:
            raise SettingsError(
                f"release {self.manifest.id} predicts no ratings: {self.no_ratings}; ask without predict, or bring "
                "events of the behaviour rate with their value"
            )
        if isinstance(whose, QueryUser) and (len(whose.rated[0]) or whose.user_id not in self.users):
            return self.ratings.of_visitor(*whose.rated, items)
        return self.ratings.of_users(np.full(len(items), self._row(whose)), items)

    def filled(self, request: ListRequest) -> ListRequest:
        """The request with nulls replaced by the release's settings."""
        return request.filled(exclude_seen=not self.settings.repeats, rules=self.rules)

    def similar_items(
        self, item_id: str, k: int = 10, *, filters: Filters | None = None, refused: np.ndarray | None = None
    ) -> list[Recommendation]:
        """Up to `k` other items nearest to an item, with their cosines, no rows `refused`. Raises UnknownId."""
        row, admitted = self.catalogue.row(item_id), self.admitted(filters, refused)
        admitted[row] = False
        return self._nearest(self.models.index, self.vectors[row], k, admitted)

    def search(
        self,
        text: str,
        vector: np.ndarray,
        k: int = 10,
        *,
        filters: Filters | None = None,
        refused: np.ndarray | None = None,
    ) -> list[Recommendation]:
        """Up to `k` items for a text with its unit vector (t,), each with what found it. Raises UnknownId.

        `refused` (m,): item rows that must not come.
        """
        hits = self.searches.find(text, vector, k, self.admitted(filters, refused))
        return [self.list_builder.item(hit.row, hit.score, hit.reason(self.catalogue)) for hit in hits]

    def similar_users(self, whose: str | QueryUser, k: int = 10) -> list[SimilarUser]:
        """Up to `k` other users with the most similar interests, and the shared ones. Raises UnknownId."""
        person, row = self.person(whose), self._row(whose)
        own = np.array([] if row is None else [row], np.int64)
        return similar_users(alone(person.profiles, person.row), self.crowd, k, own)

    def audience(self, of: str | np.ndarray, k: int = 10) -> list[Member]:
        """Up to `k` users most interested in an item (by id) or a text's unit vector (t,). Raises UnknownId.

        Users who had the item or blocked its topic are left out.
        """
        if isinstance(of, np.ndarray):
            wanted = self.new_users.profiler.space.of_texts(of[None])[0]
            return audience_for(wanted, self.crowd, self.catalogue, k)
        without = uninvited(row := self.catalogue.row(of), self.history, self.corrections, self.users, self.themes)
        return audience_for(self.vectors[row], self.crowd, self.catalogue, k, without)

    def hot_topics(self, whose: str | QueryUser, k: int = 10, *, filters: Filters | None = None) -> list[HotTopic]:
        """Up to `k` rising topics within the themes of a person's interests, hottest first; none of data without times.

        Raises UnknownId.
        """
        person = self.person(whose)
        if not self.timed:
            return []
        return hot_topics(
            alone(person.profiles, person.row), self.rising, self.themes, self.catalogue, k,
            tier_weights=self.settings.tier_weights, available=self._allowed(person, filters),
            leaders=self.trends.leaders,
        )  # fmt: skip

    def brands_to_follow(self, whose: str | QueryUser, k: int = 10, *, filters: Filters | None = None) -> list[Brand]:
        """Up to `k` brands (creators, shops) new to a person and near to their interests. Raises UnknownId."""
        person = self.person(whose)
        return brands_to_follow(
            alone(person.profiles, person.row), self.catalogue, self.vectors, k,
            tier_weights=self.settings.tier_weights, available=self._allowed(person, filters),
            leaders=self.trends.leaders, without=person.seen, dislike=self.settings.dislike,
            timed=self.timed,
        )  # fmt: skip

    def richest_user(self) -> str:
        """The id of an example user. Raises UnknownId where nobody has an interest point."""
        return showcase(self.profiles.table)

    def person(self, whose: str | QueryUser, at: float | None = None) -> QueryUser:
        """Somebody as the release knows them, now or as of a time (seconds). Raises UnknownId."""
        if isinstance(whose, str):
            return self.user(whose, at)
        return whose if at is None else as_of(whose, at, self.new_users.profiler)

    def _row(self, whose: str | QueryUser) -> int | None:
        """The row of a user of the release; None of somebody it does not know. Raises UnknownId for an unknown id."""
        return self.user_row(whose) if isinstance(whose, str) else self.users.get(whose.user_id)

    def _allowed(self, person: QueryUser, filters: Filters | None) -> np.ndarray:
        """Admitted items that the person has not rejected: bool (n_items,)."""
        return self.admitted(filters, person.rejected)

    def _predicted(self, whose: str | QueryUser, found: list[Recommendation]) -> list[Recommendation]:
        rows = rows_of([item.item_id for item in found], self.catalogue)
        values = self.predict_ratings(whose, rows).round(2).tolist()
        return [replace(item, predicted=value) for item, value in zip(found, values, strict=True)]

    def _nearest(self, index: ItemIndex, vector: np.ndarray, k: int, admitted: np.ndarray) -> list[Recommendation]:
        rows, cosines = index.search(np.asarray(vector, np.float32)[None], k, admitted)
        found = zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
        return [self.list_builder.item(row, cosine) for row, cosine in found if row != NOTHING]
