"""Beyond lists of items: who is alike, whom an item concerns, what rises, whom to follow, of one release."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.interests.visitors import Person
from strata.ranking.settings import RecommendSettings
from strata.recommendation.audience import Member, audience_for
from strata.recommendation.brands import Brand, brands_to_follow
from strata.recommendation.crowd import Crowd, alone
from strata.recommendation.similar_users import SimilarUser, similar_users
from strata.recommendation.trending import HotTopic, Rising, TrendSettings, hot_topics, rising_topics


@dataclass(frozen=True)
class Relations:
    """What one release relates people by; `vectors` (n_items, d): unit; `time`: its present, in seconds.

    What all answers share, everybody's weighed points and what rises, is made when it is first asked for.
    """

    catalogue: Catalogue
    themes: Themes
    vectors: np.ndarray
    history: History
    profiles: Profiles
    settings: RecommendSettings
    trends: TrendSettings
    time: float

    @cached_property
    def crowd(self) -> Crowd:
        """Everybody's points and what they count."""
        tier_weights, dislike = self.settings.tier_weights, self.settings.dislike
        return Crowd.of(self.profiles, self.history.n_users, tier_weights=tier_weights, dislike=dislike)

    @cached_property
    def rising(self) -> Rising:
        """What is chosen more than its past lets expect."""
        return rising_topics(self.history, self.themes, self.time, self.trends)

    def similar_users(self, person: Person, k: int, without: np.ndarray) -> list[SimilarUser]:
        """As `related.similar_users`."""
        return similar_users(alone(person.profiles, person.row), self.crowd, k, without)

    def audience(self, vector: np.ndarray, k: int, without: np.ndarray) -> list[Member]:
        """As `related.audience_for`."""
        return audience_for(vector, self.crowd, self.catalogue, k, without)

    def hot_topics(self, person: Person, k: int, available: np.ndarray) -> list[HotTopic]:
        """As `following.hot_topics`, led by `available` items (n_items,) bool."""
        return hot_topics(
            alone(person.profiles, person.row),
            self.rising,
            self.themes,
            self.catalogue,
            k,
            tier_weights=self.settings.tier_weights,
            available=available,
            leaders=self.trends.leaders,
        )

    def brands(self, person: Person, k: int, available: np.ndarray) -> list[Brand]:
        """As `following.brands_to_follow`, of `available` items (n_items,) bool and new to the person."""
        return brands_to_follow(
            alone(person.profiles, person.row),
            self.catalogue,
            self.vectors,
            k,
            tier_weights=self.settings.tier_weights,
            available=available,
            leaders=self.trends.leaders,
            without=person.seen,
            dislike=self.settings.dislike,
        )
