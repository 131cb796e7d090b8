"""Measure what Strata understands and says, and write it down.

python -m benchmarks.language --only polarity
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.evidence.files import Row, write_evidence
from benchmarks.language import generated, injection, outputs
from strata.cli.terminal import clear_errors, console

ROOT = Path(".workspaces/language")
SECTIONS: Final[dict[str, Callable[[], tuple[list[Row], str]]]] = {
    "outputs": outputs.rows,
    "injection": injection.rows,
    "generated": generated.rows,
}
"""A new section is a module with `rows`, which gives rows and the hash of what they were measured on, and a line."""


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Sections to run, joined by commas: {', '.join(SECTIONS)}.")] = "",
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the sections one by one; each writes its rows when it is done, rows of the others stay."""
    chosen = only.split(",") if only else list(SECTIONS)
    if unknown := sorted(set(chosen) - set(SECTIONS)):
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    for name in chosen:
        started = time.perf_counter()
        rows, split = SECTIONS[name]()
        seconds = time.perf_counter() - started
        write_evidence("language", name, rows, split, output, seconds=seconds)
        for row in rows:
            compared = f" against {row.reference:.4g} ({row.reference_name})" if row.reference_name else ""
            console.print(f"  {row.id}: {row.value:.4g} {row.unit}{compared}, {row.low:.4g} … {row.high:.4g}")
        console.print(f"{name}: {len(rows)} rows in {seconds:.0f} s, {output}/language.md")


if __name__ == "__main__":
    typer.run(main)
