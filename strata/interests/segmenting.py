"""Words of Chinese and Japanese, which stand without spaces, but for those that name nothing.

Japanese is segmented by Sudachi, whose dictionary says which words are nouns and adjectives. Without that package a
word is a run of one script, which joins compounds and loses words that mix scripts; `lacking` says so.
"""

import importlib.util
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import polars as pl

from strata.data.schema import LANGUAGE

Token = tuple[str, int, int]
"""A word, its start and its end in the text."""

HAN = re.compile(r"[\u3400-\u9fff]")
KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
RUN = re.compile(r"[\u3400-\u9fff々]{2,}|[\u30a1-\u30fa\uff66-\uff9dー]{2,}|[A-Za-zÀ-ÿ]{2,}")
"""Words of Japanese as far as scripts tell: hiragana are mostly endings and particles."""
NAMING = ("名詞", "形状詞", "形容詞")
"""Nouns and both kinds of adjectives; pronouns are a part of speech of their own."""
MORE_STOP_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "没有 沒有 我們 你們 他們 她們 它們 咱們 人們 這個 這些 這樣 這裡 這是 這次 這麼 那個 那樣 那麼 "
        "哪個 什麼 怎麼 怎樣 為什麼 為了 關於 對於 因為 雖然 儘管 還是 還有 就是 已經 已经 時候 一個 一樣 "
        "一種 開始 從而 或許 或许",
    )
)
"""Traditional forms, and what the list of stop words lacks."""
INSTALL: Final = 'python -m pip install -c requirements.lock -e ".[japanese]"'


def has_no_spaces(text: str) -> bool:
    """Whether the text is, in part, Chinese or Japanese."""
    return HAN.search(text) is not None or KANA.search(text) is not None


def segments(text: str, *, japanese: bool = False) -> Iterator[Token]:
    """Words that name something, in their order. `japanese`: what a text without kana is taken for, else Chinese."""
    return _japanese(text) if japanese or KANA.search(text) else _chinese(text)


def is_japanese(items: pl.DataFrame) -> bool:
    """Whether items are more often Japanese than Chinese, by their language."""
    if LANGUAGE not in items.columns:
        return False
    return bool((items[LANGUAGE] == "ja").sum() > (items[LANGUAGE] == "zh").sum())


def lacking(items: pl.DataFrame) -> str | None:
    """What a person should know where items are Japanese and the package that segments them is missing."""
    count = int((items[LANGUAGE] == "ja").sum())
    if not count or installed():
        return None
    return (
        f"{count:,} of {items.height:,} items are Japanese, and sudachipy, which finds the words of Japanese, is not "
        f"installed: key phrases are runs of one script. For words: {INSTALL}"
    )


def installed() -> bool:
    """Whether Japanese is segmented into words."""
    return importlib.util.find_spec("sudachipy") is not None


def _japanese(text: str) -> Iterator[Token]:
    if not installed():
        found = ((match.group(), match.start(), match.end()) for match in RUN.finditer(text))
        yield from (token for token in found if token[0] not in _stop_words("ja"))
        return
    for word in _sudachi()(text):
        part, kind, use, *_ = word.part_of_speech()
        surface = word.surface()
        alone = len(surface) == 1 and not (HAN.match(surface) and kind in ("普通名詞", "固有名詞") and use == "一般")
        if part in NAMING and kind != "数詞" and not alone and surface not in _stop_words("ja"):
            yield surface, word.begin(), word.end()


def _chinese(text: str) -> Iterator[Token]:
    stop = _stop_words("zh")
    for word, start, end in _jieba()(text):
        if len(word) > 1 and word not in stop and word not in MORE_STOP_WORDS:
            yield word, start, end


@cache
def _stop_words(language: str) -> frozenset[str]:
    import stopwordsiso

    return frozenset(stopwordsiso.stopwords(language))


@cache
def _sudachi() -> Callable[[str], Any]:
    from sudachipy import Dictionary, SplitMode  # loads a dictionary: only where Japanese text turns up

    tokenizer = Dictionary(dict="core").tokenizer(mode=SplitMode.C)  # C keeps compounds whole, as names want them
    tokenize: Callable[[str], Any] = tokenizer.tokenize
    return tokenize


@cache
def _jieba() -> Callable[[str], Iterator[Token]]:
    import logging

    import jieba  # loads a dictionary: only where Chinese text turns up

    jieba.setLogLevel(logging.ERROR)
    segment: Callable[[str], Iterator[Token]] = jieba.tokenize
    return segment
