"""Static vectors know words, not their order."""

import numpy as np
import pytest

from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.static_vectors import static_vectors

TEXTS = ["a war film", "the war", "a romantic film", "red wine", "white wine", "beer and wine", ""]


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    encoder = Encoder.load("all-minilm-l6-v2", EncoderSettings())
    return static_vectors(encoder, [*TEXTS, "film war a"])


def test_texts_of_near_words_are_near_and_order_is_not_seen(vectors: np.ndarray) -> None:
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[3]
    np.testing.assert_allclose(vectors[0], vectors[-1], atol=1e-5)


def test_they_are_of_unit_length_but_for_texts_without_words(vectors: np.ndarray) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(np.delete(lengths, len(TEXTS) - 1), 1, atol=1e-5)
    assert lengths[len(TEXTS) - 1] == 0


def test_what_all_texts_have_in_common_is_taken_away(vectors: np.ndarray) -> None:
    assert abs(vectors.mean(0)).max() < 0.2
