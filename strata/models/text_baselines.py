"""Text baselines that need no language model: TF-IDF."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from strata.data.history import History
from strata.evaluation.window import Scorer
from strata.models.baselines import Baseline
from strata.models.item_model import weigh
from strata.models.settings import MeanVectorGrid

SAID_OFTEN = 50_000
"""Words, at most, the most frequent ones: users' means are dense in them."""


def tfidf(words: Sequence[Sequence[str]], grid: MeanVectorGrid) -> Baseline:
    """Cosine to the recency-weighted mean of the TF-IDF vectors of a user's items; `words`: of each item's text."""
    if any(words):
        vectorizer = TfidfVectorizer(analyzer=list, sublinear_tf=True, max_features=SAID_OFTEN, dtype=np.float32)
        vectors = vectorizer.fit_transform(words).tocsr()
    else:
        vectors = None

    def fit(history: History, time: float, *, half_life: float | None) -> Scorer:  # noqa: ARG001
        matrix = weigh(history.positive(), half_life)
        if vectors is None:
            return lambda users: np.zeros((len(users), len(words)), np.float32)
        return lambda users: np.asarray((vectors @ (matrix[users] @ vectors).toarray().T).T, np.float32)

    return Baseline(fit, dict(grid))
