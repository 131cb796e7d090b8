"""Text of users and items is data: what reads as an order to a model is left out of prompts and of texts."""

import re
import unicodedata
from functools import cache
from importlib.resources import files

import yaml

_MARKUP = re.compile(r"[`*_#>|{}\[\]\\<~^]+")
_READ = 4_000
"""Characters of a text in which signs are looked for; prompts hold fewer."""


def reads_as_order(text: str) -> bool:
    """Whether a text tells a model what to do; spaced letters, odd forms of letters and zero-width signs aside."""
    plain = _plain(text)[:_READ]
    return bool(_signs().search(plain) or _signs().search(_joined(plain)))


def as_data(text: str, longest: int) -> str:
    """A text on one line without markup and control signs, at most `longest` characters; quotes cannot end its own."""
    plain = _MARKUP.sub(" ", _plain(text)).replace('"', "'").replace("“", "'").replace("”", "'")
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


@cache
def _signs() -> re.Pattern[str]:
    listed = yaml.safe_load(files("strata.generation").joinpath("orders.yaml").read_text(encoding="utf-8"))
    return re.compile("|".join(f"(?:{order})" for order in listed), re.IGNORECASE | re.DOTALL)


def _plain(text: str) -> str:
    invisible = re.sub(
        r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]", "", unicodedata.normalize("NFKC", text)
    )
    return "".join(" " if unicodedata.category(sign) == "Cc" and sign != "\n" else sign for sign in invisible)


def _joined(text: str) -> str:
    """The text with letters that stand alone, as in i g n o r e, written as words."""
    return re.sub(r"\b(?:\w[ .\-_]){4,}\w\b", lambda match: re.sub(r"[ .\-_]", "", match.group()), text)
