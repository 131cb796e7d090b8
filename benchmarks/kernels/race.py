"""Ways of doing the same in turns, in one run: what else the machine does slows all of them alike."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psutil
from rich.table import Table

from benchmarks.evidence.files import Row
from strata.cli.terminal import console

OWN: Final = "Strata"
LEAST: Final = 1.5
"""How many times as fast as the fastest library own code must be in whole calls, batches or stages to stay."""
SHORTEST: Final = 0.1
"""Seconds of a turn, at least: quicker ways are called several times in each."""
HEADINGS: Final = ("what", "way", "ms", "× own time", "least … most", "× own processor time")
Way = Callable[[], object]
Library = Mapping[Any, Any]
"""Own functions or classes → what does the same by a library."""


@dataclass(frozen=True)
class Race:
    """What every way of doing the same took in each turn.

    `id`, `what`: as evidence names and describes it; `n`: users, rows or items. `seconds`, `busy`: elapsed time and
    processor time of one call by way, own code first: arrays over the turns. `whole`: of a call, batch or stage.
    `excluded`: libraries that could not take part, and why.
    """

    id: str
    what: str
    n: int
    seconds: Mapping[str, np.ndarray]
    busy: Mapping[str, np.ndarray]
    whole: bool
    excluded: str = ""

    def ratios(self, way: str) -> np.ndarray:
        """How many times as long as own code a way took, by turn."""
        return np.asarray(self.seconds[way] / self.seconds[OWN])

    def busy_ratio(self, way: str) -> float:
        """The same of processor time, median: other processes can slow that but not take it."""
        return float(np.median(self.busy[way] / np.maximum(self.busy[OWN], 1e-9)))

    @property
    def rival(self) -> str:
        """The fastest library by processor time, which tells ways apart on a busy machine too."""
        return min((way for way in self.seconds if way != OWN), key=self.busy_ratio)

    def fastest(self, libraries: Mapping[str, Library], *and_those: str) -> dict[str, Library]:
        """The fastest of these libraries, and those named: what to race in whole calls and stages, which take long."""
        return {name: library for name, library in libraries.items() if name in (self.rival, *and_those)}

    def row(self) -> Row:
        """The fastest library's time over own time: median of the turns, and their least and most.

        Six turns or more enclose the true median with more than 95 % certainty, whatever the noise is like.
        """
        ratios = self.ratios(self.rival)
        value, low, high = (float(pick(ratios)) for pick in (np.median, np.min, np.max))
        doubt = "turns lie on both sides of 1." if low <= 1 <= high else ""
        return Row(
            f"kernel-{self.id}",
            f"{self.what}: time with the fastest library over time with own code "
            f"({np.median(self.seconds[OWN]) * 1e3:.4g} ms), median, least and most of {len(ratios)} turns.",
            value, low - 1, high - 1, "× own time", self.n,
            reference=1.0, reference_name=self.rival, excluded=self.excluded, inconclusive=doubt,
        )  # fmt: skip

    def lines(self) -> list[tuple[str, ...]]:
        """A line of HEADINGS for each way."""
        found = []
        for way, seconds in self.seconds.items():
            ratios = self.ratios(way)
            spread = f"{ratios.min():.2f} … {ratios.max():.2f}"
            times = (f"{np.median(ratios):.2f}", spread, f"{self.busy_ratio(way):.2f}")
            found.append((self.id, way, f"{np.median(seconds) * 1e3:.4g}", *(("", "", "") if way == OWN else times)))
        return found


def race(
    id: str, what: str, n: int, ways: Mapping[str, Way], turns: int, *, whole: bool = False, excluded: str = ""
) -> Race:
    """Let all ways run in turns, after one run of each that counts for nothing; every other turn goes backwards."""
    calls = {}
    for name, way in ways.items():
        way()  # compiled, imported, read
        started = time.perf_counter()
        if not whole:
            way()
        calls[name] = 1 if whole else math.ceil(SHORTEST / (time.perf_counter() - started))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            started, before = time.perf_counter(), _busy()
            for _ in range(calls[name]):
                ways[name]()
            seconds[name].append((time.perf_counter() - started) / calls[name])
            busy[name].append((_busy() - before) / calls[name])
    arrays = [{name: np.array(each) for name, each in found.items()} for found in (seconds, busy)]
    found = Race(id, what, n, *arrays, whole, excluded)
    best = f"{np.median(found.ratios(found.rival)):.2f} × ({found.rival})"
    console.print(f"  {id}: {best}; {np.median(found.seconds[OWN]) * 1e3:.4g} ms with own code")
    return found


def as_table(races: Sequence[Race]) -> Table:
    """What people see while it runs."""
    table = Table(*HEADINGS[:2])
    for heading in HEADINGS[2:]:
        table.add_column(heading, justify="right")
    for each in races:
        for line in each.lines():
            table.add_row(*line)
        table.add_section()
    return table


def as_markdown(races: Sequence[Race]) -> str:
    """All ways, for the evidence file."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(line for each in races for line in each.lines())]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _busy() -> float:
    """Processor seconds of this process and its children."""
    of_children = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(each.user + each.system for each in of_children)
