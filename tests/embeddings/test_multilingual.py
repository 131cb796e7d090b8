"""The multilingual model reads Chinese, English, Japanese and mixed text in one space, as a drop-in by one setting."""

from pathlib import Path

import numpy as np
import pytest

from strata.embeddings.encoder import Encoder, EncoderSettings

pytestmark = pytest.mark.slow
PAIRS = [
    ("我想学做面包和蛋糕", "Baking bread and cakes at home"),
    ("周末去湖边钓鱼", "Fishing at the lake on weekends"),
    ("给新手的吉他课程", "Guitar lessons for beginners"),
    ("猫咪为什么总是打翻水杯", "Why cats knock over glasses"),
    ("人工智能和机器学习入门", "Introduction to machine learning"),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load("multilingual-e5-small", EncoderSettings())


def test_chinese_lies_nearest_to_its_english_sense(encoder: Encoder) -> None:
    chinese, english = (encoder.encode(list(texts)) for texts in zip(*PAIRS, strict=True))
    similarity = chinese @ english.T
    assert similarity.argmax(0).tolist() == similarity.argmax(1).tolist() == list(range(len(PAIRS)))


def test_the_prefix_comes_with_the_model(encoder: Encoder) -> None:
    said = Encoder.load("multilingual-e5-small", EncoderSettings(prefix="query: "))
    assert said.tokens(["wine"]) == encoder.tokens(["wine"])
    assert len(encoder.tokens(["wine"])[0]) > len(encoder.model.tokenizer(["wine"])["input_ids"][0])


def test_japanese_and_mixed_text_lose_nothing(encoder: Encoder) -> None:
    texts = [
        "猫が大好きです。カメラも好き",
        "刚入手PS5，求推荐games！",
        "吉野家の牛丼🍚",
        "한국어와 中文 mixed",
        "ＡＢＣ１２３",
        "繁體字與简体字",
    ]
    tokenizer = encoder.model.tokenizer
    for line in encoder.tokens(texts):
        assert tokenizer.unk_token_id not in line
    assert tokenizer.decode(encoder.tokens(texts[:1])[0], skip_special_tokens=True) == f"query: {texts[0]}"
    vectors = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.triu(vectors @ vectors.T, 1).max() < 0.95


def test_a_saved_model_reads_alike(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    texts = [text for pair in PAIRS for text in pair]
    assert Encoder.load(tmp_path, EncoderSettings()).encode(texts).tobytes() == encoder.encode(texts).tobytes()
