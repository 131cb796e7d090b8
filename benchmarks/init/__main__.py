"""python -m benchmarks.init [DATASET ...]: settings guessed right, and wrong ones that pass silently.

Prints a line for each data set and each setting that is not right; ends with 1 where a target is missed.
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.init import media, reviews, shops
from benchmarks.init.judging import judge, truth
from strata.data.guess.plan import guess

WRITERS = {**media.WRITERS, **shops.WRITERS, **reviews.WRITERS}
RIGHT, SILENT = 0.90, 0
"""Least share of settings guessed right [init-right]; most that are wrong without being asked about [init-silent]."""


def main(names: list[str]) -> int:
    """Judge data sets, all without `names`; 1 where a target is missed."""
    table = Table("data set", "right", "asked", "missed", "silent", "seconds", "not right")
    total = dict.fromkeys(("right", "asked", "missed", "silent"), 0)
    for name in names or WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            WRITERS[name](Path(folder))
            began = time.perf_counter()
            judged = judge(guess([Path(folder)], {}, {}), truth()[name])
        counts = {verdict: sum(each.verdict == verdict for each in judged) for verdict in total}
        total = {verdict: total[verdict] + counts[verdict] for verdict in total}
        wrong = [
            f"{each.setting}: {each.given!r}, not {each.should!r} ({each.verdict})"
            for each in judged
            if each.verdict != "right"
        ]
        table.add_row(name, *map(str, counts.values()), f"{time.perf_counter() - began:.1f}", "\n".join(wrong))
    share = total["right"] / sum(total.values())
    table.add_row("all", *map(str, total.values()), "", f"init-right {share:.3f}, init-silent {total['silent']}")
    Console().print(table)
    return int(share < RIGHT or total["silent"] > SILENT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
