"""Settings of searches: section `search` of params.yaml."""

from collections.abc import Mapping

from pydantic import Field, NonNegativeFloat, PositiveInt

from strata.data.schema import BRAND, CATEGORIES, DESCRIPTION, TAGS, TITLE
from strata.settings import Settings


class WordSettings(Settings):
    """What a word in each field counts, and BM25's two parameters (Robertson and Zaragoza 2009)."""

    fields: Mapping[str, NonNegativeFloat] = Field(
        default={TITLE: 1.0, CATEGORIES: 1.0, TAGS: 1.0, BRAND: 1.0, DESCRIPTION: 0.5}
    )
    """Times that a word counts in this field."""
    saturation: float = Field(default=1.2, ge=0)
    """BM25's k₁: how soon further occurrences add little."""
    length: float = Field(default=0.75, ge=0, le=1)
    """BM25's b: how much a long field counts less."""


class SearchSettings(Settings):
    """How words, texts and behaviour are weighed: they are added up."""

    text: NonNegativeFloat = 1.0
    """Of the cosine between both texts."""
    words: NonNegativeFloat = 0.75
    """Of the share of the words, by rarity, that stand in an item."""
    whole: float = Field(default=3.0, ge=1)
    """Power of that share: above 1, an item with all the words counts more than two with half of them."""
    title: NonNegativeFloat = 0.25
    """Of how far the text names the title, from `named` on."""
    named: float = Field(default=0.7, ge=0, le=1)
    """How far a title must be what the text says to be named by it; 1: all its words and no others."""
    space: NonNegativeFloat = 0.5
    """Of the cosine in the interest space to the first hits."""
    first: PositiveInt = 5
    """Hits by text and words, at most, whose neighbours count."""
    years: NonNegativeFloat = 0.5
    """Added where an item is of the years asked for."""
    candidates: PositiveInt = 200
    """Items that text, words and the interest space propose, each."""
    index: WordSettings = WordSettings()
    """What a word counts; a change of these makes stage `words` run again."""
