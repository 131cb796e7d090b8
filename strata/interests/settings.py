"""Settings of interests: how points are cut, and when they count as momentary, stable or core."""

from pydantic import Field

from strata.data.schema import Method
from strata.settings import Settings


class TierSettings(Settings):
    """How points are cut and when they count as momentary, stable or core."""

    method: Method = "ward"
    cut: float = Field(1.6, ge=0)
    half_life_days: float = Field(30.0, gt=0)
    period_days: float = Field(7.0, gt=0)
    min_periods: int = Field(4, ge=1)
    core_persistence: float = Field(0.36, gt=0, le=1)
    stable_persistence: float = Field(0.12, gt=0, le=1)
    doubt: float = Field(0.03, ge=0, lt=1)
    recent_days: float = Field(14.0, gt=0)
    momentary_events: int = Field(2, ge=1)
    least_events: int = Field(5, ge=1)
    over_after: float = Field(1.6, gt=0)
    stated_similarity: float = Field(0.5, ge=-1, le=1)
    evidence: int = Field(3, ge=1)
