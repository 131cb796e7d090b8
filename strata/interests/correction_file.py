"""The file of corrections: one line for each, checked when read, on disk when written, removed when forgotten."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from strata.errors import SourceError
from strata.interests.refinding import Meant
from strata.storage import replacing

Action = Literal["pin", "rename", "reject", "block", "undo"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
Word = Annotated[str, Field(min_length=1, max_length=256)]


class Correction(BaseModel):
    """One line of the file: at `time`, `who` said this of a topic in the profile of `user_id`.

    `topic` is the id that a catalogue topic had then, and `meant` what it was: without, the id alone tells which it is.
    `value` is the new name, for "rename" alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    time: AwareDatetime
    who: Word
    user_id: Word
    topic: Word
    action: Action
    value: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    note: str = Field("", max_length=2_000)
    meant: Meant | None = None

    @model_validator(mode="after")
    def _names_are_for_renaming(self) -> Self:
        if (self.value is not None) != (self.action == "rename"):
            raise PydanticCustomError("value", "a value, the new name, goes with the action rename and no other")
        if self.value is not None and (not self.value.strip() or not self.value.isprintable()):
            raise PydanticCustomError("value", "a name is one line of visible characters")
        return self


def append(correction: Correction, path: Path) -> None:
    """Append a line and return once it is on disk. Raises SourceError where the file is damaged."""
    with _alone(path):
        lines = parsed(path)
        mended = b"\n" if lines and not lines[-1][0].endswith(b"\n") else b""
        with path.open("ab") as file:
            file.write(mended + correction.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def forget(user_id: str, path: Path) -> int:
    """Remove a user's lines, leaving all others byte for byte; returns how many. Raises SourceError."""
    with _alone(path):
        lines = parsed(path)
        kept = [line for line, correction in lines if correction.user_id != user_id]
        if len(kept) < len(lines):
            with replacing(path) as temporary:
                temporary.write_bytes(b"".join(kept))
    return len(lines) - len(kept)


def parsed(path: Path) -> list[tuple[bytes, Correction]]:
    """The raw lines of a file, each with its correction; a missing file has none. Raises SourceError."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [(line, _parse(line, path, number)) for number, line in enumerate(lines, 1)]


def _parse(line: bytes, path: Path, number: int) -> Correction:
    try:
        return Correction.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        what = f"{field}: {first['msg']}" if field else first["msg"]
        raise SourceError(
            f"{path}, line {number} is no correction: {what}; mend or remove this line. It says time, who, user_id, "
            f"topic and action, one of {', '.join(ACTIONS)}"
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Lock the folder so that one process changes the file at a time, and sync the folder afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    finally:
        os.close(folder)
