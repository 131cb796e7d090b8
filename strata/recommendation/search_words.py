"""The words by which a text is searched, in any language: folded, without plural, Chinese both by word and by sign."""

import re
import unicodedata
from typing import Final

from strata.interests.segmenting import HAN, KANA, has_no_spaces, segments

WORD: Final = re.compile(r"\w+(?:['’]\w+)*")
UNSPACED: Final = re.compile(rf"{HAN.pattern}|{KANA.pattern}")
"""Signs of Chinese and Japanese."""
POSSESSIVE: Final = re.compile(r"['’]s?$")
LONGEST_READ: Final = 2_000
"""Characters of a text that are read; the beginning says what it is about."""


def search_words(text: str, *, japanese: bool = False) -> list[str]:
    """The words of a text in their order; of Chinese the words that name something, then every sign.

    `japanese`: what a text without kana is taken for, else Chinese.
    """
    text = unicodedata.normalize("NFKC", text)[:LONGEST_READ].casefold()
    if not has_no_spaces(text):
        return [_folded(word) for word in WORD.findall(text)]
    latin = [_folded(word) for word in WORD.findall(text) if word.isascii()]
    named = [word for word, _, _ in segments(text, japanese=japanese) if not word.isascii() and len(word) > 1]
    return [*latin, *named, *HAN.findall(text)]


def _folded(word: str) -> str:
    """Without accents, possessive and plural."""
    word = POSSESSIVE.sub("", word)
    if not word.isascii():
        parts = unicodedata.normalize("NFD", word)
        word = unicodedata.normalize("NFC", "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f"))
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
