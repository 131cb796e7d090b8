"""Collaborative models as safetensors files: each model says which arrays it consists of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from strata.errors import ReleaseError
from strata.storage import replacing


class StoredModel(Protocol):
    """A model that a file can hold."""

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays of the model."""
        ...

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from `arrays`."""
        ...


M = TypeVar("M", bound=StoredModel)


def save_model(model: StoredModel, path: Path) -> None:
    """Write as safetensors."""
    with replacing(path) as temporary:
        save_file(model.arrays(), temporary)


def load_model(kind: type[M], path: Path) -> M:
    """Read a model of the `kind` that `save_model` wrote. Raises ReleaseError where there is none."""
    try:
        return kind.of_arrays(load_file(path))
    except FileNotFoundError:
        raise ReleaseError(f"{path} is missing: another version of Strata made this; run dvc repro") from None


def half_life_array(half_life: float | None) -> np.ndarray:
    """A half-life as an array; infinity stands for None."""
    return np.array([np.inf if half_life is None else half_life])


def half_life_of(content: Mapping[str, np.ndarray]) -> float | None:
    """Inverse of `half_life_array`."""
    return None if np.isinf(content["half_life"][0]) else float(content["half_life"][0])


def csr_arrays(matrix: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """A sparse matrix as arrays."""
    shape = np.array(matrix.shape)
    return {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": shape}


def csr_of(content: Mapping[str, np.ndarray]) -> sparse.csr_matrix:
    """Inverse of `csr_arrays`."""
    return sparse.csr_matrix((content["data"], content["indices"], content["indptr"]), shape=tuple(content["shape"]))
