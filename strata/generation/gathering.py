"""Evidence from a release's tables: what a name, a summary, a reason or a blurb may rest on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import CATEGORIES, LANGUAGE, PROFILE_TEXT, TAGS, TIERS
from strata.generation.evidence import Evidence, Language, Subject
from strata.generation.vocabulary import WORD, common
from strata.interests.naming import JOINED, parts_of
from strata.interests.tier_words import worded

OF_A_TIER = 2
"""Interests of each tier that a summary speaks of, the strongest."""
MEMBERS = 4
"""Titles from which a topic is named."""


def language_of(items: pl.DataFrame, wanted: str = "auto") -> Language:
    """The language of texts: that of the settings or, with auto, Chinese where most items are, English elsewhere."""
    if wanted in ("en", "zh"):
        return "zh" if wanted == "zh" else "en"
    known = items[LANGUAGE].drop_nulls() if LANGUAGE in items.columns else pl.Series([], dtype=pl.String)
    return "zh" if len(known) and (known == "zh").sum() * 2 > len(known) else "en"


def name_evidence(topic: Mapping[str, Any], catalogue: Catalogue, language: Language) -> Evidence:
    """What a topic's name may say, from its row of the themes table."""
    titles = [catalogue.titles[row] for row in topic["typical"][:MEMBERS]]
    return Evidence("name", language, (_subject(topic["name"], titles),))


def summary_evidence(
    points: Iterable[Mapping[str, Any]],
    catalogue: Catalogue,
    language: Language,
    stated: Mapping[str, str],
    *,
    timed: bool = True,
) -> Evidence:
    """What a summary may say: of each tier the first points of a profile, and what the person wrote of themselves.

    `timed`: whether the data have times; without, no interest is called momentary.
    """
    of_tier: dict[str, list[Subject]] = {tier: [] for tier in reversed(TIERS)}
    for point in points:
        if len(of_tier[point["tier"]]) < OF_A_TIER:
            of_tier[point["tier"]].append(point_subject(point, catalogue, timed=timed))
    quotes = (stated[PROFILE_TEXT],) if stated.get(PROFILE_TEXT) else ()
    return Evidence("summary", language, tuple(each for tier in of_tier.values() for each in tier), quotes=quotes)


def item_evidence(
    task: str, title: str, point: Mapping[str, Any] | None, catalogue: Catalogue, language: Language
) -> Evidence:
    """What a reason or a blurb of an item may say: the point of a profile that it fits."""
    subjects = () if point is None else (point_subject(point, catalogue),)
    return Evidence("blurb" if task == "blurb" else "reason", language, subjects, item=title)


def point_subject(point: Mapping[str, Any], catalogue: Catalogue, *, timed: bool = True) -> Subject:
    """A point of a profile as evidence: the phrases of its name, its tier, and what it was read from."""
    titles = [catalogue.title_of(item) for item in point["evidence"] or []]
    return _subject(point["name"], titles, worded(point["tier"], timed=timed))


def topical_words(items: pl.DataFrame, language: Language) -> frozenset[str]:
    """Words of the catalogue's categories and tags, which say what something is about, but for common ones."""
    lists = (items[column].explode(empty_as_null=True).drop_nulls().unique() for column in (CATEGORIES, TAGS))
    texts = (text for column in lists for text in column.to_list())
    words = {word.casefold() for text in texts for word in WORD.findall(text)}
    return frozenset(words - common(language) - common("en"))


def _subject(name: str, titles: Sequence[str], tier: str = "") -> Subject:
    base, example = parts_of(name)
    examples = [example] if example and example not in titles else []
    phrases = [part for part in base.split(JOINED) if part]
    return Subject(tuple(phrases), tuple([*titles, *examples]), tier)
