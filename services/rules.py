"""Business rules as a caller may send them: boosts, caps and items that must be there."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.fields import Count, Id, Place, Strict, Weight, needs
from strata.recommendation import business_rules

CONDITIONS = ("newer_than_days", "chosen_by_at_most")


def _some_condition(schema: dict[str, Any]) -> None:
    needs(schema, "anyOf", CONDITIONS)


class Boost(Strict):
    """Items that meet every condition given: their score, from 0 to 1 here, becomes score · `times` + `plus`."""

    model_config = ConfigDict(json_schema_extra=_some_condition)

    newer_than_days: Annotated[float, Field(gt=0, le=100_000)] = Field(None, description="Created since then.")
    chosen_by_at_most: Count = Field(None, description="Users, at most, who have chosen it.")
    times: Weight = 1.0
    plus: Annotated[float, Field(ge=-100, le=100)] = 0.0

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.model_fields_set & {*CONDITIONS}:
            raise PydanticCustomError("boost", "a boost needs newer_than_days or chosen_by_at_most")
        return self


class Caps(Strict):
    """Items of one brand, category or theme that a list may hold; null: any number."""

    brand: Place | None = None
    category: Place | None = None
    theme: Place | None = None


class Places(Strict):
    """Where an item is shown."""

    best: Place = Field(1, description="The first place it may have.")
    worst: Place | None = Field(None, description="The last one, not before `best`; null: the end of the list.")


class Boosts(Strict):
    """The rules that move items and drop none."""

    boosts: list[Boost] = Field([], max_length=16, description="Applied one after the other.")

    def rules(self) -> business_rules.BusinessRules:
        """As the library takes them: only those that are named."""
        return business_rules.BusinessRules.model_validate(self.model_dump(exclude_unset=True, exclude_none=True))


class Rules(Boosts):
    """What the list must obey, after filters."""

    caps: Caps = Caps()
    must_include: dict[Id, Places] = Field(
        {}, max_length=100, description="Item ids; they are shown where filters admit them, whatever their score."
    )

    def rules(self) -> business_rules.BusinessRules:
        """As the library takes them: only those that are named."""
        given = self.model_dump(exclude_unset=True, exclude_none=True)
        for places in given.get("must_include", {}).values():
            if "worst" in places:
                places["worst"] = max(places["worst"], places.get("best", 1))
        return business_rules.BusinessRules.model_validate(given)
