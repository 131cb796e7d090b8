"""Chinese words put into the English of a catalogue, by a short list of what platforms are about."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import yaml

GLOSSARY: Final = Path(__file__).with_name("glossary.yaml")


def in_english(text: str) -> str:
    """The English words for the Chinese words of a text that the list knows, with its other Latin words; "" for none.

    A model that reads no Chinese then still meets 恐怖片 as horror.
    """
    known = _words()
    found = _pattern().findall(text)
    if not any(word in known for word in found):
        return ""
    return " ".join(dict.fromkeys(known.get(word, word) for word in found))


@cache
def _words() -> dict[str, str]:
    content = yaml.safe_load(GLOSSARY.read_text(encoding="utf-8"))
    return {str(word): str(english) for word, english in content.items()}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_words(), key=lambda word: (-len(word), word))
    return re.compile("|".join([*map(re.escape, longest_first), r"[A-Za-z][A-Za-z'-]+"]))
