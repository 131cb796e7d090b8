"""The output of `strata user --timeline`: one line per interest, one letter per time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from strata.cli.rows import COLOURS, Rows, tier
from strata.cli.terminal import Answer, sentence

if TYPE_CHECKING:
    import polars as pl

    from strata.recommendation.recommender import Recommender

NONE = "·"
MADE = "The data have no times: dates are made, of the year 2001, and say at most in which order things came."


def timeline_answer(recommender: "Recommender", user_id: str, steps: int | None, picture: Path | None) -> Answer:
    """A user's timeline, also drawn into `picture` if given. Raises BadParameter, UnknownId."""
    timeline = recommender.timeline(user_id, steps)
    times = timeline["time"].unique(maintain_order=True).to_list()
    lanes = _lanes(timeline)
    content = {
        "release": recommender.manifest.id,
        "user_id": user_id,
        "times": times,
        "interests": [{**lane, "tiers": [lane["tiers"].get(time) for time in times]} for lane in lanes],
        "picture": picture if lanes else None,
    }
    if not lanes:
        return Answer(content, [sentence(f"User {user_id} has no interest points at any time.")])
    drawn: list[RenderableType] = [_rows(lanes, times, user_id)]
    if not recommender.timed:
        drawn.append(sentence(MADE))
    if picture is None:
        return Answer(content, drawn)
    _draw(timeline, user_id, picture)
    return Answer(content, [*drawn, sentence(f"drawn into {picture}")])


def _lanes(timeline: "pl.DataFrame") -> list[dict[str, Any]]:
    """Each interest with its name, its highest strength and its tier by time, the strongest first."""
    import polars as pl

    lanes = (
        timeline.group_by("key", maintain_order=True)
        .agg(pl.col("name").last(), pl.col("strength").max().round(6), tiers=pl.struct("time", "tier"))
        .sort("strength", descending=True, maintain_order=True)
    )
    return [
        {**lane, "tiers": {step["time"]: step["tier"] for step in lane["tiers"]}}
        for lane in lanes.rename({"key": "topic_id"}).iter_rows(named=True)
    ]


def _rows(lanes: list[dict[str, Any]], times: list[Any], user_id: str) -> Rows:
    rows = [(lane["name"], lane["topic_id"], f"{lane['strength']:.1f}", _lane(lane["tiers"], times)) for lane in lanes]
    letters = ", ".join(f"{name[0]} {name}" for name in COLOURS)
    return Rows(
        f"Timeline of user {user_id}",
        {"interest": "name", "topic": "id", "highest strength": "fact", "tiers": "mark"},
        rows,
        f"{len(times)} times, {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}: {letters}, {NONE} none",
    )


def _lane(tiers: dict[Any, str], times: list[Any]) -> Text:
    letters = [tier(tiers[time])[:1] if time in tiers else Text(NONE) for time in times]
    return Text().join(letters)


def _draw(timeline: "pl.DataFrame", user_id: str, picture: Path) -> None:
    from strata.interests.drawing import draw
    from strata.interests.pictures import SwimLanes

    try:
        draw(SwimLanes.of(timeline, f"user {user_id}"), picture)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--picture") from None
