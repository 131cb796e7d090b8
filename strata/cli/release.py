"""The command `strata release`: what the store holds, which release serves, promote and roll back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from strata.cli.terminal import clear_errors, console
from strata.release.registry import Entry, ReleaseStore

app = typer.Typer(help=__doc__, no_args_is_help=True)
StoreFolder = Annotated[Path, typer.Option("--store", help="Folder of the release store.")]
STORE = Path("releases")


@app.command("list")
@clear_errors
def list_releases(store: StoreFolder = STORE) -> None:
    """List the releases of the store, oldest first."""
    entries = ReleaseStore(store).list()
    if not entries:
        console.print(f"{store} holds no release yet; add one with `strata release add artifacts/release`.")
        return
    table = Table("release", "", "NDCG@10", "recall@10", "coverage@10", box=None)
    for entry in entries:
        table.add_row(entry.id, _state(entry), *(_metric(entry, name) for name in ("ndcg", "recall", "coverage")))
    console.print(table)


@app.command()
@clear_errors
def add(release: Path, store: StoreFolder = STORE) -> None:
    """Verify a release folder and copy it into the store, without promoting it."""
    console.print(f"added {ReleaseStore(store).add(release)}")


@app.command()
@clear_errors
def promote(
    release: Annotated[str, typer.Argument(help="Id from `strata release list`.")], store: StoreFolder = STORE
) -> None:
    """Verify a release of the store and let it serve."""
    ReleaseStore(store).promote(release)
    console.print(f"{release} serves")


@app.command()
@clear_errors
def rollback(store: StoreFolder = STORE) -> None:
    """Let the release that served before the current one serve again."""
    console.print(f"{ReleaseStore(store).rollback()} serves again")


def _state(entry: Entry) -> str:
    if entry.fault:
        return f"[red]damaged[/]: {escape(entry.fault)}"
    return "[green]current[/]" if entry.current else "before" if entry.former else ""


def _metric(entry: Entry, name: str) -> str:
    value = entry.metrics.get("strata", {}).get(f"{name}@10")
    return f"{value:.4f}" if isinstance(value, int | float) else "–"
