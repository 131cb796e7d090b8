"""Users clustered per second by Ward's method: Strata's for many users at once, and the usual ones in a loop.

python -m benchmarks.ward
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from joblib import Parallel, delayed
from rich.table import Table
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import AgglomerativeClustering
from threadpoolctl import threadpool_limits

from strata._kernels.ward import ward_groups
from strata.cli.terminal import console
from strata.embeddings.vectors import spread, unit
from strata.storage import map_array, read_array, write_array

ITEMS: Final = Path("artifacts/models/live/space/items.npy")
USERS: Final = {20: 2_000, 100: 500, 300: 80}
"""Events of a user → users: a second of the slowest way, at most."""
CUT: Final = 1.7
"""Height of the cut in units of the spread of the vectors."""
REPEATS, SAMPLES, SEED = 15, 2_000, 7
STRATA, SCIKIT_LEARN = "Strata", "scikit-learn's Ward in a loop"
Way = Callable[[np.ndarray, float], np.ndarray]
"""Vectors (users, events, d) and a height → group of each event within its user (users, events)."""


def strata(blocks: np.ndarray, height: float, threads: int = 1) -> np.ndarray:
    """Strata's, all users at once."""
    users, events, d = blocks.shape
    offsets = np.arange(users + 1) * events
    return ward_groups(blocks.reshape(-1, d), offsets, height, threads=threads).reshape(users, events)


def scikit_learn(blocks: np.ndarray, height: float) -> np.ndarray:
    """What most would write."""
    model = AgglomerativeClustering(n_clusters=None, distance_threshold=height, linkage="ward")
    return np.stack([model.fit_predict(block) for block in blocks])


def scipy_of_vectors(blocks: np.ndarray, height: float) -> np.ndarray:
    """The usual alternative."""
    return np.stack([fcluster(linkage(block, "ward"), height, "distance") for block in blocks])


def scipy_of_gram(blocks: np.ndarray, height: float) -> np.ndarray:
    """The same with distances from one product of matrices."""
    return np.stack([fcluster(linkage(_condensed(block), "ward"), height, "distance") for block in blocks])


LOOPS: Final[dict[str, Way]] = {
    SCIKIT_LEARN: scikit_learn,
    "scipy's linkage in a loop": scipy_of_vectors,
    "scipy's linkage of Gram distances": scipy_of_gram,
}


@dataclass(frozen=True)
class Race:
    """Seconds of every way over the same users in turn, `repeats` times, and the share with scikit-learn's groups."""

    events: int
    users: int
    cores: int
    seconds: dict[str, np.ndarray]
    same: dict[str, float]

    def ratio(self) -> tuple[float, float, float]:
        """How many times scikit-learn's speed Strata has: median over repeats and its 95 % bootstrap interval."""
        ratios = self.seconds[SCIKIT_LEARN] / self.seconds[STRATA]
        draws = np.median(np.random.default_rng(SEED).choice(ratios, (SAMPLES, len(ratios))), axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        return float(np.median(ratios)), float(low), float(high)


def race(vectors: np.ndarray, events: int, cores: int, repeats: int) -> Race:
    """Sample users, each with `events` different rows of `vectors` (n, d), and time every way in turn."""
    rng = np.random.default_rng(SEED)
    height = CUT * spread(vectors)
    users = USERS[events]
    with tempfile.TemporaryDirectory(prefix="strata-ward-") as folder, Parallel(cores) as pool, threadpool_limits(1):
        rows = np.stack([rng.choice(len(vectors), events, replace=False) for _ in range(users)])
        write_array(vectors[rows], Path(folder) / "blocks.npy")
        blocks = map_array(Path(folder) / "blocks.npy")  # mapped: processes share it and nothing is sent to them
        ways = {STRATA: lambda: strata(blocks, height, cores)}
        ways |= {name: _looped(loop, blocks, height, pool, cores) for name, loop in LOOPS.items()}
        groups = {name: _first_members(way()) for name, way in ways.items()}  # and compiled, started, read
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                took[name].append(time.perf_counter() - start)
    same = {name: float((found == groups[SCIKIT_LEARN]).all(1).mean()) for name, found in groups.items()}
    return Race(events, users, cores, {name: np.array(each) for name, each in took.items()}, same)


def item_vectors() -> np.ndarray:
    """The item vectors of the pipeline, else random ones on the sphere: (n, d) float32."""
    if ITEMS.exists():
        return np.array(read_array(ITEMS))
    return unit(np.random.default_rng(SEED).normal(size=(2_000, 384)))


def races(repeats: int = REPEATS) -> list[Race]:
    """On one core, then on all, for each number of events."""
    vectors = item_vectors()
    return [race(vectors, events, cores, repeats) for cores in sorted({1, _cores()}) for events in USERS]


def rows(repeats: int = REPEATS) -> list[dict[str, Any]]:
    """The speed-up over scikit-learn on one core as evidence: at 100 events a user, then at the other numbers."""
    vectors = item_vectors()
    return [_row(race(vectors, events, 1, repeats)) for events in sorted(USERS, key=lambda events: events != 100)]


def _row(run: Race) -> dict[str, Any]:
    value, low, high = run.ratio()
    repeats = len(run.seconds[STRATA])
    return {
        "id": "ward-speedup" if run.events == 100 else f"ward-speedup-{run.events}",
        "what": f"Users per second over scikit-learn's, {run.events} events a user, one core: median of {repeats} "
        f"interleaved repeats, bootstrap over repeats; {run.same[STRATA]:.1%} of users get the same groups.",
        "value": value,
        "low": low - 1,
        "high": high - 1,
        "reference": 1.0,
        "reference_name": SCIKIT_LEARN,
        "unit": "× users per second",
        "n": run.users,
        "seeds": (SEED,),
    }


def _looped(loop: Way, blocks: np.ndarray, height: float, pool: Parallel, cores: int) -> Callable[[], np.ndarray]:
    """A loop over users; on several cores, the same loop over parts of them in as many processes."""
    if cores == 1:
        return lambda: loop(blocks, height)
    parts = np.array_split(blocks, cores)
    return lambda: np.concatenate(pool(delayed(loop)(part, height) for part in parts))


def _condensed(vectors: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs, as `linkage` takes them."""
    gram = vectors @ vectors.T
    squares = np.diag(gram)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * gram, 0))
    return squareform(distances, checks=False)


def _first_members(groups: np.ndarray) -> np.ndarray:
    """Group numbers (users, events) replaced by the position of each group's first member: equal for equal groups."""
    return np.stack([(own[:, None] == own).argmax(1) for own in groups])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_table(runs: list[Race]) -> Table:
    """A line for each way: median users per second with the quartiles, and speed against scikit-learn's."""
    table = Table("events", "cores", "way", title="Ward's method, cut at one height")
    for heading in ("users per second", "quartiles", "× scikit-learn", "same groups"):
        table.add_column(heading, justify="right")
    for run in runs:
        for name, seconds in run.seconds.items():
            slow, middle, fast = np.quantile(run.users / seconds, [0.25, 0.5, 0.75])
            times = np.median(run.seconds[SCIKIT_LEARN] / seconds)
            figures = [f"{middle:,.0f}", f"{slow:,.0f} … {fast:,.0f}", f"{times:.1f}", f"{run.same[name]:.1%}"]
            table.add_row(str(run.events), str(run.cores), name, *figures)
        table.add_section()
    return table


def main(repeats: Annotated[int, typer.Option(help="Times that every way is timed, in turn.")] = REPEATS) -> None:
    """Time every way and print a table."""
    console.print(as_table(races(repeats)))


if __name__ == "__main__":
    typer.run(main)
