"""Settings of interests: how points are cut, and when they count as momentary, stable or core."""

from pathlib import Path

import yaml
from pydantic import Field

from strata.data.schema import Method
from strata.settings import Settings, read_settings


class TierSettings(Settings):
    """How points are cut and when they count as momentary, stable or core."""

    method: Method = "ward"
    """How a user's topics become points."""
    cut: float = Field(1.6, ge=0)
    """Height of the cut, in units of the catalogue's spread; higher: fewer, broader points."""
    half_life_days: float = Field(30.0, gt=0)
    """Half-life of strength and recency."""
    period_days: float = Field(7.0, gt=0)
    """Length of a period; persistence is the share of the user's active periods in which a point occurs."""
    min_periods: int = Field(4, ge=1)
    """Active periods that a history needs before anything can be stable or core."""
    core_persistence: float = Field(0.36, gt=0, le=1)
    """Least persistence of a core point."""
    stable_persistence: float = Field(0.12, gt=0, le=1)
    """Least persistence of a stable point."""
    margin: float = Field(0.1, ge=0, lt=1)
    """Share of those two by which persistence must fall below them before the tier is lost: no back and forth."""
    doubt: float = Field(0.03, ge=0, lt=1)
    """If an absence as long as a point's own is less likely than this, core becomes stable and stable ends.

    Below its square, core ends too."""
    recent_days: float = Field(14.0, gt=0)
    """Length of the recent past."""
    momentary_events: int = Field(2, ge=1)
    """Recent events that make a point momentary; a single one may be noise."""
    least_events: int = Field(5, ge=1)
    """A faded point with fewer events is noise, for what measures the tiers; profiles hold no faded points."""
    over_after: float = Field(1.6, gt=0)
    """A momentary point ends once it is quiet for this many times its own mean gap."""
    stated_chance: float = Field(0.02, gt=0, lt=1)
    """A point is stated, and so core, where so few of other people's texts are as near as one of its owner's."""
    stated_similarity: float = Field(0.5, ge=-1, le=1)
    """Cosine from which it is stated where too few people wrote anything to know what is usual."""
    evidence: int = Field(3, ge=1)
    """Items shown as evidence."""
    timed: bool = True
    """Whether interactions have times; without, nothing can be said of how long an interest lasts, and unless it is
    stated it is momentary."""


def tier_settings(params: Path = Path("params.yaml")) -> TierSettings:
    """The section `tier` of a params file; `timed` is false where `source.interactions.time` there says times are made.

    Raises SettingsError as `read_settings` does.
    """
    settings = read_settings(TierSettings, "tier", params)
    source = yaml.safe_load(params.read_text(encoding="utf-8")).get("source") or {}
    if (source.get("interactions") or {}).get("time", "clock") != "clock":
        return settings.model_copy(update={"timed": False})
    return settings
