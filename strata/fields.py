"""Types of request fields: finite, bounded and described once, for the library, the service and its OpenAPI."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_json


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


NULL: JsonSchemaValue = {"type": "null"}
ABOUT = ("title", "description", "default")
"""What a schema says of a field rather than of its values."""


class Request(BaseModel):
    """Base of what callers ask for: unknown fields, wrong types and infinite numbers are refused; null is absent."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if isinstance(given, dict) and None in given.values():
            return {name: value for name, value in given.items() if value is not None}
        return given

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say of each field that need not be given that it may be null."""
        made = handler(core_schema)
        schema = handler.resolve_ref_schema(made)
        for name, field in schema.get("properties", {}).items():
            if name not in schema.get("required", ()):
                schema["properties"][name] = _nullable(field)
        return made


def _nullable(field: JsonSchemaValue) -> JsonSchemaValue:
    """The field's schema with null, which stands for its default; words say that one.

    Generators of clients take a field with the keyword `default` for one that is always there.
    """
    variants = field.get("anyOf", [])
    about = {key: value for key, value in field.items() if key in ABOUT}
    what = {key: value for key, value in field.items() if key not in ABOUT}
    default = about.pop("default", None)
    if isinstance(default, bool | int | float | str) and default != "":
        about["description"] = f"{about.get('description', '')} Default: {to_json(default).decode()}.".strip()
    others = [each for each in variants if each != NULL]
    return {"anyOf": [*(others if [*what] == ["anyOf"] else [what]), NULL], **about}


def given(*names: str) -> JsonSchemaValue:
    """That fields are given, neither absent nor null, as JSON Schema says it."""
    return {"required": [*names], "properties": {name: {"not": NULL} for name in names}}


def absent(*names: str) -> JsonSchemaValue:
    """That fields are absent or null."""
    return {"properties": dict.fromkeys(names, NULL)}


def one_of(*alternatives: tuple[str, JsonSchemaValue]) -> JsonSchemaValue:
    """That one of several fields is given, the first that is, and what then holds besides.

    Said by `if`, `then` and `else`: generators of clients take a `oneOf` beside properties for a choice of types.
    """
    (name, holds), *others = alternatives
    if not others:
        return {**given(name), "properties": {**given(name)["properties"], **holds.get("properties", {})}}
    return {"if": given(name), "then": holds, "else": one_of(*others)}
