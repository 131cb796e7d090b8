"""Trees: own trees beside LightGBM's own predict, the C code of tl2cgen and the machine code of lleaves."""

import subprocess
import sysconfig
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from unittest.mock import patch

import lightgbm
import numpy as np

from benchmarks.kernels.environment import environment
from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import one_core
from benchmarks.kernels.whole import BLOCK, whole
from strata._kernels.forest import Forest
from strata._kernels.threads import cores
from strata.cli.terminal import console
from strata.ranking.candidates import propose
from strata.ranking.query import query_batch
from strata.recommendation.recommender import Recommender

Scores = Callable[[np.ndarray], np.ndarray]
LIGHTGBM: Final = "LightGBM's predict"
MANY: Final = 100_000
"""Rows from which LightGBM may have all cores, as own code has."""


class Sum(NamedTuple):
    """In the place of a `Forest`: a function for each booster."""

    functions: tuple[Scores, ...]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Sum over the boosters of each row of `features` (n, F): (n,)."""
        return np.sum([function(features) for function in self.functions], axis=0)


@dataclass(frozen=True)
class Made:
    """In the place of the class `Forest`: makes a function of each booster, once."""

    maker: Callable[[lightgbm.Booster, int | None], Scores]
    kept: dict[tuple[int, int | None], Scores] = field(default_factory=dict)

    def of(self, *boosters: lightgbm.Booster, trees: int | None = None) -> Sum:
        """As `Forest.of`."""
        for booster in boosters:
            if (id(booster), trees) not in self.kept:
                self.kept[id(booster), trees] = self.maker(booster, trees)
        return Sum(tuple(self.kept[id(booster), trees] for booster in boosters))


def by_lightgbm(booster: lightgbm.Booster, trees: int | None) -> Scores:
    """Nothing is compiled."""

    def scores(features: np.ndarray) -> np.ndarray:
        alone = threading.current_thread() is not threading.main_thread() or len(features) < MANY
        return np.asarray(booster.predict(features, num_threads=1 if alone else cores(), num_iteration=trees))

    return scores


def by_tl2cgen(folder: Path, booster: lightgbm.Booster, trees: int | None) -> Scores:  # noqa: ARG001
    """C code, compiled by gcc."""
    import tl2cgen
    import treelite

    library = folder / f"{id(booster)}.so"
    tl2cgen.export_lib(treelite.frontend.from_lightgbm(booster), toolchain="gcc", libpath=str(library))
    predictor = tl2cgen.Predictor(str(library), nthread=1)
    return lambda features: predictor.predict(tl2cgen.DMatrix(np.ascontiguousarray(features, np.float32))).ravel()


def by_lleaves(folder: Path, python: Path, booster: lightgbm.Booster, trees: int | None) -> Scores:  # noqa: ARG001
    """Machine code by LLVM: made with the llvmlite that lleaves was written for, loaded here with the project's.

    lleaves 1.3 calls what that no longer has: PassManagerBuilder to compile and initialize to load.
    """
    import lleaves
    import llvmlite.binding

    text, code = folder / f"{id(booster)}.txt", folder / f"{id(booster)}.o"
    booster.save_model(text)
    make = "import sys; sys.path.append(sys.argv[1]); import lleaves; lleaves.Model(sys.argv[2]).compile(sys.argv[3])"
    subprocess.run([python, "-c", make, sysconfig.get_path("purelib"), text, code], check=True)
    model = lleaves.Model(str(text))
    with patch.object(llvmlite.binding, "initialize", lambda: None):
        model.compile(str(code))
    return lambda features: np.asarray(model.predict(features, n_jobs=1))


def libraries(recommender: Recommender, folder: Path) -> tuple[dict[str, Library], str]:
    """The libraries by name, their trees compiled, and what was left out because it does not work here."""
    python = environment(say=console.print)
    makers = {
        LIGHTGBM: by_lightgbm,
        "lleaves": partial(by_lleaves, folder, python),
        "tl2cgen": partial(by_tl2cgen, folder),
    }
    found: dict[str, Library] = {}
    excluded = []
    for name, maker in makers.items():
        made = Made(maker)
        try:
            made.of(*recommender.ranker.boosters)
        except (OSError, RuntimeError, AttributeError, subprocess.SubprocessError) as error:
            excluded.append(f"{name}: {type(error).__name__}: {error}")
        else:
            found[name] = {Forest: made}
    return found, "; ".join(excluded)


def features_of(recommender: Recommender, users: list[str]) -> np.ndarray:
    """What the trees see of all candidates of these users: (n, F)."""
    rows = np.array([recommender.user_row(user) for user in users])
    batch = query_batch(
        rows, recommender.history, recommender.profiles, recommender.settings.tier_weights, recommender.new_users.time,
        allowed=recommender.admitted(), index=recommender.models.index,
    )  # fmt: skip
    table = propose(batch, recommender.models.generators, recommender.settings.candidates)
    return recommender.models.features.of(table, batch)


def races(ground: Ground, turns: int) -> list[Race]:
    """Trees alone for one user and for a block of them, whole calls and batches, and learning in stage `rank`."""
    recommender = ground.recommender
    found = []
    with tempfile.TemporaryDirectory(prefix="strata-trees-") as folder:
        swaps, excluded = libraries(recommender, Path(folder))
        makers = {OWN: Forest, **{name: swap[Forest] for name, swap in swaps.items()}}
        forests = {name: maker.of(*recommender.ranker.boosters) for name, maker in makers.items()}
        for users in (1, BLOCK):
            features = features_of(recommender, ground.users(users))
            what = f"Scores of {len(features):,} candidates of {users} users, {ground.name}, one core"
            ways = {name: partial(forest.scores, features) for name, forest in forests.items()}
            with one_core():
                name = f"forest-{users}{ground.suffix}"
                found.append(race(name, what, len(features), ways, turns, excluded=excluded))
        swaps = found[-1].fastest(swaps, LIGHTGBM)
        found += whole("forest", ("call", "explained-call", "batch"), ground, swaps, turns, excluded)
    return found
