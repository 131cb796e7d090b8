"""Reads rows out of JSON that is not an object a line: an array of them, or one that stands within an object."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from strata.errors import SourceError

_BLOCK, _LINE = 1 << 20, 1 << 24
"""Characters that are read at once, and of the first line at most."""
_SPACE = re.compile(r"[\s,:]*")
_DECODER = json.JSONDecoder()
_SURROGATES = re.compile("[\ud800-\udfff]")


class _Stream:
    """Values of a JSON text one after the other; of the text no more is held than the value that is read."""

    def __init__(self, path: Path, text: TextIO) -> None:
        self.path, self.text = path, text
        self.buffer, self.at = text.read(_BLOCK).lstrip("\ufeff"), 0

    def next(self) -> str:
        """The character that the next value, or the end of an object or array, begins with; empty at the end."""
        self.at = _SPACE.match(self.buffer, self.at).end()  # type: ignore[union-attr]
        while self.at == len(self.buffer) and self._more(_BLOCK):
            self.at = _SPACE.match(self.buffer, self.at).end()  # type: ignore[union-attr]
        return self.buffer[self.at : self.at + 1]

    def step(self) -> None:
        """Past the character that `next` gave."""
        self.at += 1

    def value(self) -> Any:
        """The next value whole. Raises SourceError where there is none."""
        self.next()
        asked = _BLOCK
        while True:
            try:
                found, end = _DECODER.raw_decode(self.buffer, self.at)
            except (json.JSONDecodeError, RecursionError) as error:
                if not self._more(asked):
                    raise SourceError(
                        f"{self.path} is no array of JSON objects ({error}); write one object a line"
                    ) from None
                asked *= 2
                continue
            if end < len(self.buffer) or not self._more(asked):  # a number may go on
                self.at = end
                return found

    def _more(self, characters: int) -> bool:
        more = self.text.read(characters)
        self.buffer, self.at = self.buffer[self.at :] + more, 0
        return bool(more)


def rows(path: Path, text: TextIO, records: str | None) -> Iterator[str]:
    """Each entry of an array as a line of JSON; `records`: where it stands in an object, dots leading into objects.

    Raises SourceError where no array stands there, or the text is no JSON.
    """
    stream = _Stream(path, text)
    for key in records.split(".") if records else []:
        if not _entered(stream, key):
            raise SourceError(f"{path}: no array of rows at '{records}'; correct `records`")
    if stream.next() != "[":
        raise SourceError(f"{path}: no array of rows at '{records}'; correct `records`")
    stream.step()
    while stream.next() != "]":
        line = json.dumps(stream.value(), ensure_ascii=False)
        yield _SURROGATES.sub("\ufffd", line) + "\n"


def _entered(stream: _Stream, key: str) -> bool:
    """Go to the value of `key` in the object that comes next; false where there is none."""
    if stream.next() != "{":
        return False
    stream.step()
    while stream.next() == '"':
        if stream.value() == key:
            return True
        stream.value()
    return False


def alone(text: TextIO) -> bool:
    """Whether a text is one object, rather than several with a line each."""
    line = text.readline(_LINE)
    return not (_is_json(line) and text.read(_BLOCK).strip())


def records_in(path: Path, text: TextIO) -> str | None:
    """Where in the object that a text is an array of objects stands first, with dots; null where none does.

    What follows the array is not read.
    """
    stream = _Stream(path, text)
    try:
        found = _first_array(stream) if stream.next() == "{" else None
    except SourceError:
        return None
    return None if found is None else ".".join(found)


def _is_json(line: str) -> bool:
    try:
        json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return len(line) == _LINE  # cut off: a line of its own, as far as can be told
    return True


def _first_array(stream: _Stream) -> list[str] | None:
    stream.step()
    while stream.next() == '"':
        key = str(stream.value())
        match stream.next():
            case "{":
                if (inner := _first_array(stream)) is not None:
                    return [key, *inner]
            case "[":
                stream.step()
                if stream.next() == "{":
                    return [key]
                while stream.next() not in ("]", ""):
                    stream.value()
                stream.step()
            case _:
                stream.value()
    stream.step()
    return None
