"""What every recommendation does, in a module of its own: who asks only this need not depend on how it is done."""

from typing import Literal

from pydantic import Field

from strata.data.schema import TIERS
from strata.settings import Settings


class RecommendSettings(Settings):
    """What every recommendation does unless a request says otherwise."""

    candidates: int = 100
    """Items each generator proposes for a user."""
    repeats: bool = False
    """Whether what the user already had may come back: yes where people re-consume, as in retail."""
    tier_weights: dict[str, float] = dict.fromkeys(TIERS, 1.0)
    dislike: float = Field(0.5, ge=0)
    """How much dislikes take from what lies near to them."""


class RankSettings(Settings):
    """How candidates are ranked and how that is learned."""

    method: Literal["lambdamart", "weighted-sum"] = "lambdamart"
    trials: int = 200
    """Weightings tried for the weighted sum."""
    users: int = Field(1_000, ge=1)
    """Users, at most, on whom they are tried."""
    slices: int = Field(6, ge=1)
    """Earlier times from which the trees learn what was chosen next."""
    slice_share: float = Field(0.05, gt=0)
    """Share of all interactions between one slice and the next."""
    horizon: int = Field(2, ge=1)
    """Slices ahead that count as next."""
    learners: int = Field(5_000, ge=1)
    """Users of a slice, at most, from whom the trees learn, where the data holds `learners_from` users or more."""
    learners_from: int = Field(20_000, ge=1)
    """Below so many users, all of them teach."""
    negatives: int = Field(150, ge=1)
    """Candidates of a user, at most, that were not chosen and are learned from."""
    seed: int = 7
    models: int = Field(2, ge=1)
    """How often the trees are learned, each time with the next seed; their scores are added up."""

    def most_learners(self, n_users: int) -> int:
        """How many users of a slice may teach where the data holds `n_users`."""
        return n_users if n_users < self.learners_from else self.learners

    @property
    def seeds(self) -> range:
        """A seed for each time."""
        return range(self.seed, self.seed + self.models)
