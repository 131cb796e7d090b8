"""The commands that show somebody's profile and what is recommended from it, and take down corrections."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from strata.cli.terminal import clear_errors, console

if TYPE_CHECKING:
    import polars as pl

    from strata.interests.levels import Levels
    from strata.recommendation.lists import Recommendation
    from strata.recommendation.recommender import Recommender

app = typer.Typer()

RELEASE = Path("artifacts/release")
CORRECTIONS = Path("corrections/corrections.jsonl")
COLOURS = {"core": "bold magenta", "stable": "cyan", "momentary": "yellow"}
LETTERS = {tier: f"[{colour}]{tier[0]}[/]" for tier, colour in COLOURS.items()}
MOST_CATEGORIES, MOST_DISLIKES = 6, 6

UserId = Annotated[str, typer.Argument(help="A user's id.")]
ReleaseFolder = Annotated[Path, typer.Option("--release", help="Release folder.")]
CorrectionsFile = Annotated[
    Path | None, typer.Option("--corrections", help="Corrections that hold in place of the release's own.")
]


@app.command()
@clear_errors
def user(
    user_id: Annotated[str | None, typer.Argument(help="A user's id; without it, one worth looking at.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many recommendations.")] = 10,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="As it was when this day began (UTC)."),
    ] = None,
    course: Annotated[bool, typer.Option("--course", help="How the interests moved between tiers.")] = False,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps of the course; else months.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the course into a .svg or .png file.")] = None,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Show a user's interests by tier, with evidence, then recommendations with reasons."""
    from strata.recommendation.recommender import Recommender

    recommender = Recommender.load(release, corrections)
    user_id = user_id or recommender.richest_user()
    if course or picture is not None:
        _show_course(recommender.course(user_id, steps), user_id, picture)
        return
    time = None if at is None else _moment(recommender, user_id, at)
    whose = f"user {user_id}" + (f" on {at:%Y-%m-%d}" if at else "")
    _show_levels(recommender, recommender.levels(user_id, time), whose)
    if time is None:  # what is recommended was learned from everything
        _show_recommendations(recommender.recommend(user_id, k), user_id)


@app.command()
@clear_errors
def recommend(
    user_id: UserId,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    more: Annotated[list[str] | None, typer.Option(help="Move the tier mix, such as momentary=3.")] = None,
    diversity: Annotated[float | None, typer.Option(min=0, max=1, help="1: as varied as can be.")] = None,
    calibration: Annotated[float | None, typer.Option(min=0, max=1, help="1: the user's own mix.")] = None,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Recommend items for a user, each with its reason."""
    from strata.recommendation.recommender import Recommender

    found = Recommender.load(release, corrections).recommend(
        user_id,
        k,
        tier_weights=tier_mix(more or []),
        categories=category,
        diversity=diversity,
        calibration=calibration,
    )
    _show_recommendations(found, user_id)


@app.command()
@clear_errors
def correct(
    user_id: UserId,
    action: Annotated[str, typer.Argument(help="pin, rename, reject, block or undo.")],
    topic: Annotated[str, typer.Argument(help="A topic's id, as `strata user` shows it.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    value: Annotated[str | None, typer.Argument(help="The new name, for rename.")] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    file: Annotated[Path, typer.Option(help="Where corrections are kept.")] = CORRECTIONS,
    release: ReleaseFolder = RELEASE,
) -> None:
    """Correct a user's profile: pin a topic as core, rename it, leave it out, never recommend of it, or undo that."""
    from pydantic import ValidationError

    from strata.errors import UnknownId
    from strata.interests.corrections import Correction, append
    from strata.recommendation.recommender import Recommender

    recommender = Recommender.load(release)
    recommender.user_row(user_id)
    names = dict(recommender.themes.at("topic").select("id", "name").iter_rows())
    if topic not in names:
        some = f"`strata user {user_id}` shows the user's"
        raise UnknownId(f"topic '{topic}' is none of the {len(names):,} topics of this release; {some}")
    said = {"who": by, "user_id": user_id, "topic": topic, "action": action, "value": value, "note": note}
    try:
        correction = Correction.model_validate({"time": datetime.now(UTC).replace(microsecond=0), **said})
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(": ".join([*map(str, first["loc"]), first["msg"]])) from None
    append(correction, file)
    console.print(
        escape(
            f"{file}: {action} {topic} ({names[topic]}) for user {user_id}{_interest_of(recommender, user_id, topic)}. "
            f"It holds from the next refresh on; `strata user {user_id} --corrections {file}` shows it now."
        ),
        soft_wrap=True,
    )


def _interest_of(recommender: "Recommender", user_id: str, topic: str) -> str:
    """Which interest a correction of the topic is about: it may be of other topics too."""
    for point in recommender.levels(user_id).points.iter_rows(named=True):
        if topic in point["topic_ids"]:
            others = f" with {len(point['topic_ids']) - 1} other topics" if len(point["topic_ids"]) > 1 else ""
            return f", the interest {point['name']}{others}"
    return ", who has no such interest now"


def _moment(recommender: "Recommender", user_id: str, at: datetime) -> float:
    """The time in seconds; refused where nothing is known of the user before it."""
    from strata.data.history import as_date

    time = at.replace(tzinfo=UTC).timestamp()
    times = recommender.history.times[recommender.history.of(recommender.user_row(user_id))]
    if not (times < time).any():
        first = f"the first is of {as_date(times[0])}: give a later day" if len(times) else "nor any later"
        raise typer.BadParameter(f"user {user_id} has no event before {at:%Y-%m-%d}; {first}", param_hint="--at")
    return time


def _show_levels(recommender: "Recommender", levels: "Levels", whose: str) -> None:
    if not levels.points.height:
        console.print(f"No interest points of {escape(whose)}.")
    if levels.stated:
        console.print(escape("Says: " + ", ".join(f"{name} {said}" for name, said in levels.stated.items())))
    if levels.categories.height:
        shown = levels.categories.head(MOST_CATEGORIES).iter_rows(named=True)
        console.print(escape("Moves in: " + ", ".join(f"{row['name']} {row['share']:.0%}" for row in shown)))
    if levels.preferences.height:
        console.print(_preferences(recommender, levels.preferences, f"Preferences of {whose}"))
    if levels.points.height:
        console.print(_points(recommender, levels.points, f"Interests of {whose}"))
    if levels.dislikes.height:
        console.print(_dislikes(recommender, levels.dislikes, f"Dislikes of {whose}"))


def _preferences(recommender: "Recommender", preferences: "pl.DataFrame", title: str) -> Table:
    table = _table(title, {"tier": 0, "preference": 2, "share": 0, "persistence": 0, "interests": 5})
    for row in preferences.iter_rows(named=True):
        table.add_row(
            _tier(row),
            escape(row["name"]),
            f"{row['share']:.0%}",
            _persistence(recommender, row),
            escape(", ".join(row["points"])),
        )
    return table


def _points(recommender: "Recommender", points: "pl.DataFrame", title: str) -> Table:
    columns = {"tier": 0, "interest": 2, "topic": 0, "strength": 0, "persistence": 0, "evidence": 5}
    table = _table(title, columns)
    for row in points.iter_rows(named=True):
        table.add_row(
            _tier(row),
            escape(row["name"]),
            row["topic_id"],
            f"{row['share']:.0%}",
            _persistence(recommender, row),
            _evidence(recommender, row),
        )
    first = points.unique("tier", keep="first", maintain_order=True)
    why = [f"{row['tier']}, such as {row['name']}: {row['because']}" for row in first.iter_rows(named=True)]
    table.caption, table.caption_justify = escape("\n".join(why)), "left"
    return table


def _dislikes(recommender: "Recommender", dislikes: "pl.DataFrame", title: str) -> Table:
    table = _table(title, {"dislike": 2, "topic": 0, "strength": 0, "because": 3, "evidence": 4})
    for row in dislikes.head(MOST_DISLIKES).iter_rows(named=True):
        table.add_row(
            escape(row["name"]), row["topic_id"], f"{row['share']:.0%}", row["because"], _evidence(recommender, row)
        )
    if dislikes.height > MOST_DISLIKES:
        table.caption, table.caption_justify = f"and {dislikes.height - MOST_DISLIKES} weaker ones", "left"
    return table


def _table(title: str, columns: dict[str, int]) -> Table:
    """A table over the whole width; columns of ratio 0 are as wide as they must be."""
    table = Table(title=escape(title), title_justify="left", expand=True)
    for name, ratio in columns.items():
        right = name in ("share", "strength")
        table.add_column(name, justify="right" if right else "left", ratio=ratio or None, no_wrap=name == "topic")
    return table


def _tier(row: dict[str, Any]) -> str:
    return f"[{COLOURS[row['tier']]}]{row['tier']}[/]"


def _persistence(recommender: "Recommender", row: dict[str, Any]) -> str:
    from strata.interests.tiers import period_name

    if row["of_periods"] is None:  # pinned, without events
        return "–"
    unit = period_name(recommender.visitors.settings)
    return f"{row['persistence']:.0%}: {row['periods']} of {row['of_periods']} {unit}"


def _evidence(recommender: "Recommender", row: dict[str, Any]) -> str:
    return escape(", ".join(recommender.catalogue.title_of(item) for item in row["evidence"]))


def _show_course(course: "pl.DataFrame", user_id: str, picture: Path | None) -> None:
    import polars as pl

    if course.is_empty():
        console.print(f"User {escape(user_id)} has no interest points at any time.")
        return
    times = course["time"].unique(maintain_order=True)
    lanes = (
        course.join(times.to_frame().with_row_index("place"), on="time")
        .group_by("key", maintain_order=True)
        .agg(pl.col("name").first(), pl.col("strength").max(), tiers=pl.struct("place", "tier"))
        .sort("strength", descending=True, maintain_order=True)
    )
    table = _table(f"Course of user {user_id}", {"interest": 2, "topic": 0, "strength": 0, "tiers": 3})
    for row in lanes.iter_rows(named=True):
        tiers = {step["place"]: LETTERS[step["tier"]] for step in row["tiers"]}
        lane = "".join(tiers.get(place, "·") for place in range(len(times)))
        table.add_row(escape(row["name"]), row["key"], f"{row['strength']:.1f}", lane)
    dates = [f"{time:%Y-%m-%d}" for time in (times[0], times[-1])]
    legend = ", ".join(f"{letter} {tier}" for tier, letter in LETTERS.items())
    table.caption = f"{len(times)} times, {dates[0]} to {dates[1]}: {legend}, · none; strength at its highest"
    table.caption_justify = "left"
    console.print(table)
    if picture is not None:
        from strata.interests.drawing import draw
        from strata.interests.pictures import SwimLanes

        try:
            draw(SwimLanes.of(course, f"user {user_id}"), picture)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--picture") from None
        console.print(f"drawn into {picture}")


def tier_mix(options: list[str]) -> dict[str, float]:
    """What options such as momentary=3 ask for. Raises BadParameter."""
    from strata.data.schema import TIERS

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


def _show_recommendations(found: "list[Recommendation]", user_id: str) -> None:
    table = Table(title=f"Recommended to user {escape(user_id)}", title_justify="left", expand=True)
    table.add_column("", justify="right")
    for column in ("item", "because"):
        table.add_column(column, overflow="fold")
    for place, item in enumerate(found, 1):
        table.add_row(str(place), escape(item.title), escape(item.reason.text if item.reason else ""))
    console.print(table if found else "Nothing to recommend: no item passes the filters.")
