"""Which packaged language model reads a catalogue, by the languages that its items are written in."""

from typing import Final

import polars as pl

from strata.errors import SettingsError

ENGLISH: Final = "all-minilm-l6-v2"
"""Reads English alone."""
MULTILINGUAL: Final = "multilingual-e5-small"
READ: Final = frozenset({
    "af", "am", "ar", "as", "az", "be", "bg", "bn", "br", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es",
    "et", "eu", "fa", "fi", "fr", "fy", "ga", "gd", "gl", "gu", "ha", "he", "hi", "hr", "hu", "hy", "id", "is", "it",
    "ja", "jv", "ka", "kk", "km", "kn", "ko", "ku", "ky", "la", "lo", "lt", "lv", "mg", "mk", "ml", "mn", "mr", "ms",
    "my", "ne", "nl", "no", "om", "or", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk", "sl", "so", "sq",
    "sr", "su", "sv", "sw", "ta", "te", "th", "tl", "tr", "ug", "uk", "ur", "uz", "vi", "xh", "yi", "zh",
})  # fmt: skip
"""What the multilingual model was trained on (XLM-R's languages: arXiv 1911.02116, appendix A), as ISO 639 codes."""
MANY: Final = 0.2
"""Share of items in other languages from which a model of English alone misreads too much."""


def encoder_for(language: str) -> str:
    """The packaged model for a catalogue in `language`, such as "zh" or "zh-CN".

    Raises SettingsError for a language that none of them reads.
    """
    code = language.lower().replace("_", "-").split("-")[0]
    if code not in READ:
        raise SettingsError(
            f"no packaged model is known to read '{language}' (zh, en and such are names); give encoder.base a folder "
            "or a name on the Hugging Face hub"
        )
    return ENGLISH if code == "en" else MULTILINGUAL


def misread(languages: pl.Series, base: str) -> str | None:
    """One line that says what `base` misreads of items in these languages (null: unknown), and the remedy, or None."""
    known = languages.drop_nulls()
    others = known.filter(known != "en")
    if base != ENGLISH or not len(known) or len(others) / len(known) < MANY:
        return None
    counts = others.value_counts(sort=True).head(3)
    named = ", ".join(f"{count / len(known):.0%} {code}" for code, count in counts.iter_rows())
    return (
        f"{len(others):,} of {len(known):,} items are not in English ({named}), which encoder.base {base} does not "
        f"read; {MULTILINGUAL} does"
    )
