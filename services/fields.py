"""Request fields that only the service uses: texts and times."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError


def _written(value: Any) -> Any:
    """Refuse numbers as times: they could be seconds or milliseconds."""
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("time", "write a time as a string, such as 1998-01-01T00:00:00Z")
    return value


Text = Annotated[str, Field(min_length=1, max_length=2_000)]
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]
