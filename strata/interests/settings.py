"""Settings of interests: how points are cut, and when they count as momentary, stable or core."""

from pydantic import Field

from strata.data.schema import Method
from strata.settings import Settings


class TierSettings(Settings):
    """How points are cut and when they count as momentary, stable or core."""

    method: Method = "ward"
    """How a user's topics become points."""
    cut: float = Field(1.6, ge=0)
    """Height of the cut, in units of the catalogue's spread; higher: fewer, broader points."""
    half_life_days: float = Field(30.0, gt=0)
    """Of strength and recency."""
    period_days: float = Field(7.0, gt=0)
    """Persistence is the share of the user's active periods in which a point occurs."""
    min_periods: int = Field(4, ge=1)
    """Active periods that a history needs before anything can be stable or core."""
    core_persistence: float = Field(0.36, gt=0, le=1)
    """From here on a point is core."""
    stable_persistence: float = Field(0.12, gt=0, le=1)
    """From here on, and below core, a point is stable."""
    doubt: float = Field(0.03, ge=0, lt=1)
    """Chance of staying away for so long below which a point steps down a tier; squared: has ended."""
    recent_days: float = Field(14.0, gt=0)
    """What counts as lately."""
    momentary_events: int = Field(2, ge=1)
    """Events lately that make an interest of now; one alone is as likely noise."""
    least_events: int = Field(5, ge=1)
    """A faded point with fewer is noise."""
    over_after: float = Field(1.6, gt=0)
    """An interest of now is over once it is quiet for so many of its own gaps."""
    stated_similarity: float = Field(0.5, ge=-1, le=1)
    """Cosine from which a point is what the profile text states, and so core."""
    evidence: int = Field(3, ge=1)
    """Items shown as evidence."""
