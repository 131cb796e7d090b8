"""The command `strata data pull`: copy what the settings ask of a database into the source's folder."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence


@draws
def pull(
    params: Annotated[Path, typer.Option(help="The file with the section source.")] = Path("params.yaml"),
) -> Answer:
    """Copy the tables that source.database holds into source.folder, as Parquet: the version that DVC fixes."""
    from strata.data.sources.adapters import SourceSettings  # polars and more
    from strata.data.sources.databases.snapshot import take
    from strata.settings import read_settings

    source = read_settings(SourceSettings, "source", params)
    bars = TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"), TimeElapsedColumn()
    with Progress(SpinnerColumn(), *bars, console=Console(stderr=True), transient=True) as progress:
        lines = {name: progress.add_task(name, total=None) for name in ("interactions", "items", "users")}
        origins = {name: getattr(source, name) for name in lines}
        taken = take(
            source.folder, source.database, origins, lambda name, rows: progress.update(lines[name], completed=rows)
        )
    columns: Columns = {"table": "name", "rows": "fact", "changed": "fact", "columns": "text", "found": "note"}
    rows = [
        (
            each.name,
            f"{each.rows:,}",
            "yes" if each.changed else "no",
            ", ".join(each.columns),
            "; ".join(map(str, each.findings)),
        )
        for each in taken
    ]
    said = "dvc repro reads it" if any(each.changed for each in taken) else "nothing has changed since the last one"
    tables = [
        asdict(each) | {"columns": [{"column": name, "type": kind} for name, kind in each.columns.items()]}
        for each in taken
    ]
    content = {"folder": source.folder, "tables": tables}
    return Answer(content, [Rows(f"Taken into {source.folder}", columns, rows), sentence(f"{said}.")])
