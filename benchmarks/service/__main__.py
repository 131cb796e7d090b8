"""Measure what the service promises and write it down: docs/evidence/service.md.

python -m benchmarks.service --only soak
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from benchmarks.evidence.files import Row
from benchmarks.evidence.running import run_sections
from benchmarks.service import damage, fairness, soak, speed
from strata.cli.terminal import clear_errors
from strata.release.manifest import read_manifest


class Settings(NamedTuple):
    """What to serve, and how long a soak runs."""

    release: Path
    seconds: float


SECTIONS: Final[dict[str, Callable[[Settings], list[Row]]]] = {
    "soak": lambda given: soak.rows(given.release, given.seconds),
    "speed": lambda given: speed.rows(given.release),
    "events": lambda given: speed.event_rows(given.release),
    "fairness": lambda given: fairness.rows(given.release),
    "damage": lambda given: damage.rows(given.release),
}
"""A new section is a module with `rows`, a line here, and its modules in benchmarks/evidence/sections.py."""


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Sections to run, joined by commas: {', '.join(SECTIONS)}.")] = "",
    release: Annotated[Path, typer.Option(help="Release folder to serve.")] = Path("artifacts/release"),
    seconds: Annotated[float, typer.Option(help="How long a soak runs.")] = 300.0,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the sections one by one; each writes its rows when it is done."""
    id = read_manifest(release).id
    settings = Settings(release, seconds)
    sections = {name: lambda rows=rows: (rows(settings), id) for name, rows in SECTIONS.items()}
    run_sections("service", sections, only, output)


if __name__ == "__main__":
    typer.run(main)
