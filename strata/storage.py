"""Files that are either whole or absent: write beside, flush to disk, rename."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it becomes `path`, on an error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if temporary.is_dir():
            _replace_folder(path, temporary)
        else:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.unlink(missing_ok=True)
        raise


def _replace_folder(path: Path, new: Path) -> None:
    """Put one folder in the place of another, which is moved away whole: at no time is a part of it there."""
    former = path.with_name(f".{path.name}.{os.getpid()}.former.tmp")
    shutil.rmtree(former, ignore_errors=True)
    if path.exists():
        path.replace(former)
    new.replace(path)
    shutil.rmtree(former, ignore_errors=True)


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file, the same bytes for the same table."""
    with replacing(path) as temporary:
        table.write_parquet(temporary, compression="zstd", statistics=True)


def write_array(array: np.ndarray, path: Path) -> None:
    """Write a .npy file that loads without pickle."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def read_array(path: Path) -> np.ndarray:
    """Read a .npy file; what becomes of the file later changes nothing. The array cannot be written to."""
    array: np.ndarray = np.load(path, allow_pickle=False)
    array.setflags(write=False)
    return array


def map_array(path: Path) -> np.ndarray:
    """Map a .npy file that nobody else changes into memory, read-only: pages are read when they are used."""
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_text(text: str, path: Path) -> None:
    """Write a UTF-8 text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(content: Any, path: Path) -> None:
    """Write JSON for people and diffs: indented, keys in the order given."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
