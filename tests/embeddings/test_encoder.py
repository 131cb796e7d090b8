"""Vectors do not depend on the order or company of a text, and models that cannot be used are refused clearly."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel, BertTokenizer, LlamaConfig, LlamaForCausalLM

from strata.embeddings.encoder import PINS, Encoder, EncoderSettings, require_watched
from strata.errors import EncoderError, SettingsError
from tests.places import ROOT

FP32 = EncoderSettings(precision="fp32")
FILMS = ["Toy Story. Animation, Comedy", "Alien. Horror, Sci-Fi", "Aliens. Action, Sci-Fi", "Heat. Crime", ""]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load("all-minilm-l6-v2", EncoderSettings())


@pytest.fixture(scope="module")
def precise() -> Encoder:
    return Encoder.load("all-minilm-l6-v2", FP32)


def test_vectors_are_unit_length_and_near_texts_are_near(encoder: Encoder) -> None:
    vectors = encoder.encode(FILMS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(FILMS), encoder.dimension) == (5, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarity = vectors @ vectors.T
    assert similarity[1, 2] > similarity[1, 0] + 0.1


@given(st.permutations(FILMS * 2))
@settings(max_examples=10)
def test_order_and_repetition_change_no_byte(encoder: Encoder, texts: list[str]) -> None:
    reference = dict(zip(FILMS, encoder.encode(FILMS), strict=True))
    for text, vector in zip(texts, encoder.encode(texts), strict=True):
        assert vector.tobytes() == reference[text].tobytes()


@given(st.lists(st.text(max_size=200), max_size=12))
@settings(max_examples=15)
def test_any_text_gets_a_unit_vector(encoder: Encoder, texts: list[str]) -> None:
    vectors = encoder.encode(texts)
    assert vectors.shape == (len(texts), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_company_hardly_changes_a_vector(encoder: Encoder) -> None:
    company = FILMS + [f"Film number {n}. Drama, Comedy, Romance, Thriller" for n in range(300)]
    alone = np.concatenate([encoder.encode([film]) for film in FILMS])
    assert (alone * encoder.encode(company)[: len(FILMS)]).sum(axis=1).min() > 0.999


def test_bf16_is_faithful_to_fp32(encoder: Encoder, precise: Encoder) -> None:
    assert (encoder.encode(FILMS) * precise.encode(FILMS)).sum(axis=1).min() > 0.998


def test_fp32_agrees_with_sentence_transformers(precise: Encoder) -> None:
    theirs = precise.model.encode(FILMS, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(precise.encode(FILMS), theirs, atol=1e-5)


def test_saved_model_loads_again_with_the_same_bytes(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "one")
    again = Encoder.load(tmp_path / "one", EncoderSettings())
    assert again.encode(FILMS).tobytes() == encoder.encode(FILMS).tobytes()
    again.save(tmp_path / "two")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert Path("model.safetensors") in files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_prefix_counts_and_travels_with_the_saved_model(tmp_path: Path) -> None:
    prefixed = Encoder.load("all-minilm-l6-v2", EncoderSettings(prefix="query: "))
    plain = Encoder.load("all-minilm-l6-v2", EncoderSettings())
    vector = prefixed.encode(["wine"])
    np.testing.assert_array_equal(vector, plain.encode(["query: wine"]))
    prefixed.save(tmp_path)
    np.testing.assert_array_equal(Encoder.load(tmp_path, EncoderSettings()).encode(["wine"]), vector)


def test_progress_reaches_the_number_of_distinct_texts(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode(FILMS + FILMS, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(FILMS), len(FILMS))


def test_plain_bert_is_mean_pooled(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "wine", "film"]
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    bert = BertModel(BertConfig(vocab_size=len(words), **size)).eval()
    bert.save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizer(vocab={word: n for n, word in enumerate(words)}).save_pretrained(tmp_path)
    vector = Encoder.load(tmp_path, FP32).encode(["red wine"])[0]
    with torch.inference_mode():
        mean = bert(torch.tensor([[2, 5, 6, 3]])).last_hidden_state[0].mean(0)
    np.testing.assert_allclose(vector, (mean / mean.norm()).numpy(), atol=1e-5)


def test_decoder_is_last_token_pooled_and_takes_empty_text(tmp_path: Path, encoder: Encoder) -> None:
    tokenizer = encoder.model.tokenizer
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    decoder = Encoder.load(tmp_path, FP32)
    assert decoder.model[1].pooling_mode == "lasttoken"
    np.testing.assert_allclose(np.linalg.norm(decoder.encode(["", "red wine"]), axis=1), 1, atol=1e-5)
    mean = Encoder.load(tmp_path, EncoderSettings(precision="fp32", pooling="mean"))
    with torch.inference_mode():
        tokens = torch.tensor(mean.tokens(["red wine"]))
        states = mean.model[0].model(tokens).last_hidden_state[0]
    for found, expected in ((mean, states.mean(0)), (decoder, states[-1])):
        np.testing.assert_allclose(found.encode(["red wine"])[0], (expected / expected.norm()).numpy(), atol=1e-5)


def test_a_folder_whose_weights_nothing_watches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"set encoder\.weights: .* too"):
        require_watched(EncoderSettings(base=str(tmp_path)))
    require_watched(EncoderSettings(base=str(tmp_path), weights=f"{tmp_path}/"))
    require_watched(EncoderSettings())


def test_the_file_that_pins_packaged_models_is_there() -> None:
    assert (ROOT / PINS).is_file()


def test_vectors_that_are_not_finite_are_refused(precise: Encoder, tmp_path: Path) -> None:
    precise.save(tmp_path)
    broken = Encoder.load(tmp_path, FP32)
    with torch.no_grad():
        next(broken.model.parameters()).fill_(torch.nan)
    with pytest.raises(EncoderError, match=r"not finite for 2 of 2 texts .*precision: fp32"):
        broken.encode(["a", "b"])


def test_folder_without_a_model_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"encoder.base: .* cannot be loaded .*all-minilm-l6-v2"):
        Encoder.load(tmp_path, EncoderSettings())


def test_pickled_weights_are_refused(precise: Encoder, tmp_path: Path) -> None:
    precise.save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(precise.model[0].model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="safetensors"):
        Encoder.load(tmp_path, EncoderSettings())
