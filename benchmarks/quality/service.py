"""Lists a second that the service gives many clients: today's code beside that of an earlier commit, in one run."""

import asyncio
import io
import subprocess
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from benchmarks.serve import ROOT, load, serving, users
from strata.errors import SourceError, ValidationFailed
from strata.release.layout import Part
from strata.release.manifest import FILES_ALONE, MANIFEST, identity_of_files, verify, write_release
from strata.storage import write_json

BEFORE: Final = "68b0cf5"
"""The last commit at which linear algebra takes all cores in each process that answers."""
CODE, PARAMS = ("services", "strata"), "params.yaml"
TARGET: Final = "services.recommender:Recommender"
CLIENTS, ROUNDS, SECONDS, WARM_SECONDS = 100, 30, 3.0, 5.0
FORMER: Final = {
    f"{Part.MODELS}/{now}.safetensors": f"{Part.MODELS}/{before}.safetensors"
    for now, before in {
        "item-knn": "neighbours", "association-rules": "transitions", "als": "factors", "user-knn": "peers"
    }.items()
}  # fmt: skip
"""Files of a release and what BEFORE called them."""
PATIENT: Final = {"STRATA_TIME_OUT": "60"}
"""A list that comes late is still a list; the fallback that a time-out gives would be none."""
RELEASE: Final = Path("artifacts/release")


def rows() -> tuple[list[Row], str]:
    """Row lists-speedup, on the release of `make demo`: both servers run throughout, one at a time is asked."""
    identity = verify(RELEASE).id
    found = pl.DataFrame(_rounds(), schema=["now", "before"], orient="row")
    now, before = found.median().row(0)
    row = Row.of(
        "lists-speedup",
        f"Lists (10 items with reasons, known users in turn) a second that the service answers {CLIENTS} clients on "
        f"the loopback, who share its cores, over those of commit {BEFORE}; means of {ROUNDS} rounds, in each of which "
        f"both are asked for {SECONDS:g} s, one after the other. Medians {now:.0f} and {before:.0f} lists a second.",
        pooled(found.to_numpy(), share), "times", len(found), claim=2, seeds=(SEED,), per_user=found,
    )  # fmt: skip
    return [row], identity


def _rounds() -> list[tuple[float, float]]:
    """Lists a second now and before, of each round."""
    with tempfile.TemporaryDirectory(prefix="strata-before-") as folder, ExitStack() as running:
        code, release = Path(folder) / "code", Path(folder) / "release"
        _check_out(BEFORE, code)
        _as_before(RELEASE, code / PARAMS, release)
        now = running.enter_context(serving(TARGET, RELEASE, settings=PATIENT))
        before = running.enter_context(serving(TARGET, release, code, PATIENT))
        for url in (now, before):
            _lists_a_second(url, WARM_SECONDS)
        found = []
        for number in range(ROUNDS):
            order = (now, before) if number % 2 else (before, now)
            rates = {url: _lists_a_second(url, SECONDS) for url in order}
            found.append((rates[now], rates[before]))
        return found


def _lists_a_second(url: str, seconds: float) -> float:
    found = asyncio.run(load(url, users(RELEASE), CLIENTS, seconds))
    if failed := found["5xx"] + found["4xx"] + found["fallbacks"]:
        raise ValidationFailed(f"{failed:,} of {found['requests']:,} requests got no list: nothing can be compared")
    return found["per_second"]


def _check_out(commit: str, folder: Path) -> None:
    """What serves, as it was at a commit. Raises SourceError where this clone does not hold the commit."""
    packed = subprocess.run(["git", "archive", commit, *CODE, PARAMS], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        reason = packed.stderr.decode(errors="replace").strip()
        raise SourceError(f"commit {commit} cannot be read ({reason}); fetch the whole history: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")


def _as_before(release: Path, params: Path, folder: Path) -> None:
    """The same release as the earlier code reads it: with its names of files, and with settings that it knows."""
    files = {path.relative_to(release).as_posix(): path for path in release.rglob("*") if path.is_file()}
    del files[MANIFEST]
    files = {FORMER.get(name, name): path for name, path in files.items()}
    made = write_release(folder, {**files, PARAMS: params}, versions={}, metrics={})
    former = {"format": FILES_ALONE, **made.__dict__, "id": identity_of_files(made.files)}
    write_json(former, folder / MANIFEST)
