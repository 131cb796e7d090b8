"""The patterns of acts.yaml, compiled once."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("acts.yaml")


@cache
def _read() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


@cache
def pattern(act: str) -> re.Pattern[str]:
    """What says an act, such as `reset`."""
    return re.compile("|".join(f"(?:{each})" for each in _read()[act]), re.IGNORECASE)


@cache
def courtesy() -> re.Pattern[str]:
    """A whole turn of words that ask for nothing."""
    word = "|".join(f"(?:{each})" for each in _read()["courtesies"])
    return re.compile(rf"^\W*(?:{word})(?:[\s,.!~]+(?:{word}))*\W*$", re.IGNORECASE)


@cache
def places() -> list[tuple[int, re.Pattern[str]]]:
    """Places of a list by the words for them; 0 is the last."""
    return [(place, re.compile(f"{english}|{chinese}", re.IGNORECASE)) for place, english, chinese in _read()["places"]]
