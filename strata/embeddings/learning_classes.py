"""What a class head learns from: items that carry classes, what users wrote about them, and the classes' names."""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from scipy import sparse

from strata.embeddings.class_head import ClassHead, HeadSettings, calibration_of, out_of_fold
from strata.embeddings.class_labels import ClassLabels
from strata.evaluation.classification import best_threshold, calibration_error, macro_f1

Kind = Literal["items", "texts"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Texts of items, and what users write: the one is surer than the other, so each is calibrated by its own."""
ENOUGH: Final = 200
"""Examples of a kind that calibrate it; with fewer, all kinds together do."""


@dataclass(frozen=True)
class Examples:
    """Texts of known classes: `vectors` (n, d) of the language model and `items` (n,), the row of the item of each.

    `kinds` (n,): place in KINDS. All examples of an item stay together when some are left out.
    """

    vectors: np.ndarray
    items: np.ndarray
    kinds: np.ndarray

    @classmethod
    def of(cls, items: np.ndarray, rows: np.ndarray, texts: np.ndarray, of_texts: np.ndarray) -> "Examples":
        """Items (vectors of `rows`) and what users wrote (vectors `texts`) about the items `of_texts` (m,)."""
        vectors = np.concatenate([items[rows], texts]) if len(texts) else items[rows]
        kinds = np.repeat([0, 1], [len(rows), len(of_texts)])
        return cls(vectors, np.concatenate([rows, of_texts]).astype(np.int64), kinds)


def learn(
    examples: Examples, labels: ClassLabels, names: np.ndarray, how: HeadSettings
) -> tuple[ClassHead, dict[str, Any]]:
    """A calibrated head and what it reaches on items that it did not learn from.

    `names` (C, d): vectors of the names of the classes, each an example of its own class.
    """
    wanted = labels.of_item[examples.items]
    vectors = np.concatenate([examples.vectors, names])
    of_names = sparse.identity(len(labels.classes), dtype=bool, format="csr")
    both = sparse.vstack([wanted, of_names], format="csr")
    groups = np.concatenate([examples.items, np.full(len(names), -1)])
    raw = out_of_fold(vectors, both, groups, labels.classes, how)[: len(examples.items)]
    true = wanted.toarray()
    of_kinds = [_of_kind(raw, true, examples.kinds, place) for place in range(len(KINDS))]
    calibration: dict[str, tuple[float, float, float]] = {
        kind: calibration_of(*mine) for kind, mine in zip(KINDS, of_kinds, strict=True)
    }
    head = ClassHead.fit(vectors, both, labels.classes, how).calibrated(calibration)
    facts: dict[str, Any] = {}
    for place, kind in enumerate(KINDS):
        mine = examples.kinds == place
        judged = mine if mine.any() else np.ones(len(mine), bool)
        sure, right = head.calibrate(raw[judged], kind), true[judged]
        head.thresholds[kind] = threshold = best_threshold(sure, right, how.least_confidence)
        told = sure >= threshold
        if mine.any():
            facts[kind] = {
                "n": int(mine.sum()),
                "threshold": threshold,
                "told": int(told.sum()),
                "macro_f1": round(macro_f1(told, right), 4),
                "calibration_error": round(calibration_error(sure[told], right[told]), 4),
            }
    return head, facts


def _of_kind(raw: np.ndarray, true: np.ndarray, kinds: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
    mine = kinds == place
    return (raw[mine], true[mine]) if mine.sum() >= ENOUGH else (raw, true)


def sample(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most `most` of the rows (n,), a fixed sample, in order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
