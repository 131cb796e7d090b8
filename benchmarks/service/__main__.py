"""Measure what the service promises and write it down: docs/evidence/service.md.

python -m benchmarks.service --only soak
"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.evidence.running import run_sections
from benchmarks.service import fairness, soak, speed
from strata.cli.terminal import clear_errors
from strata.release.manifest import read_manifest


@clear_errors
def main(
    only: Annotated[str, typer.Option(help="Sections to run, joined by commas: soak, speed, events, fairness.")] = "",
    release: Annotated[Path, typer.Option(help="Release folder to serve.")] = Path("artifacts/release"),
    seconds: Annotated[float, typer.Option(help="How long a soak runs.")] = 300.0,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the sections one by one; each writes its rows when it is done."""
    id = read_manifest(release).id
    sections = {
        "soak": lambda: (soak.rows(release, seconds), id),
        "speed": lambda: (speed.rows(release), id),
        "events": lambda: (speed.event_rows(release), id),
        "fairness": lambda: (fairness.rows(release), id),
    }
    run_sections("service", sections, only, output)


if __name__ == "__main__":
    typer.run(main)
