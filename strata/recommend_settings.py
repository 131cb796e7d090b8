"""What every recommendation does, in a module of its own: who asks only this need not depend on how it is done."""

from pydantic import Field

from strata.settings import Settings
from strata.tiers import TIERS


class RecommendSettings(Settings):
    """What every recommendation does unless a request says otherwise."""

    candidates: int = 100
    """Items each generator proposes for a user."""
    repeats: bool = False
    """Whether what the user already had may come back: yes where people re-consume, as in retail."""
    tier_weights: dict[str, float] = dict.fromkeys(TIERS, 1.0)
    dislike: float = Field(0.5, ge=0)
    """How much dislikes take from what lies near to them."""
