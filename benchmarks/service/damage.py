"""Releases that are damaged, and processes that are killed: what is refused, and what is whole afterwards."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from benchmarks.evidence.files import Row
from benchmarks.service.faults import MARKS, marked
from services.releases import Releases
from services.settings import ServiceSettings
from strata.errors import ReleaseError
from strata.release.registry import Registry

ROOT: Final = Path(__file__).parent.parent.parent
KILLS: Final = ("tests/online/test_kill.py", "tests/release/test_kill.py")
"""Tests that kill a process fifty times each, and look at what is left."""
FORGETTING: Final = "tests/flows/test_forgetting.py::test_after_the_documented_commands_nothing_is_left"


def _flipped(content: bytes, luck: random.Random) -> bytes:
    place = luck.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << luck.randrange(8)]) + content[place + 1 :]


def _cut(content: bytes, luck: random.Random) -> bytes:
    return content[: luck.randrange(len(content))]


DAMAGES: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (_flipped, _cut)


def rows(release: Path) -> list[Row]:
    """Rows corrupt-refused, kill-consistent and forget-found."""
    with tempfile.TemporaryDirectory(prefix="strata-damage-") as folder:
        refused, n = _refused(release, Path(folder))
    what = "Files of a release, one bit flipped in each or its end cut off: share refused by the file's name"
    how = "both by `promote` and by a service that was told to serve it, while the release before goes on serving"
    passed, tests = _passed(*KILLS)
    killed = (
        "Processes killed at 50 random moments each, while they append, make a release, and change which one serves"
    )
    found, forgetting = _passed(FORGETTING)
    planted = "Users planted with a unique id, real refreshes, and the documented commands to forget them: share after "
    places = "which no file, journal, release, log, DVC cache or remote, git object nor Prefect's database names them"
    return [
        _row("corrupt-refused", f"{what}, {how}.", refused / n, "share", n),
        _row("kill-consistent", f"{killed}: tests that found all of it whole.", passed / tests, "share", tests),
        _row("forget-found", f"{planted}{places}.", found / forgetting, "share", forgetting),
    ]


def _refused(release: Path, folder: Path) -> tuple[int, int]:
    """How many damages were refused, of how many."""
    store, luck = Registry(folder / "releases"), random.Random(12)
    ids = [marked(release, mark, folder / mark) for mark in MARKS]
    for mark in MARKS:
        store.add(folder / mark / "release")
    good, bad = ids
    store.promote(good)
    service = Releases(ServiceSettings(releases=store.folder))
    service.start()
    assert service.live is not None
    assert service.live.manifest.id == good
    files = sorted(path for path in (store.folder / bad).rglob("*") if path.is_file() and path.stat().st_size)
    refused = 0
    for file in files:
        whole, name = file.read_bytes(), file.relative_to(store.folder / bad).as_posix()
        for damage in DAMAGES:
            file.write_bytes(damage(whole, luck))
            by_promote = _says(store, bad, name)
            file.write_bytes(whole)
            store.promote(bad)
            file.write_bytes(damage(whole, luck))
            taken = service.next()
            reason = "" if service.refused is None else service.refused.reason
            refused += by_promote and taken is None and name in reason and service.live.manifest.id == good
            file.write_bytes(whole)
            store.promote(good)
            service.next()
    return refused, len(files) * len(DAMAGES)


def _says(store: Registry, id: str, name: str) -> bool:
    """Whether the registry refuses a release by the name of its file, and goes on pointing to another."""
    try:
        store.promote(id)
    except ReleaseError as error:
        current = store.current()
        return name in str(error) and current is not None and current.name != id
    return False


def _passed(*tests: str) -> tuple[int, int]:
    """How many tests of some files passed, of how many."""
    with tempfile.TemporaryDirectory(prefix="strata-tests-") as folder:
        report = Path(folder) / "report.xml"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
        subprocess.run(words, cwd=ROOT, check=False)
        suite = next(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314
    n, bad = int(suite.attrib["tests"]), sum(int(suite.attrib[each]) for each in ("failures", "errors", "skipped"))
    return n - bad, n


def _row(id: str, what: str, value: float, unit: str, n: int) -> Row:
    return Row(id, what, float(value), float(value), float(value), unit, n)
