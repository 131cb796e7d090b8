"""The command `strata release`: what the registry holds, which release serves, promote and roll back."""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.text import Text

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence, states
from strata.errors import SettingsError
from strata.interests.anchors import write_anchors
from strata.interests.corrections import lost_in
from strata.interests.themes import Themes
from strata.release.layout import Part
from strata.release.registry import Entry, Registry

app = typer.Typer(help=__doc__, no_args_is_help=True)
StoreFolder = Annotated[Path, typer.Option("--registry", "--store", help="Folder of the release registry.")]
STORE = Path("releases")
ANCHORS = Path("anchors")


METRICS = {"NDCG@10": "ndcg@10", "recall@10": "recall@10", "coverage@10": "coverage@10"}
"""Displayed name of a metric → its name in the manifest."""


@app.command("list")
@draws
def list_releases(store: StoreFolder = STORE) -> Answer:
    """List the releases of the registry, oldest first."""
    entries = Registry(store).list()
    content = {"store": store, "releases": [_entry(entry) for entry in entries]}
    if not entries:
        missing = f"{store} holds no release yet; add one with `strata release add artifacts/release`."
        return Answer(content, [sentence(missing)])
    columns: Columns = {"release": "name", "state": "id", **dict.fromkeys(METRICS, "fact"), "damaged": "note"}
    rows: list[list[str | Text]] = [
        [entry.id, _state(entry), *_metrics(entry), entry.fault or entry.refused] for entry in entries
    ]
    return Answer(content, [Rows("Releases, oldest first", columns, rows)])


@app.command()
@states
def add(release: Path, store: StoreFolder = STORE) -> Answer:
    """Verify a release folder and copy it into the registry, without promoting it."""
    added = Registry(store).add(release)
    return Answer({"store": store, "added": added}, [sentence(f"added {added}")])


@app.command()
@states
def promote(
    release: Annotated[str, typer.Argument(help="Id from `strata release list`.")],
    store: StoreFolder = STORE,
    anchors: Annotated[Path, typer.Option(help="Folder that remembers themes, in a clone of the project.")] = ANCHORS,
) -> Answer:
    """Verify a release of the registry and let it serve; the next one's themes keep its ids and names."""
    Registry(store).promote(release)
    said = f"{release} serves"
    if anchors.is_dir():
        folder = store / release
        write_anchors(Themes.read(folder / Part.THEMES), pl.read_parquet(folder / Part.ITEMS), anchors)
        said += f"; its themes are remembered in {anchors}: commit it, or the next run on another clone names anew"
    else:
        said += f"; its themes are not remembered, as there is no folder {anchors}"
    lost = lost_in(store / release)
    content = {"store": store, "current": release, "remembered": anchors if anchors.is_dir() else None}
    return Answer({**content, "lost_corrections": lost}, [sentence(said), *map(sentence, lost)])


@app.command()
@states
def rollback(store: StoreFolder = STORE) -> Answer:
    """Let the release that served before the current one serve again."""
    release = Registry(store).rollback()
    return Answer({"store": store, "current": release}, [sentence(f"{release} serves again")])


@app.command()
@states
def shadow(
    release: Annotated[str | None, typer.Argument(help="Id from `strata release list`.")] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    store: StoreFolder = STORE,
) -> Answer:
    """Let a release answer beside the current one; its answers go to nobody, and how they differ is measured."""
    if (release is None) != off:
        raise SettingsError("give either the id of a release (strata release list) or --off")
    Registry(store).shadow(release)
    said = "no release answers in the shadow" if release is None else f"{release} answers in the shadow"
    return Answer({"store": store, "shadow": release}, [sentence(said)])


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "release": entry.id,
        "current": entry.current,
        "before": entry.former,
        "metrics": entry.metrics.get("strata", {}),
        "damaged": entry.fault or None,
        "refused": entry.refused or None,
        "shadow": entry.shadow,
    }


def _state(entry: Entry) -> Text:
    if entry.fault:
        return Text("damaged", "red")
    if entry.refused:
        return Text("refused", "red")
    if entry.current:
        return Text("current", "green")
    return Text("shadow" if entry.shadow else "before" if entry.former else "")


def _metrics(entry: Entry) -> list[str]:
    found = [entry.metrics.get("strata", {}).get(name) for name in METRICS.values()]
    return [f"{value:.4f}" if isinstance(value, int | float) else "" for value in found]
