"""What races run on: the pipeline's workspace of MovieLens-100K, and a made one of the size of a middling shop."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.release.manifest import read_manifest
from tasks.reporting import console

RELEASE: Final = Path("artifacts") / "release"
INPUTS: Final = ("params.yaml", "anchors", "corrections")
SEED: Final = 7


@dataclass(frozen=True)
class Ground:
    """A `folder` with the pipeline's artefacts; `suffix` tells ids of races on it apart."""

    name: str
    suffix: str
    folder: Path

    @cached_property
    def recommender(self) -> Recommender:
        """Its release in memory."""
        return load_recommender(self.folder / RELEASE)

    def fresh(self) -> Recommender:
        """The same with nothing kept from earlier calls, such as trees made ready."""
        whole = self.recommender
        return replace(whole, ranker=replace(whole.ranker))

    def users(self, n: int) -> list[str]:
        """So many user ids, drawn by SEED; some of them twice where there are fewer."""
        ids = sorted(self.recommender.users)
        return np.random.default_rng(SEED).choice(ids, n, replace=n > len(ids)).tolist()

    @property
    def split(self) -> str:
        """Which release it is."""
        return read_manifest(self.folder / RELEASE).id

    @contextlib.contextmanager
    def stages(self) -> Iterator[Callable[..., Callable[[], None]]]:
        """Be in a folder where stages may run: what they read are links, what they write stays there and is lost.

        Gives what makes a way of a stage's function and its arguments.
        """
        with tempfile.TemporaryDirectory(prefix="strata-stage-") as folder:
            source = self.folder.absolute()
            shutil.copytree(source / "artifacts", Path(folder) / "artifacts", copy_function=_link)
            for name in INPUTS:
                (Path(folder) / name).symlink_to(source / name)
            with contextlib.chdir(folder):
                yield _quietly


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(source)


def _quietly(stage: Callable[..., None], *arguments: str) -> Callable[[], None]:
    def run() -> None:
        console.quiet = True
        try:
            stage(*arguments)
        finally:
            console.quiet = False

    return run
