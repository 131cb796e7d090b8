"""Words of given groups of texts by BERTopic; runs in its own environment: python -m benchmarks.peers.topic_words.

Reads asked.json where it runs and writes words.json there; benchmarks/peers/topics.py says what is in them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.representation import KeyBERTInspired
from bertopic.vectorizers import ClassTfidfTransformer
from sentence_transformers import SentenceTransformer
from sklearn.feature_extraction.text import CountVectorizer

WORDS = 5
"""Words of each group that are handed back."""
VECTORIZERS: dict[str, dict[str, Any]] = {
    "as it ships": {},
    "without stop words": {"stop_words": "english"},
    "with pairs of words": {"stop_words": "english", "ngram_range": (1, 2)},
}
"""How texts become words: BERTopic's default, and the two that its documentation recommends for better words."""


class Remembering(BaseEmbedder):
    """A language model that reads each text and word once; halvings share most of them."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.model = SentenceTransformer(folder, device="cpu", local_files_only=True)
        self.known: dict[str, np.ndarray] = {}

    def embed(self, documents: Sequence[str], verbose: bool = False) -> np.ndarray:
        """Vectors (n, d) of texts or words."""
        new = sorted(set(documents) - self.known.keys())
        if new:
            self.known |= dict(zip(new, self.model.encode(new, show_progress_bar=verbose), strict=True))
        return np.stack([self.known[text] for text in documents])


def words(texts: list[str], groups: list[int], model: Remembering, how: str) -> dict[str, list[list[str]]]:
    """The WORDS best words of groups 0 … k − 1 by c-TF-IDF, and by KeyBERTInspired over it, the best first.

    `groups`: that of each text; each group has one text at least.
    """
    found = BERTopic(
        embedding_model=model,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),  # groups are given
        vectorizer_model=CountVectorizer(**VECTORIZERS[how]),
        ctfidf_model=ClassTfidfTransformer(),
        representation_model={"KeyBERT": KeyBERTInspired()},  # aspects: c-TF-IDF stays beside it
    )
    found.fit_transform(texts, embeddings=model.embed(texts), y=groups)
    topic_of = dict(zip(groups, found.topics_, strict=True))  # BERTopic numbers groups anew, by size
    by_way = {"c-TF-IDF": found.get_topics(), "KeyBERT": found.topic_aspects_["KeyBERT"]}
    return {
        way: [[word for word, _ in topics[topic_of[group]] if word][:WORDS] for group in range(max(groups) + 1)]
        for way, topics in by_way.items()
    }


def main() -> None:
    """Name the groups of each halving in each way."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    asked = json.loads(Path("asked.json").read_text(encoding="utf-8"))
    model = Remembering(asked["encoder"])
    answer = [
        {
            how: words([asked["texts"][row] for row in halving["rows"]], halving["groups"], model, how)
            for how in VECTORIZERS
        }
        for halving in asked["halvings"]
    ]
    Path("words.json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
