"""Whether Chinese and English lie in one space: themes of Chinese texts, and searches for items in the other language.

On two hand-made files by somebody who saw no code. What was tried was tried on one half of their cases; the rows are of
the other half.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED
from strata.embeddings.checkpoints import fingerprint
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.languages import ENGLISH, MULTILINGUAL
from strata.embeddings.neutral import bring_together
from strata.embeddings.vectors import unit
from strata.evaluation.metrics import bootstrap
from strata.settings import read_settings

FIXTURES: Final = Path(__file__).parent / "fixtures"
CATALOGUE, SEARCHES = FIXTURES / "zh_catalogue.yaml", FIXTURES / "zh_en.yaml"
K, SAMPLES = 10, 2_000
CHARACTERS: Final = 2.0
"""Weight of shared characters beside nearness, by the half that things are tried on."""
TRIALS: Final = 40
"""Ways to tell a theme that were tried on that half: classifiers, spreads, words."""


@dataclass(frozen=True)
class Themes:
    """The made catalogue. `of_item` (n_items,): theme of each; `texts`: of users, and `of_text` what each is of."""

    names: list[tuple[str, str]]
    items: list[str]
    of_item: np.ndarray
    languages: pl.Series
    texts: list[str]
    of_text: np.ndarray

    @classmethod
    def read(cls, *, held: bool) -> "Themes":
        """The file, with the texts of one half."""
        content = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
        themes = content["themes"]
        rows = [(row, item) for row, theme in enumerate(themes) for item in theme["items"]]
        cases = [case for case in content["texts"] if bool(case.get("held")) == held]
        place = {theme["name_zh"]: row for row, theme in enumerate(themes)}
        return cls(
            [(theme["name_zh"], theme["name_en"]) for theme in themes],
            [_text(item) for _, item in rows],
            np.array([row for row, _ in rows]),
            pl.Series([item["language"] for _, item in rows]),
            [case["text"] for case in cases],
            np.array([place[case["theme"]] for case in cases]),
        )

    def nearness(self, encoder: Encoder) -> np.ndarray:
        """Cosine of each text to the centre of each theme's items and names, as the interest space sees them."""
        bring_together(encoder, self.items, self.languages)
        vectors = encoder.encode(self.items)
        named = [encoder.encode([name[language] for name in self.names]) for language in range(2)]
        mean = vectors.mean(0)
        centred = unit(np.concatenate([vectors, *named]) - mean)
        owner = np.concatenate([self.of_item, *[np.arange(len(self.names))] * 2])
        centres = unit(np.stack([centred[owner == theme].mean(0) for theme in range(len(self.names))]))
        return np.asarray(unit(encoder.encode(self.texts) - mean) @ centres.T)

    def shared(self) -> np.ndarray:
        """How far each text and each theme share characters and pairs of them: TF-IDF cosine."""
        said = [
            " ".join([*names, *(item for item, own in zip(self.items, self.of_item, strict=True) if own == row)])
            for row, names in enumerate(self.names)
        ]
        model = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True).fit(said)
        return np.asarray((model.transform(self.texts) @ model.transform(said).T).toarray())

    def right(self, scores: np.ndarray) -> np.ndarray:
        """Whether the best theme of each text is its own, 1 or 0."""
        return (scores.argmax(1) == self.of_text).astype(np.float64)


def rows() -> tuple[list[Row], str]:
    """Rows zh-theme and those of searches across languages."""
    settings = read_settings(EncoderSettings, "encoder")
    models = [Encoder.load(base, settings) for base in (MULTILINGUAL, ENGLISH)]
    searches = [recalls(model, held=True) for model in models]
    models = [Encoder.load(base, settings) for base in (MULTILINGUAL, ENGLISH)]
    themes = Themes.read(held=True)
    near, english = (themes.nearness(model) for model in models)
    what = (
        "Chinese texts of which the nearest of 14 themes of a made catalogue, by its items and names, is the right one"
    )
    reference = themes.right(english)
    found = [_row("zh-theme", what, themes.right(near), reference, TRIALS)]
    with_characters = themes.right(near + CHARACTERS * themes.shared())
    found += [_row("zh-theme-characters", f"{what}, shared characters counted", with_characters, reference, TRIALS)]
    for name, said in ABOUT.items():
        of_each = [search[name] for search in searches]
        found += [_row(name, f"{said}: share of the relevant ones in the first {K}", *of_each, 4)]
    return found, fingerprint([CATALOGUE, SEARCHES])


ABOUT: Final = {
    "zh-en-recall": "Chinese searches for English items among 120 items of both languages",
    "en-zh-recall": "English searches for Chinese items among 120 items of both languages",
    "zh-en-recall-apart": "Chinese searches for English items where the languages are not brought together",
    "en-zh-recall-apart": "English searches for Chinese items where the languages are not brought together",
    "zh-en-recall-filtered": "Chinese searches for English items among the English items alone",
    "en-zh-recall-filtered": "English searches for Chinese items among the Chinese items alone",
}


def recalls(encoder: Encoder, *, held: bool) -> dict[str, np.ndarray]:
    """Recall of each search of one half, by row."""
    content = yaml.safe_load(SEARCHES.read_text(encoding="utf-8"))
    items = content["items"]
    texts, languages = [_text(item) for item in items], pl.Series([item["language"] for item in items])
    found = {}
    for apart in (True, False):
        if not apart:
            bring_together(encoder, texts, languages)
        vectors = encoder.encode(texts)
        for own, other in (("zh", "en"), ("en", "zh")):
            cases = [q for q in content["queries"] if q["language"] == own and bool(q.get("held")) == held]
            relevant = np.array([[item["id"] in case["relevant"] for item in items] for case in cases])
            scores = encoder.encode([case["text"] for case in cases]) @ vectors.T
            name = f"{own}-{other}-recall"
            found[f"{name}-apart" if apart else name] = _recall(scores, relevant)
            found[f"{name}-filtered"] = _recall(np.where(languages == other, scores, -np.inf), relevant)
    return {name: found[name] for name in ABOUT}


def _recall(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    top = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    return np.asarray(np.take_along_axis(relevant, top, 1).sum(1) / relevant.sum(1))


def _row(name: str, what: str, ours: np.ndarray, reference: np.ndarray, trials: int) -> Row:
    apart = bootstrap(ours - reference, samples=SAMPLES, seed=SEED)
    return Row.of(
        name, f"{what}; hand-made, the held-out half.", apart, "share", len(ours), value=float(ours.mean()),
        reference=float(reference.mean()), reference_name=f"{ENGLISH}, which reads English alone", trials=trials,
        seeds=(SEED,), per_user=pl.DataFrame({"ours": ours, "english": reference}),
    )  # fmt: skip


def _text(item: dict[str, Any]) -> str:
    return f"{item['title']}. {item['description']}"
