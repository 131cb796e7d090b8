"""What opinions mean in a catalogue: their topic, how surely, where they lie, which items a refusal keeps out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from strata.embeddings.index import ItemIndex
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests.themes import Themes
from strata.language.cues import HAN
from strata.language.nearness import Near, Nearness
from strata.language.opinions import Opinion
from strata.language.vocabulary import Named, content_words
from strata.language.words import Words

CARRIED: Final = 4.0
"""What it adds to a topic's nearness, in standard deviations, if all of its items carry what a clause names."""
BROAD: Final = 0.2
"""Share of the catalogue from which a label is too broad to be refused as a whole by a clause that says more."""
NEAR_SHARE, NEAR_MOST = 0.02, 200
"""Items nearest to what is refused that are kept out beside those that carry it: share of the catalogue, at most."""


@dataclass(frozen=True)
class Meaning:
    """An opinion with the topic number that it is of, and the unit `vector` (d,) of its point.

    `clear`: whether it is of this catalogue at all. `confidence`: the share of everyday sentences that are less so.
    `carriers`: item rows that carry what it names; `whole`: whether it names all of them.
    """

    opinion: Opinion
    topic: int
    vector: np.ndarray
    clear: bool
    confidence: float
    carriers: np.ndarray
    whole: bool

    @property
    def wanted(self) -> bool:
        """Whether it makes a point: it speaks for something, or mentions it as a wish or a bio does."""
        return self.clear and self.opinion.may_want

    @property
    def refused(self) -> bool:
        """Whether it makes a dislike."""
        return self.clear and self.opinion.polarity == "against"


@dataclass(frozen=True)
class Reader:
    """Reads opinions by what a release carries. `topic_of` (n_items,): topic of each item; `texts`: items by texts."""

    words: Words
    nearness: Nearness
    space: InterestSpace
    topic_of: np.ndarray
    texts: ItemIndex

    @classmethod
    def of(cls, words: Words, space: InterestSpace, themes: Themes, texts: ItemIndex) -> Self:
        """By the topics of `themes` and an index of the items by their texts."""
        topic_of = themes.of_item[:, 0]
        return cls(words, Nearness.of(words, space, topic_of), space, topic_of, texts)

    def to_read(self, opinions: Sequence[Opinion]) -> list[str]:
        """What the language model should read of each opinion."""
        return [self.words.to_read(each.about) for each in opinions]

    def meanings(self, opinions: Sequence[Opinion], vectors: np.ndarray) -> list[Meaning]:
        """The meaning of each opinion, by the unit vectors (n, t) of what was read of it.

        A mention of what another clause refuses is part of the refusal: "Batman again. No more Batman".
        """
        if not opinions:
            return []
        chinese = np.array([HAN.search(text) is not None for text in self.to_read(opinions)])
        near = self.nearness.near(vectors, chinese)
        points = self.space.of_texts(vectors)
        refused = [content_words(each.about) for each in opinions if each.polarity == "against"]
        read = [_with_refusals(opinion, refused) for opinion in opinions]
        return [self._meaning(opinion, near, row, points[row]) for row, opinion in enumerate(read)]

    def kept_out(self, meanings: Sequence[Meaning], vectors: np.ndarray) -> np.ndarray:
        """Item rows (m,) that refusals keep out, ascending; `vectors` (n, t) as of `meanings`.

        What carries the refused words, and what lies nearest to them by its text unless it carries what is wanted.
        """
        wanted = [each.carriers for each in meanings if each.wanted]
        spared = np.unique(np.concatenate([np.zeros(0, np.int64), *wanted]))
        out = [np.zeros(0, np.int64)]
        for meaning, vector in zip(meanings, vectors, strict=True):
            if meaning.opinion.polarity != "against":
                continue
            n = len(self.topic_of)
            carried = meaning.carriers
            if not meaning.whole and len(carried) > BROAD * n:
                carried = np.intersect1d(carried, self._nearest(vector, len(carried) // 4))
            out.append(carried)
            if meaning.clear:
                out.append(np.setdiff1d(self._nearest(vector, min(NEAR_MOST, round(NEAR_SHARE * n))), spared))
        return np.unique(np.concatenate(out))

    def _meaning(self, opinion: Opinion, near: Near, row: int, point: np.ndarray) -> Meaning:
        named = self.words.named(opinion.about)
        sign = self.words.is_sign(opinion.about, named)
        carriers, whole = self._carriers(named, near, row, opinion)
        if opinion.polarity != "against" and not sign and near.label(row) is None:
            carriers = carriers[:0]  # a word that stands in titles by chance: enough to refuse them, not to want them
        topics = near.topics[row]
        if len(carriers):
            n_topics = len(topics)
            sizes = np.maximum(np.bincount(self.topic_of, minlength=n_topics), 1)
            topics = topics + CARRIED * np.bincount(self.topic_of[carriers], minlength=n_topics) / sizes
            point = unit((point + unit(self.space.vectors[carriers].mean(0)[None])[0])[None])[0]
        surely = 1 - 1 / (1 + len(self.nearness.everyday))
        confidence = max(float(near.confidence[row]), surely if sign else 0.0)
        return Meaning(
            opinion, int(topics.argmax()), point, bool(near.clear[row]) or sign, round(confidence, 3), carriers, whole
        )

    def _carriers(self, named: Named, near: Near, row: int, opinion: Opinion) -> tuple[np.ndarray, bool]:
        """Items that carry what a clause names or, where it names nothing or one word of a title, means."""
        if named.labels or (len(named.items) and len(content_words(self.words.to_read(opinion.about))) > 1):
            return named.items, named.whole
        label = near.label(row)
        if label is None:
            return named.items, named.whole
        return np.union1d(named.items, self.words.vocabulary.carriers([label])), True

    def _nearest(self, vector: np.ndarray, k: int) -> np.ndarray:
        """The rows of the k items whose texts are nearest to a text's vector (t,)."""
        if k < 1:
            return np.zeros(0, np.int64)
        rows, _ = self.texts.search(np.asarray(vector, np.float32)[None], k)
        return rows[0][rows[0] >= 0]


def _with_refusals(opinion: Opinion, refused: Sequence[frozenset[str]]) -> Opinion:
    words = content_words(opinion.about)
    if opinion.polarity != "against" and any(each and each <= words for each in refused):
        return Opinion(opinion.text, "neutral", opinion.about, said=True)
    return opinion
