"""Classes of what users of the site write, by their words alone, told before anybody tagged what they write about.

Time after the cut-off of the language model is cut into windows of equally many texts. Everything learns from what came
before a window; the first window chooses thresholds, pooling and penalties, the others are judged together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.language.inferred import calibration_interval
from benchmarks.language.judged_classes import Told, macro_row, precision_rows
from strata.data.history import as_date
from strata.data.schema import CREATED, ITEM_ROW, TAGS, TEXT, TIMESTAMP, USER_ROW
from strata.embeddings.class_head import HeadSettings
from strata.embeddings.class_labels import ClassLabels, texts_without_classes
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.learning_classes import Examples, learn
from strata.evaluation.classification import best_threshold, macro_f1
from strata.evaluation.metrics import Interval, bootstrap
from strata.evaluation.ratings import auc
from strata.evaluation.split import CutOffs
from strata.settings import read_settings

WINDOWS: Final = 6
HEAD, LOGISTIC, STATIC, NEAREST = (
    "the class head",
    "TF-IDF + logistic regression",
    "static vectors",
    "zero-shot nearest",
)
PENALTIES: Final = (1.0, 10.0)
"""C of the logistic regressions, tried on the first window."""


@dataclass(frozen=True)
class Written:
    """What users wrote about items, m texts in time order, and n_items with their vectors and tags.

    `vectors`, `static`, `zero_shot`: of the texts; `of_items`, `static_items`: of the items' texts without tags.
    """

    texts: np.ndarray
    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    created: np.ndarray
    item_texts: np.ndarray
    tags: pl.Series
    vectors: np.ndarray
    static: np.ndarray
    zero_shot: np.ndarray
    of_items: np.ndarray
    static_items: np.ndarray
    name: Callable[[tuple[str, ...]], np.ndarray]
    zero_shot_name: Callable[[tuple[str, ...]], np.ndarray]
    tuned_until: float

    @classmethod
    def read(cls, folder: Path) -> "Written":
        """Read a workspace whose stage `finetune` has run, and encode its texts."""
        artifacts = folder / "artifacts"
        items = pl.read_parquet(artifacts / "tables" / "items.parquet")
        rows = pl.read_parquet(artifacts / "history" / "interactions.parquet")
        rows = rows.filter(pl.col(TEXT).str.strip_chars() != "").sort(TIMESTAMP, USER_ROW, ITEM_ROW)
        settings = read_settings(EncoderSettings, "encoder", folder / "params.yaml")
        tuned, base = Encoder.load(artifacts / "encoder", settings), Encoder.load(settings.base, settings)
        texts, item_texts = rows[TEXT].to_list(), texts_without_classes(items)
        return cls(
            np.array(texts, object), rows[USER_ROW].to_numpy(), rows[ITEM_ROW].to_numpy(),
            rows[TIMESTAMP].dt.epoch("us").to_numpy() / 1e6, items[CREATED].dt.epoch("us").to_numpy() / 1e6,
            np.array(item_texts, object), items[TAGS], tuned.encode(texts), static_vectors(base, texts),
            base.encode(texts), tuned.encode(item_texts), static_vectors(base, item_texts), tuned.encode, base.encode,
            CutOffs.read(artifacts / "history" / "cut_offs.json").finetune,
        )  # fmt: skip

    def bounds(self) -> np.ndarray:
        """Starts of the windows, and the end of the last: (WINDOWS + 1,)."""
        later = self.times[self.times >= self.tuned_until]
        return np.append(np.quantile(later, np.linspace(0, 1, WINDOWS + 1))[:-1], later[-1] + 1)


def static_vectors(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """Mean of the vectors that the language model has for the words before it reads them together: (n, d)."""
    table = encoder.model[0].auto_model.get_input_embeddings().weight.detach().cpu().numpy()
    lines = encoder.model.tokenizer(texts, add_special_tokens=False, truncation=False)["input_ids"]
    return np.stack([table[line].mean(0) if line else np.zeros(table.shape[1]) for line in lines]).astype(np.float32)


@dataclass(frozen=True)
class Asked:
    """The users of a window, who each stand for their texts of it, and what methods say: (B, C) each."""

    true: np.ndarray
    classes: tuple[str, ...]
    said: Mapping[str, np.ndarray]


def asked(written: Written, start: float, stop: float, how: HeadSettings) -> Asked:
    """Every method with every way to tune it, learned from what came before `start`, on the texts up to `stop`."""
    known = written.created < start
    labels = ClassLabels.of(written.tags, how.least_items, known)
    rows, before = np.flatnonzero(known & labels.given), np.flatnonzero(written.times < start)
    now = np.flatnonzero((written.times >= start) & (written.times < stop))
    of_item = labels.of_item.toarray()
    users, of_user = np.unique(written.users[now], return_inverse=True)
    true = np.zeros((len(users), len(labels.classes)), bool)
    np.logical_or.at(true, of_user, of_item[written.items[now]])
    examples = Examples.of(written.of_items, rows, written.vectors[before], written.items[before])
    wanted = of_item[examples.items]
    head, _ = learn(examples, labels, written.name(labels.classes), how)
    said = {HEAD: surest(head.confidences(written.vectors[now], "texts"), of_user)}
    said[NEAREST] = surest(written.zero_shot[now] @ written.zero_shot_name(labels.classes).T, of_user)
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2)
    known_words = words.fit_transform(np.concatenate([written.item_texts[rows], written.texts[before]]))
    joined = [" ".join(written.texts[now][of_user == user]) for user in range(len(users))]
    static = np.concatenate([written.static_items[rows], written.static[before]])
    scale, centre = static.std(0).mean(), static.mean(0)
    means = np.stack([written.static[now][of_user == user].mean(0) for user in range(len(users))])
    for name, inputs, each, together in (
        (LOGISTIC, known_words, words.transform(written.texts[now]), words.transform(joined)),
        (STATIC, (static - centre) / scale, (written.static[now] - centre) / scale, (means - centre) / scale),
    ):  # fmt: skip
        for penalty in PENALTIES:
            model = logistic(inputs, wanted, penalty if name == LOGISTIC else penalty / 100)
            said[f"{name}|{penalty}|surest"] = surest(model(each), of_user)
            said[f"{name}|{penalty}|together"] = model(together)
    return Asked(true, labels.classes, said)


def surest(scores: np.ndarray, of_user: np.ndarray) -> np.ndarray:
    """Of each user the highest score that a text of theirs has, by class: (B, C)."""
    found = np.full((of_user.max() + 1, scores.shape[1]), -np.inf)
    np.maximum.at(found, of_user, scores)
    return found


def logistic(
    inputs: np.ndarray | sparse.csr_matrix, wanted: np.ndarray, penalty: float
) -> Callable[[np.ndarray | sparse.csr_matrix], np.ndarray]:
    """One regression for each class that has an example; the others are never told."""
    there = np.flatnonzero(wanted.any(0))
    model = OneVsRestClassifier(LogisticRegression(C=penalty, solver="liblinear")).fit(inputs, wanted[:, there])

    def scores(rows: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        found = np.zeros((rows.shape[0], wanted.shape[1]))
        found[:, there] = model.predict_proba(rows)
        return found

    return scores


def rows(folder: Path) -> tuple[list[Row], str]:
    """Rows text-classes-f1 and text-classes-p3 with each method's, text-classes-auc and text-classes-ece."""
    written, how = Written.read(folder), read_settings(HeadSettings, "heads", folder / "params.yaml")
    bounds = written.bounds()
    first, *later = [asked(written, start, stop, how) for start, stop in zip(bounds[:-1], bounds[1:], strict=True)]
    methods: dict[str, tuple[str, float]] = {}
    for name in (HEAD, LOGISTIC, STATIC, NEAREST):
        ways = [way for way in first.said if way.split("|")[0] == name]
        at = {way: best_threshold(first.said[way], first.true) for way in ways}
        best = max(ways, key=lambda way: macro_f1(first.said[way] >= at[way], first.true))
        methods[name] = best, at[best]
    classes = sorted(set().union(*(each.classes for each in later)))
    true = np.vstack([_spread(each.true, each, classes, 0) for each in later]) > 0
    some = true.any(1)
    told = {
        name: Told(np.vstack([_spread(each.said[way], each, classes, -np.inf) for each in later])[some], at)
        for name, (way, at) in methods.items()
    }
    true = true[some]
    what = (
        f"Beer, Wine & Spirits of Stack Exchange: tags of what users wrote about, told from their texts alone; "
        f"{len(true)} users and windows, in {len(later)} windows from {as_date(bounds[1])} to {as_date(bounds[-1])}, "
        f"{len(classes)} tags of at least {how.least_items} questions before."
    )
    left = f"{int((~some).sum())} users and windows whose questions have none of these tags."
    tuned = len(PENALTIES) * 2 * 100
    return [
        *macro_row("text-classes-f1", what, told, true, excluded=left, trials=tuned),
        *precision_rows("text-classes-p3", what, told, true, excluded=left, trials=tuned),
        _area(told, true, what),
        Row.of("text-classes-ece", f"{what} Expected calibration error, ten bins, of what the head tells.",
               calibration_interval(told[HEAD].scores, told[HEAD].classes, true),
               "share", len(true), excluded=left),
    ], f"{int(true.sum())}-{len(true)}"  # fmt: skip


def _area(told: Mapping[str, Told], true: np.ndarray, what: str) -> Row:
    """Mean over the tags of the area under the curve, against the best of the others."""
    judged = [place for place in range(true.shape[1]) if 0 < true[:, place].sum() < len(true)]
    areas = {
        name: np.array([auc(each.scores[:, place], true[:, place]) for place in judged]) for name, each in told.items()
    }
    ours, *others = told
    best = max(others, key=lambda name: areas[name].mean())
    difference = bootstrap(areas[ours] - areas[best], samples=SAMPLES, seed=SEED)
    return Row.of(
        "text-classes-auc", f"{what} Area under the curve, mean over the tags; the interval is over tags.",
        Interval(difference.mean, difference.low, difference.high), "AUC", len(judged), value=float(areas[ours].mean()),
        reference=float(areas[best].mean()), reference_name=best,
    )  # fmt: skip


def _spread(values: np.ndarray, of: Asked, classes: list[str], nothing: float) -> np.ndarray:
    """Columns of a window's classes among those of all windows."""
    found = np.full((len(values), len(classes)), nothing)
    found[:, [classes.index(name) for name in of.classes]] = values
    return found
