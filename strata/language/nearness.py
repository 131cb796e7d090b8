"""How near clauses lie to topics and labels: nearer than everyday sentences, which are of nothing, happen to be."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.language.cues import HAN
from strata.language.words import Words, everyday_texts

CHANCE: Final = 0.03
"""Share of everyday sentences that may lie as near as a clause that is taken to be of the catalogue."""
LABEL, AHEAD = 3.3, 0.6
"""Standard deviations above everyday sentences from which a label is meant, and by which it is ahead of the next."""
AT_ONCE: Final = 65_536


@dataclass(frozen=True)
class Near:
    """Of clauses (n,): `topics` (n, K) and `labels` (n, L) in standard deviations above everyday sentences.

    `confidence` (n,): the share of everyday sentences that lie less near to any topic, counting one more that does not.
    """

    topics: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray

    @property
    def clear(self) -> np.ndarray:
        """Whether each clause is nearer than chance: bool (n,)."""
        return self.confidence >= 1 - CHANCE

    def label(self, clause: int) -> int | None:
        """The label that a clause means without naming it, if one is near and ahead of the others."""
        near = self.labels[clause]
        if not len(near):
            return None
        best = int(near.argmax())
        second = np.partition(near, -2)[-2] if len(near) > 1 else -np.inf
        return best if near[best] >= LABEL and near[best] - second >= AHEAD else None


@dataclass(frozen=True)
class Nearness:
    """`topics` (K, t) and `labels` (L, t): unit vectors of texts; `everyday` (m, t), of which `chinese` (m,) some are.

    Clauses in Chinese are compared with Chinese sentences: a model that reads little Chinese finds all of it alike.
    """

    topics: np.ndarray
    labels: np.ndarray
    everyday: np.ndarray
    chinese: np.ndarray

    @classmethod
    def of(cls, words: Words, space: InterestSpace, topic_of: np.ndarray) -> Self:
        """Of the topic of each item (n_items,), which lies where its items' texts lie on average."""
        chinese = np.array([HAN.search(text) is not None for text in everyday_texts()])
        return cls(_centres(space, topic_of), words.labels, words.everyday, chinese)

    def near(self, vectors: np.ndarray, chinese: np.ndarray) -> Near:
        """How near clauses with these unit vectors (n, t) lie; `chinese` (n,): which of them are."""
        found = [self._near(vectors[chinese == own], self.everyday[self.chinese == own]) for own in (False, True)]
        order = np.argsort(np.concatenate([np.flatnonzero(~chinese), np.flatnonzero(chinese)]))
        topics, labels, confidence = (np.concatenate(parts)[order] for parts in zip(*found, strict=True))
        return Near(topics, labels, confidence)

    def _near(self, vectors: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        topics, background = _standard(vectors, usual, self.topics)
        labels, _ = _standard(vectors, usual, self.labels)
        nearest, everyday = topics.max(1, initial=-np.inf), np.sort(background.max(1, initial=-np.inf))
        nearer = len(everyday) - np.searchsorted(everyday, nearest)
        return topics, labels, 1 - (1 + nearer) / (1 + len(everyday))


def _standard(vectors: np.ndarray, usual: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of vectors (n, t) and of usual ones (m, t) to `of` (k, t), in standard deviations above the usual."""
    background = usual @ of.T
    mean, scale = background.mean(0), np.maximum(background.std(0), 1e-6)
    return (vectors @ of.T - mean) / scale, (background - mean) / scale


def _centres(space: InterestSpace, topic_of: np.ndarray) -> np.ndarray:
    """Unit mean (K, t) of the text vectors of each topic's items, which are recovered from the space.

    A text vector is the mean of all plus a multiple of the text part of the item's vector that makes it 1 long.
    """
    width = len(space.text_mean)
    sums = np.zeros((int(topic_of.max(initial=-1)) + 1, width))
    for start in range(0, len(topic_of), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        text = unit(np.asarray(space.vectors[part, :width], np.float32))
        along = text @ space.text_mean
        multiple = -along + np.sqrt(along**2 + 1 - space.text_mean @ space.text_mean)
        np.add.at(sums, topic_of[part], space.text_mean + multiple[:, None] * text)
    return unit(sums.astype(np.float32))
