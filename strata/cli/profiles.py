"""The commands that show a user's profile and recommendations, and record corrections."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from strata.cli.items import draw_recommended, recommended
from strata.cli.levels import draw_levels, levels_content
from strata.cli.said import said_answer
from strata.cli.summaries import summary_of
from strata.cli.terminal import Answer, draws, sentence, states
from strata.cli.timeline import MADE, timeline_answer

if TYPE_CHECKING:
    from strata.recommendation.recommender import Recommender
    from strata.recommendation.request import ListRequest

app = typer.Typer()

RELEASE = Path("artifacts/release")
CORRECTIONS = Path("corrections/corrections.jsonl")

UserId = Annotated[str, typer.Argument(help="A user's id.")]
ReleaseFolder = Annotated[Path, typer.Option("--release", help="Release folder.")]
CorrectionsFile = Annotated[
    Path | None, typer.Option("--corrections", help="Corrections that hold in place of the release's own.")
]


@app.command()
@draws
def user(
    user_id: Annotated[str | None, typer.Argument(help="A user's id; without it, one worth looking at.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many recommendations.")] = 10,
    at: Annotated[
        datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="As it was when DAY began (UTC)."),
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", "--course", help="How the interests moved between tiers.")
    ] = False,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps of the timeline; else months.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the timeline into a .svg or .png file.")] = None,
    generate: Annotated[
        bool,
        typer.Option("--generate", help="Ask the generator of params.yaml for the summary, however long it takes."),
    ] = False,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Show a user's interests by tier, with evidence, then recommendations with reasons."""
    from strata.recommendation.loading import load_recommender
    from strata.recommendation.request import ListRequest

    recommender = load_recommender(release, corrections)
    user_id = user_id or recommender.richest_user()
    if timeline or picture is not None:
        return timeline_answer(recommender, user_id, steps, picture)
    time = None if at is None else _moment(recommender, user_id, at)
    whose = f"user {user_id}" + (f" on {at:%Y-%m-%d}" if at else "")
    levels = recommender.levels(user_id, time)
    content: dict[str, Any] = {
        "release": recommender.manifest.id,
        "user_id": user_id,
        "at": at and at.replace(tzinfo=UTC),
    }
    content["summary"] = summary_of(levels, recommender, release, generate)
    content |= levels_content(levels, recommender.catalogue)
    drawn: list[RenderableType] = [sentence(("In short: ", "bold"), content["summary"])] if content["summary"] else []
    drawn += draw_levels(levels, recommender.catalogue, whose, timed=recommender.timed)
    drawn += [sentence(MADE)] if at and not recommender.timed else []
    content["lost_corrections"] = recommender.lost_corrections(user_id)
    drawn += [sentence(("Lost: ", "bold"), lost) for lost in recommender.lost_corrections(user_id)]
    if time is None:  # not for a past time: models learned from all events
        found = recommender.recommend(user_id, ListRequest(k=k))
        content["recommendations"] = recommended(found, recommender.catalogue)
        drawn += [Text(), draw_recommended(found, f"Recommended to user {user_id}")]
    return Answer(content, drawn)


@app.command()
@draws
def recommend(
    user_id: Annotated[str | None, typer.Argument(help="A user's id; without it, one worth looking at.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=1000, help="Places before the first shown: 10 for page 2.")] = 0,
    category: Annotated[list[str] | None, typer.Option(help="Only items of this category; may be repeated.")] = None,
    inferred: Annotated[bool, typer.Option("--inferred", help="Inferred categories count for --category too.")] = False,
    more: Annotated[list[str] | None, typer.Option(help="Move the tier mix, such as momentary=3.")] = None,
    diversity: Annotated[float | None, typer.Option(min=0, max=1, help="1: as varied as can be.")] = None,
    calibration: Annotated[float | None, typer.Option(min=0, max=1, help="1: the user's own mix.")] = None,
    text: Annotated[str | None, typer.Option(help="What somebody wishes for, in place of a user.")] = None,
    bio: Annotated[str | None, typer.Option(help="What somebody new says of themselves, in place of a user.")] = None,
    predict: Annotated[bool, typer.Option("--predict", help="Show the rating that the user would give.")] = False,
    corrections: CorrectionsFile = None,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Recommend items for a user, or for what somebody says, each with its reason."""
    from strata.recommendation.loading import load_recommender

    if sum(each is not None for each in (user_id, text, bio)) > 1:
        raise typer.BadParameter("name a user, or say what somebody wishes for with --text or is with --bio")
    recommender = load_recommender(release, corrections)
    asked = list_request(k, category, more, diversity, calibration, inferred=inferred)
    asked = asked.model_copy(update={"offset": offset, "predict": predict})
    if text is not None or bio is not None:
        return said_answer(recommender, release, str(text or bio), asked, query=bio is None)
    user_id = user_id or recommender.richest_user()
    found = recommender.recommend(user_id, asked)
    items = recommended(found, recommender.catalogue)
    content = {"release": recommender.manifest.id, "user_id": user_id, "items": items}
    return Answer(content, [draw_recommended(found, f"Recommended to user {user_id}", offset)])


@app.command()
@states
def correct(
    user_id: UserId,
    action: Annotated[str, typer.Argument(help="pin, rename, reject, block or undo.")],
    topic: Annotated[str, typer.Argument(help="A topic's id, as `strata user` shows it.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    value: Annotated[str | None, typer.Argument(help="The new name, for rename.")] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    file: Annotated[Path, typer.Option(help="Where corrections are kept.")] = CORRECTIONS,
    release: ReleaseFolder = RELEASE,
) -> Answer:
    """Correct a user's profile: pin a topic as core, rename it, leave it out, never recommend of it, or undo that."""
    from pydantic import ValidationError

    from strata.errors import UnknownId
    from strata.interests.correcting import new_lines
    from strata.interests.correction_file import append
    from strata.interests.corrections import Corrections
    from strata.recommendation.loading import load_recommender

    recommender = load_recommender(release)
    recommender.user_row(user_id)
    names = dict(recommender.themes.at("topic").select("id", "name").iter_rows())
    profiler, now = recommender.new_users.profiler, datetime.now(UTC).replace(microsecond=0)
    parts = profiler.themes, profiler.catalogue, profiler.space
    try:
        lines = new_lines(
            user_id, action, topic, who=by, time=now, value=value, note=note, before=Corrections.read(file),
            release=parts,
        )  # fmt: skip
    except UnknownId as error:
        raise UnknownId(f"{error}; `strata user {user_id}` shows the user's") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(": ".join([*map(str, first["loc"]), first["msg"]])) from None
    for line in lines:
        append(line, file)
    interest, others = _interest_of(recommender, user_id, topic)
    content = {**lines[0].model_dump(exclude={"meant"}), "topic": topic, "topic_name": names.get(topic)}
    content |= {"interest": interest, "file": file}
    about = ", who has no such interest now" if interest is None else f", the interest {interest}{others}"
    called = f"{topic} ({names[topic]})" if topic in names else topic
    done = f"{file}: {action} {called} for user {user_id}{about}."
    held = f"It holds from the next refresh on; `strata user {user_id} --corrections {file}` shows it now."
    return Answer({"release": recommender.manifest.id, **content}, [sentence(f"{done} {held}")])


def _interest_of(recommender: "Recommender", user_id: str, topic: str) -> tuple[str | None, str]:
    """Name of the interest that contains the topic, if any, and a note on its other topics."""
    for point in recommender.levels(user_id).points.iter_rows(named=True):
        if topic in point["topic_ids"]:
            others = f" with {len(point['topic_ids']) - 1} other topics" if len(point["topic_ids"]) > 1 else ""
            return point["name"], others
    return None, ""


def _moment(recommender: "Recommender", user_id: str, at: datetime) -> float:
    """The time in seconds; refused if the user has no events before it."""
    from strata.data.history import as_date

    time = at.replace(tzinfo=UTC).timestamp()
    times = recommender.history.times[recommender.history.of(recommender.user_row(user_id))]
    if not (times < time).any():
        first = f"the first is of {as_date(times[0])}: give a later day" if len(times) else "nor any later"
        raise typer.BadParameter(f"user {user_id} has no event before {at:%Y-%m-%d}; {first}", param_hint="--at")
    return time


def list_request(
    k: int,
    categories: list[str] | None,
    more: list[str] | None,
    diversity: float | None,
    calibration: float | None,
    *,
    inferred: bool = False,
) -> "ListRequest":
    """The list request from command-line options. Raises BadParameter."""
    from strata.data.filters import Filters
    from strata.recommendation.request import ListRequest, TierMix

    mix = TierMix(**_tier_weights(more)) if more else None
    filters = Filters(categories=categories or None, inferred=inferred)
    return ListRequest(k=k, tier_mix=mix, filters=filters, diversity=diversity, calibration=calibration)


def _tier_weights(options: list[str]) -> dict[str, float]:
    """Tier weights from options such as momentary=3. Raises BadParameter."""
    from strata.data.schema import TIERS

    found = {}
    for option in options:
        tier, _, weight = option.partition("=")
        try:
            found[tier] = float(weight)
        except ValueError:
            found[tier] = -1.0
        if tier not in TIERS or not 0 <= found[tier] <= 100:
            raise typer.BadParameter(f"'{option}': write TIER=WEIGHT, one of {', '.join(TIERS)}, weight 0 to 100")
    return found
