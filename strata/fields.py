"""Types of request fields: finite, bounded and described once, for the library, the service and its OpenAPI."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def whole(value: Any) -> Any:
    """Accept 10.0 as an integer: JSON has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[str, Field(min_length=1, max_length=256)]
Weight = Annotated[float, Field(ge=0, le=100)]
Price = Annotated[float, Field(ge=0)]
Degree = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000), BeforeValidator(whole)]
Place = Annotated[int, Field(ge=1, le=1_000), BeforeValidator(whole)]
K = Annotated[Place, Field(description="How many at most.")]
Offset = Annotated[
    int, Field(ge=0, le=1_000, description="Places before the first that is shown."), BeforeValidator(whole)
]


class Request(BaseModel):
    """Base of what callers ask for: unknown fields, wrong types and infinite numbers are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def needs(schema: dict[str, Any], how: str, names: tuple[str, ...]) -> None:
    """State in a schema what a validator checks: `how` ("oneOf", "anyOf") many of the fields `names` are given."""
    for name in names:
        schema["properties"][name].pop("default")
    schema[how] = [{"required": [name]} for name in names]
