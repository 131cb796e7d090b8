"""The commands `strata data`: list known data sets, fetch one, put its settings into params.yaml."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence, states

if TYPE_CHECKING:
    from strata.data.sources.download import Progress

app = typer.Typer(help="Known data sets.", no_args_is_help=True)
NAME = Annotated[str, typer.Argument(help="A name that `strata data list` shows.")]
PART = Annotated[str | None, typer.Option(help="Of data sets that come in parts, such as a category.")]


@app.command("list")
@draws
def list_data() -> Answer:
    """List the data sets that Strata knows, how their files are had, and their licences."""
    from strata.data.sources.known import facts, names

    known = {name: facts(name) for name in names()}
    columns: Columns = {"name": "name", "about": "text", "files": "note", "licence": "note"}
    rows = [(name, each.about, each.way, each.licence) for name, each in known.items()]
    found = [{**dict(zip(columns, row, strict=True)), "page": known[row[0]].page, "parts": known[row[0]].parts}
             for row in rows]  # fmt: skip
    return Answer({"data_sets": found}, [Rows("Known data sets", columns, rows)])


@app.command("fetch")
@states
def fetch_data(
    name: NAME, part: PART = None, folder: Annotated[Path, typer.Option(help="Where data sets lie.")] = Path("data")
) -> Answer:
    """Fetch a known data set, check and unpack it into data/NAME; a broken download goes on where it ended."""
    from strata.data.sources.fetch import fetch, folder_of

    with _progress() as progress:
        fetched = fetch(name, folder_of(name, part, folder), part, progress=progress)
    return Answer({"name": name, "folder": fetched}, [sentence(f"{name}: {fetched}")])


@app.command("use")
@states
def use_data(
    name: NAME,
    part: PART = None,
    folder: Annotated[str | None, typer.Option(help="Where its files lie, when not in data/NAME.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Of its items, such as zh: sets encoder.base to a model that reads it.")
    ] = None,
    params: Annotated[Path, typer.Option(help="The file to change.")] = Path("params.yaml"),
) -> Answer:
    """Put the settings that a known data set needs into params.yaml; all else there stays."""
    from strata.data.sources import presets
    from strata.data.sources.fetch import folder_of
    from strata.embeddings.languages import encoder_for
    from strata.errors import SettingsError
    from strata.storage import write_text

    if not params.is_file():
        raise SettingsError(f"{params.absolute()} does not exist; run this from the project's root folder")
    text = presets.use(name, params.read_text(encoding="utf-8"), folder, part)
    files = folder or str(folder_of(name, part))
    content = {"name": name, "params": params, "folder": files}
    said = [sentence(f"{params} has the settings of {name}; its files belong in {files}")]
    if language is not None:
        content["encoder"] = base = encoder_for(language)
        text = presets.merge(text, {"encoder": {"base": base}})
        said.append(sentence(f"encoder.base: {base}, which reads {language}"))
    write_text(text, params)
    return Answer(content, said)


@contextmanager
def _progress() -> "Iterator[Progress]":
    """Bars on stderr, one a file, while downloads run; nothing where it is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    text, bars = TextColumn("{task.description}"), (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(text, *bars, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as drawn:
        tasks: dict[str, int] = {}

        def progress(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = drawn.add_task(name, total=total)
            drawn.update(tasks[name], completed=done, total=total)  # type: ignore[arg-type]

        yield progress
