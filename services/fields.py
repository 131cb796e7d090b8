"""What fields of requests are made of: strict, finite, bounded."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def whole(value: Any) -> Any:
    """JSON knows one kind of number: 10.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written(value: Any) -> Any:
    """A number could be of seconds or of milliseconds: a time is written out."""
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("time", "write a time as a string, such as 1998-01-01T00:00:00Z")
    return value


Id = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Weight = Annotated[float, Field(ge=0, le=100)]
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]
Price = Annotated[float, Field(ge=0)]
Degree = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000), BeforeValidator(whole)]
Place = Annotated[int, Field(ge=1, le=1_000), BeforeValidator(whole)]
K = Annotated[Place, Field(description="How many at most.")]


class Strict(BaseModel):
    """Base of all requests."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def needs(schema: dict[str, Any], how: str, names: tuple[str, ...]) -> None:
    """Say in a schema what a validator checks: `how` ("oneOf", "anyOf") many of the fields `names` are given."""
    for name in names:
        schema["properties"][name].pop("default")
    schema[how] = [{"required": [name]} for name in names]
