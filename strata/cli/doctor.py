"""Checks of this installation: programs, packages, device, data and release."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import yaml

NEEDED = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "polars", "scikit-learn")
FOR_PIPELINE = ("dvc", "dvclive", "great-expectations", "prefect")
FOR_SERVICE = ("bentoml",)
SETUP = "make setup, or pip install -r requirements.lock"


@dataclass(frozen=True)
class Finding:
    """Result of one check: ok, worth a note, or bad with a remedy."""

    state: Literal["ok", "note", "bad"]
    what: str
    remedy: str = ""


def examine(root: Path = Path()) -> list[Finding]:
    """Run all checks; never raises."""
    return [
        _python(),
        *(_package(name, SETUP, needed=True) for name in NEEDED),
        *(_package(name, SETUP, needed=False) for name in FOR_PIPELINE),
        *(_package(name, SETUP, needed=False) for name in FOR_SERVICE),
        _program("git", "install git: DVC needs it"),
        _device(),
        _memory(),
        _path(root / "params.yaml", "parameters", "run this in the project's root folder"),
        _data(root),
        _release(root / "artifacts" / "release"),
    ]


def _data(root: Path) -> Finding:
    """Whether the data that params.yaml names is there."""
    try:
        folder = Path(yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))["source"]["folder"])
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return Finding("note", "no data set", "strata init FILES, or strata data use NAME")
    remedy = f"strata data fetch {folder.name}, or put the files there, or strata init FILES"
    return _path(root / folder, "data set", remedy)


def _python() -> Finding:
    found = f"Python {sys.version.split()[0]}"
    return Finding("ok", found) if sys.version_info >= (3, 11) else Finding("bad", found, "use Python 3.11 or later")


def _package(name: str, remedy: str, *, needed: bool) -> Finding:
    try:
        return Finding("ok", f"{name} {version(name)}")
    except PackageNotFoundError:
        return Finding("bad" if needed else "note", f"{name} is not installed", remedy)


def _program(name: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding("ok", f"{name} at {path}") if path else Finding("bad", f"{name} is not on the path", remedy)


def _device() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("bad", "no device: torch does not import", SETUP)
    if torch.cuda.is_available():
        return Finding("ok", f"device cuda: {torch.cuda.get_device_name(0)}")
    if torch.backends.mps.is_available():
        return Finding("ok", "device mps")
    return Finding("note", f"device cpu, {os.cpu_count()} cores: fine-tuning takes minutes, a GPU seconds")


def _memory() -> Finding:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    gigabytes = pages / 2**30
    if 0 < gigabytes < 4:
        return Finding("note", f"{gigabytes:.1f} GB of memory", "4 GB or more are advised")
    return Finding("ok", f"{gigabytes:.0f} GB of memory")


def _path(path: Path, what: str, remedy: str) -> Finding:
    return Finding("ok", f"{what}: {path}") if path.exists() else Finding("note", f"{what}: {path} is missing", remedy)


def _release(folder: Path) -> Finding:
    from strata.errors import StrataError
    from strata.release.manifest import verify

    if not folder.exists():
        return Finding("note", f"no release in {folder}", "make demo, or dvc repro")
    try:
        return Finding("ok", f"release {verify(folder).id}, every file verified")
    except StrataError as error:
        return Finding("bad", str(error), "dvc repro")
