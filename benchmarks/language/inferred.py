"""Categories and tags filled in where a third of the items hide theirs, on the grocer's products and on the site."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.language.judged_classes import Told, macro_row
from strata.data.inferred import ClassField
from strata.embeddings.class_head import HeadSettings
from strata.embeddings.class_labels import ClassLabels, texts_without_classes
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.learning_classes import Examples, learn
from strata.evaluation.classification import best_threshold, calibration_error
from strata.evaluation.metrics import Interval
from strata.settings import read_settings

HEAD, CENTROID = "the class head", "nearest centroid, TF-IDF"
FOLDS = 3
"""Parts, each judged by centroids of the others, that choose from which cosine a class is told."""
MOST = 20_000
"""Items of a catalogue, at most, a fixed sample."""


@dataclass(frozen=True)
class Hidden:
    """Items (n) of a catalogue of which a third hides the classes: `texts` without them, `labels`, and who hides."""

    items: pl.DataFrame
    texts: list[str]
    labels: ClassLabels
    hides: np.ndarray

    @classmethod
    def of(cls, items: pl.DataFrame, field: ClassField, least: int) -> "Hidden":
        """Of the items that carry anything; classes are those of enough items that do not hide theirs."""
        carrying = items.filter(pl.col(field).list.len() > 0)
        rng = np.random.default_rng(SEED)
        kept = carrying[np.sort(rng.permutation(len(carrying))[:MOST])]
        hides = np.zeros(len(kept), bool)
        hides[rng.permutation(len(kept))[: len(kept) // 3]] = True
        return cls(kept, texts_without_classes(kept), ClassLabels.of(kept[field], least, ~hides), hides)

    @property
    def split(self) -> str:
        """A short hash of what is hidden."""
        digest = hashlib.sha256("\n".join(self.items["item_id"].to_list()).encode())
        digest.update(self.hides.tobytes())
        return digest.hexdigest()[:12]


def rows(folders: Sequence[tuple[Path, str, ClassField, str]]) -> tuple[list[Row], str]:
    """Rows inferred-f1 and inferred-ece of workspaces: folder, ending of the ids, field and what people call it."""
    found, splits = [], []
    for folder, ending, field, name in folders:
        params = folder / "params.yaml"
        how = read_settings(HeadSettings, "heads", params)
        hidden = Hidden.of(pl.read_parquet(folder / "artifacts" / "tables" / "items.parquet"), field, how.least_items)
        encoder = Encoder.load(folder / "artifacts" / "encoder", read_settings(EncoderSettings, "encoder", params))
        found += _rows(hidden, encoder, how, ending, name)
        splits.append(hidden.split[:6])
    return found, "-".join(splits)


def _rows(hidden: Hidden, encoder: Encoder, how: HeadSettings, ending: str, name: str) -> list[Row]:
    labels, shown = hidden.labels, np.flatnonzero(~hidden.hides)
    vectors = encoder.encode(hidden.texts)
    examples = Examples.of(vectors, shown, vectors[:0], shown[:0])
    head, _ = learn(examples, labels, encoder.encode(labels.classes), how)
    sure = head.confidences(vectors[hidden.hides])
    true = labels.of_item[np.flatnonzero(hidden.hides)].toarray()
    told = {HEAD: Told(sure, head.thresholds["items"]), CENTROID: centroids(hidden)}
    what = (
        f"{name}: classes of the {len(true):,} items that hide theirs, a third of all, {len(labels.classes)} classes "
        f"of at least {how.least_items} others; mean F1 over the classes."
    )
    listed = told[HEAD].classes
    error = calibration_interval(sure, listed, true)
    return [
        *macro_row(f"inferred-f1{ending}", what, told, true, seeds=(SEED,)),
        Row.of(
            f"inferred-ece{ending}",
            f"{name}: expected calibration error, ten bins, of the {listed.sum():,} classes that the head fills in.",
            error, "share", len(true), seeds=(SEED,),
        ),
    ]  # fmt: skip


def centroids(hidden: Hidden) -> Told:
    """Cosine of each hiding item's words to the mean of each class; the threshold is the best for those that show."""
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    texts, shown = np.array(hidden.texts, object), ~hidden.hides
    known, labels = words.fit_transform(texts[shown]), hidden.labels.of_item.astype(np.float64)
    mine = labels[np.flatnonzero(shown)]
    fold = np.random.default_rng(SEED).integers(FOLDS, size=known.shape[0])
    apart = np.zeros(mine.shape)
    for left_out in range(FOLDS):
        apart[fold == left_out] = _cosines(known[fold != left_out], mine[fold != left_out], known[fold == left_out])
    threshold = best_threshold(apart, mine.toarray() > 0)
    return Told(_cosines(known, mine, words.transform(texts[~shown])), threshold)


def _cosines(known: sparse.csr_matrix, labels: sparse.csr_matrix, asked: sparse.csr_matrix) -> np.ndarray:
    return np.asarray((asked @ normalize(labels.T @ known).T).toarray())


def calibration_interval(sure: np.ndarray, listed: np.ndarray, true: np.ndarray) -> Interval:
    """The calibration error of what is listed (n, C), with its interval over cases."""
    case, place = listed.nonzero()
    confidences, right = sure[case, place], true[case, place]
    starts = np.searchsorted(case, np.arange(len(sure) + 1))
    rng, found = np.random.default_rng(SEED), []
    for _ in range(SAMPLES // 4):
        weights = np.repeat(np.bincount(rng.integers(len(sure), size=len(sure)), minlength=len(sure)), np.diff(starts))
        drawn = np.repeat(np.arange(len(case)), weights)
        found.append(calibration_error(confidences[drawn], right[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(calibration_error(confidences, right), float(low), float(high))
