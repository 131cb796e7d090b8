"""Checkpoints of a training run: its whole state, written whole or not at all, tagged with its inputs."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from strata.storage import read_json, replacing, write_json

Weights = dict[str, torch.Tensor]


@dataclass
class State:
    """State of a run besides weights and optimiser: steps done, the best so far and the curve."""

    step: int = 0
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    """Scores of the best weights; of the base model while best_step is 0."""
    idle: int = 0
    """Evaluations since the best one."""
    curve: list[dict[str, float]] = field(default_factory=list)
    """Per step: step, loss and, where it was evaluated, the scores."""


def fingerprint(parts: Iterable[Any]) -> str:
    """sha256 over arrays, tensors, whole files (by Path) and JSON-like values: equal only where all of them are."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, torch.Tensor):
            part = part.detach().cpu().contiguous().numpy()
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        elif isinstance(part, Path):
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
    return digest.hexdigest()


def loaded_code(*packages: str) -> list[Path]:
    """Source files of all loaded modules of these packages, by module name: the code that a result may depend on.

    Call it after all imports, so that the same program always gets the same files.
    """
    specs = (getattr(module, "__spec__", None) for module in list(sys.modules.values()))
    files = {spec.name: spec.origin for spec in specs if spec and spec.name.split(".")[0] in packages}
    return [Path(file) for _, file in sorted(files.items()) if file]


def save(folder: Path, tag: str, state: State, current: Weights, best: Weights, optimiser: dict[str, Any]) -> None:
    """Write folder/step-N in one rename and drop the older ones."""
    target = folder / f"step-{state.step:07d}"
    with replacing(target) as temporary:
        temporary.mkdir()
        save_file(current, temporary / "current.safetensors")
        save_file(best, temporary / "best.safetensors")
        torch.save(optimiser, temporary / "optimiser.pt")
        write_json({"fingerprint": tag, **asdict(state)}, temporary / "state.json")
        for path in temporary.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    for older in folder.iterdir():
        if older != target:
            shutil.rmtree(older)


def load(folder: Path, tag: str) -> tuple[State, Weights, Weights, dict[str, Any]] | None:
    """The newest checkpoint tagged `tag`: state, current weights, best weights, optimiser; None if there is none."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        state = read_json(path / "state.json")
        if state.pop("fingerprint") == tag:
            current, best = load_file(path / "current.safetensors"), load_file(path / "best.safetensors")
            return State(**state), current, best, torch.load(path / "optimiser.pt", weights_only=True)
    return None
