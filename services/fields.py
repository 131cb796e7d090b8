"""Request fields that only the service uses: users, texts and times."""

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from strata.fields import Id
from strata.online.pseudonyms import Pseudonyms


@cache
def pseudonyms() -> Pseudonyms | None:
    """What makes pseudonyms here, if users are known by them. Raises SettingsError."""
    return Pseudonyms.from_environment()


def known_as(user_id: str) -> str:
    """The id by which everything behind the service knows a user."""
    made = pseudonyms()
    return user_id if made is None else made.of(user_id)


def _written(value: Any) -> Any:
    """Refuse numbers as times: they could be seconds or milliseconds."""
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("time", "write a time as a string, such as 1998-01-01T00:00:00Z")
    return value


def _each_once(values: list[Any]) -> list[Any]:
    """Refuse a list that names something twice."""
    if len(set(values)) != len(values):
        raise PydanticCustomError("each_once", "something is named twice here")
    return values


EachOnce = AfterValidator(_each_once)
UserId = Annotated[Id, AfterValidator(known_as)]
"""A user's id, which from here on is their pseudonym where there is a key for it."""
Text = Annotated[str, Field(min_length=1, max_length=2_000)]
UNIQUE: dict[str, Any] = {"uniqueItems": True}
"""What the schema of a list says whose entries are EachOnce."""
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]
