"""Stage validate on a made log of any size: its peak memory, and its time beside DuckDB's plain read of the same file.

python -m benchmarks.validate --gb 5
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from benchmarks.evidence.files import ROOT, Row, write_evidence
from benchmarks.made.log import SOURCE, make_log
from benchmarks.memory import Usage, measured
from strata.cli.terminal import clear_errors, console
from strata.storage import read_json

PROMISED: Final = 4.0
"""GB that a log of 5 GB may need."""
PLAIN_READ: Final = """
import duckdb, sys
duckdb.sql("SET enable_progress_bar = false")
duckdb.sql(f"SELECT count(COLUMNS(*)) FROM read_csv('{sys.argv[1]}')").fetchall()
"""
"""Every value of every column is parsed, and none is kept."""


def rows(events: int, gigabytes: float, validate: Usage, plain: Usage, seed: int) -> list[Row]:
    """Rows validate-memory and validate-over-duckdb."""
    peak, ratio = validate.peak / 1e9, validate.core_seconds / plain.core_seconds
    each = [one.core_seconds / events * 1e6 for one in (validate, plain)]
    promise: dict[str, Any] = {"reference": PROMISED, "reference_name": "most it may need"}
    beyond = peak - PROMISED
    return [
        Row(
            "validate-memory",
            f"Peak resident memory of stage validate, all its processes together, on a CSV of {gigabytes:.1f} GB.",
            peak, beyond, beyond, "GB", events, seeds=(seed,), **promise,
        ),
        Row(
            "validate-over-duckdb",
            "Seconds of one core that stage validate takes over those in which DuckDB parses every value of the same "
            f"file and keeps none: {each[0]:.2f} and {each[1]:.2f} s for a million rows.",
            ratio, ratio, ratio, "times", events, seeds=(seed,),
        ),
    ]  # fmt: skip


def as_table(events: int, taken: dict[str, Usage]) -> str:
    """Markdown: a line for each of the two."""
    head = (
        "| | seconds | seconds of one core | seconds for a million rows | peak memory, GB |\n|---|---:|---:|---:|---:|"
    )
    lines = [
        f"| {name} | {one.seconds:,.0f} | {one.core_seconds:,.0f} | {one.core_seconds / events * 1e6:.2f} | "
        f"{one.peak / 1e9:.2f} |"
        for name, one in taken.items()
    ]
    return "\n".join([head, *lines])


def take(folder: Path, gigabytes: float, seed: int, limit: float) -> tuple[int, int, dict[str, Usage]]:
    """Make the log in `folder`, read it by DuckDB, validate it: events, bytes, and what the two took."""
    data = folder / "data"
    data.mkdir()
    events = make_log(data, int(gigabytes * 1e9), seed)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) | {"source": SOURCE}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = data / "events.csv"
    plain = measured([sys.executable, "-c", PLAIN_READ, str(log)], limit=limit, cwd=folder, env=env)
    env |= {"TMPDIR": str(folder)}
    validate = measured([sys.executable, "-m", "tasks.validate"], limit=limit, cwd=folder, env=env)
    counted = read_json(folder / "artifacts" / "validation" / "summary.json")["tables"]["interactions"]["rows_read"]
    if counted != events:
        raise AssertionError(f"{counted:,} rows were read of {events:,} that were made")
    return events, log.stat().st_size, {"DuckDB, plain read": plain, "validate": validate}


@clear_errors
def main(
    gb: Annotated[float, typer.Option(help="Size of the CSV.")] = 5.0,
    seed: Annotated[int, typer.Option(help="The same seed and size give the same bytes.")] = 7,
    limit: Annotated[float, typer.Option(help="GB at which a program is ended.")] = 10.0,
    folder: Annotated[Path | None, typer.Option(help="Where three times the size is free for a while.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Make the log, read it twice, write down what that took, and delete it."""
    with tempfile.TemporaryDirectory(prefix="strata-validate-", dir=folder) as temporary:
        events, size, taken = take(Path(temporary), gb, seed, limit * 1e9)
    plain, validate = taken.values()
    table, found = as_table(events, taken), rows(events, size / 1e9, validate, plain, seed)
    console.print(table)
    split = f"made log of {events:,} events, {size / 1e9:.2f} GB (seed {seed})"
    write_evidence("scale", "validate", found, split, output, table, sum(one.seconds for one in taken.values()))


if __name__ == "__main__":
    typer.run(main)
