"""Runs sections of a measuring command one by one; each writes its rows when it is done, rows of the others stay."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import typer

from benchmarks.evidence.files import Row, write_evidence
from strata.cli.terminal import console


class Measured(NamedTuple):
    """Rows of a section, the hash of what they were measured on, and a table for people where there is one."""

    rows: list[Row]
    split: str
    table: str = ""


Sections = Mapping[str, Callable[[], tuple[list[Row], str] | Measured]]
"""What gives each section."""


def run_sections(command: str, sections: Sections, only: str, output: Path) -> None:
    """Run the sections named in `only`, joined by commas, or all. Raises BadParameter for a name that is none."""
    chosen = only.split(",") if only else list(sections)
    if unknown := sorted(set(chosen) - set(sections)):
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(sections)}")
    for name in chosen:
        started = time.perf_counter()
        rows, split, table = Measured(*sections[name]())
        seconds = time.perf_counter() - started
        write_evidence(command, name, rows, split, output, table, seconds)
        for row in rows:
            compared = f" against {row.reference:.4g} ({row.reference_name})" if row.reference_name else ""
            console.print(f"  {row.id}: {row.value:.4g} {row.unit}{compared}, {row.low:.4g} … {row.high:.4g}")
        console.print(f"{name}: {len(rows)} rows in {seconds:.0f} s, {output}/{command}.md")
