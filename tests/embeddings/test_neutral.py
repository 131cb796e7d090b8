"""Languages of a catalogue are brought together; a catalogue in one language is left as it is."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.neutral import bring_together, directions, spoken

THINGS = ["wine", "bread", "tea", "a cat", "a river", "a guitar", "chess", "a tent", "a bicycle", "football"]
FRAMES = {"en": ["I like {}", "Everything on {}", "Buy {} now"], "xx": ["zzqq {} vv", "vvzz {} qq", "qq {} zz vv"]}
TEXTS = [frame.format(thing) for frames in FRAMES.values() for frame in frames for thing in THINGS]
LANGUAGES = pl.Series([language for language in FRAMES for _ in range(30)])


@pytest.fixture
def encoder() -> Encoder:
    return Encoder.load("all-minilm-l6-v2", EncoderSettings(precision="fp32"))


def test_languages_of_a_catalogue_end_in_one_place(encoder: Encoder, tmp_path: Path) -> None:
    written = LANGUAGES.to_numpy()

    def distance(model: Encoder) -> float:
        vectors = model.encode(TEXTS)
        return float(np.linalg.norm(vectors[written == "en"].mean(0) - vectors[written == "xx"].mean(0)))

    before = distance(encoder)
    assert bring_together(encoder, TEXTS, LANGUAGES) == ["en", "xx"]
    assert distance(encoder) < 0.25 * before
    vectors = encoder.encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    encoder.save(tmp_path)
    again = Encoder.load(tmp_path, EncoderSettings(precision="fp32"))
    assert again.encode(TEXTS).tobytes() == vectors.tobytes()
    assert again.dimension == 384


@pytest.mark.parametrize("others", [["fr"] * 8, ["fr"] * 25 + ["it"] * 19, []])
def test_one_language_is_left_as_it_is(encoder: Encoder, others: list[str]) -> None:
    languages = pl.Series(["en"] * (700 - len(others)) + others + [None] * 40)
    assert spoken(languages) == []
    before = len(encoder.model)
    assert bring_together(encoder, ["a text"] * len(languages), languages) == []
    assert len(encoder.model) == before


def test_directions_are_orthonormal_and_one_fewer_than_languages() -> None:
    means = np.random.default_rng(0).normal(size=(3, 16))
    found = directions(means)
    assert found.shape == (2, 16)
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-5)
    apart = (means - means.mean(0)) @ (np.eye(16) - found.T @ found)
    np.testing.assert_allclose(apart, 0, atol=1e-5)
    assert directions(np.ones((2, 16))).shape == (0, 16)
