"""Processes that are killed at random moments while they make a release or change which one serves."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from strata.errors import ReleaseError
from strata.release.manifest import MANIFEST, verify, write_release
from strata.release.registry import Registry
from tests.processes import killed

ROUNDS = 50
INSIDE = 5
"""Of the rounds, how many at least must have hit a change: its begin was noted, its end was not."""
PARTS, BYTES = 20, 200_000


def note(log: Path, text: str) -> None:
    """Add a line at once."""
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(file, f"{text}\n".encode())
    os.close(file)


def parts(folder: Path, mark: str) -> dict[str, Path]:
    """Parts of a release that takes a while to write."""
    folder.mkdir()
    for number in range(PARTS):
        (folder / f"{number}").write_bytes(f"{mark} {number}\n".encode() * (BYTES // 10))
    return {f"part/{number}": folder / f"{number}" for number in range(PARTS)}


def package(folder: Path, sources: dict[str, Path], log: Path) -> None:
    """Make the same release again and again."""
    while True:
        note(log, "begun")
        write_release(folder, sources, versions={}, metrics={})
        note(log, "done")


def promote(store: Path, ids: list[str], log: Path) -> None:
    """Let each release serve in turn, and go back, again and again."""
    registry = Registry(store)
    while True:
        for id in ids:
            note(log, f"begun {id}")
            registry.promote(id)
            note(log, f"done {id}")


def noted(work: Callable[..., None], *given: object, log: Path, after: float) -> list[str]:
    """What a process noted that was killed some time after its first change."""
    killed(work, *given, log, begun=lambda: log.exists() and "done" in log.read_text(), after=after)
    return log.read_text().splitlines()


@pytest.mark.slow
def test_a_release_is_whole_or_refused_and_the_next_run_makes_it(tmp_path: Path) -> None:
    sources, folder = parts(tmp_path / "parts", "a"), tmp_path / "release"
    whole = write_release(folder, sources, versions={}, metrics={}).id
    moments, inside, absent = random.Random(9), 0, 0
    for n in range(ROUNDS):
        lines = noted(package, folder, sources, log=tmp_path / f"{n}.log", after=moments.uniform(0, 0.05))
        inside += lines[-1] == "begun"
        try:
            assert verify(folder).id == whole
        except ReleaseError:
            absent += 1
            assert not (folder / MANIFEST).exists()  # nothing is taken for a release that is none
        assert write_release(folder, sources, versions={}, metrics={}).id == verify(folder).id == whole
    assert inside >= INSIDE
    assert absent < ROUNDS


@pytest.mark.slow
def test_the_registry_leads_to_a_whole_release_and_goes_on(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "releases")
    ids = []
    for mark in "ab":
        write_release(tmp_path / mark, parts(tmp_path / f"parts {mark}", mark), versions={}, metrics={})
        ids.append(registry.add(tmp_path / mark))
    moments, inside = random.Random(10), 0
    for n in range(ROUNDS):
        log = tmp_path / f"{n}.log"
        lines = noted(promote, registry.folder, ids, log=log, after=moments.uniform(0, 0.05))
        last = [line.split() for line in lines]
        hit = last[-1][0] == "begun"
        inside += hit
        current = registry.current()
        assert current is not None
        assert verify(current).id == current.name
        done = [id for what, id in last if what == "done"][-1]
        assert current.name in ({done, last[-1][1]} if hit else {done})
        other = next(id for id in ids if id != current.name)
        registry.promote(other)
        assert registry.rollback() == current.name
    assert inside >= INSIDE
