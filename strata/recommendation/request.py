"""Options of a list request, shared by the library, the command line and the service."""

from typing import Self

from pydantic import Field

from strata.data.filters import Filters
from strata.fields import Degree, K, Offset, Request, Weight
from strata.recommendation.business_rules import BusinessRules


class TierMix(Request):
    """How many times as many places each tier gets as it has: more of now, or more of what lasts."""

    momentary: Weight = 1.0
    stable: Weight = 1.0
    core: Weight = 1.0


class ListRequest(Request):
    """Options of a list; what is null is as the release is set."""

    k: K = 10
    offset: Offset = 0
    tier_mix: TierMix | None = None
    filters: Filters = Filters()
    exclude_seen: bool | None = Field(
        default=None, description="Whether what the person had may not come back; null: the release's setting."
    )
    diversity: Degree | None = Field(
        default=None, description="0: the best scores; 1: as varied as can be; null: as set."
    )
    calibration: Degree | None = Field(
        default=None, description="0: the best scores; 1: the person's own mix of themes and tiers; null: as set."
    )
    rules: BusinessRules | None = Field(default=None, description="Those that are named replace the release's own.")
    explain: bool = Field(default=True, description="Whether each item comes with its reason.")
    predict: bool = Field(default=False, description="Whether each item comes with the rating to be expected.")

    @property
    def stop(self) -> int:
        """Places of the whole list up to the last that is shown."""
        return self.offset + self.k

    @property
    def tier_weights(self) -> dict[str, float]:
        """The tier weights that the request sets."""
        return {} if self.tier_mix is None else self.tier_mix.model_dump(exclude_unset=True)

    def filled(self, *, exclude_seen: bool, rules: BusinessRules) -> Self:
        """The request with these settings in place of nulls; the list builder knows how lists are re-ranked."""
        return self.model_copy(
            update={
                "exclude_seen": exclude_seen if self.exclude_seen is None else self.exclude_seen,
                "rules": rules.but(self.rules),
            }
        )

    @property
    def effective_rules(self) -> BusinessRules:
        """The rules that apply; none if null."""
        return self.rules or BusinessRules()
