"""How somebody's interests moved between tiers: a lane for each interest, time from left to right."""

from datetime import datetime, timedelta

import polars as pl

from strata.interests.phrases import shorten
from strata.interests.pictures import Bar, Mark, Picture, Text, tier_key

WIDTH, LEFT, RIGHT = 1_000.0, 236.0, 28.0
"""Width of the picture, of the interests' names and of the free space behind the lanes."""
LANE, HEAD, FOOT = 24.0, 34.0, 26.0
"""Height of a lane, of the dates above and of the key below."""
MOST_LANES, LONGEST = 30, 34
"""Lanes shown, and letters of their names."""
THINNEST, THICKEST = 0.24, 0.8
"""Share of a lane's height that an interest without strength and the strongest fill."""
RANK = {"momentary": 1, "stable": 2, "core": 3}
STEPS = {"1d": "%m-%d", "1w": "%m-%d", "1mo": "%Y-%m", "3mo": "%Y-%m", "1y": "%Y", "5y": "%Y"}
"""Between dates, and how they are written: the first that gives at most MOST_DATES."""
MOST_DATES = 13


def draw_swim_lanes(course: pl.DataFrame, whose: str) -> Picture:
    """Draw a course (time, key, name, tier, strength): one row per interest at each time it was looked at.

    What held at a time is drawn back to the time before; a lane is empty where its interest was not there. Bars are
    as thick as the interest was strong. Lanes are sorted by the tier that an interest was in for longest, core first,
    then by when it came; of many interests the strongest are shown. Raises ValueError for a course without rows.
    """
    if course.is_empty():
        raise ValueError(f"{whose} has no interests over time to draw")
    spans = _spans(course)
    lanes = _lanes(spans)
    start, end, strongest = spans.select(pl.col("start").min(), pl.col("end").max(), pl.col("strength").max()).row(0)
    bottom = HEAD + lanes.height * LANE
    scale = (WIDTH - LEFT - RIGHT) / (end - start).total_seconds()

    def x(time: datetime) -> float:
        return LEFT + float((time - start).total_seconds() * scale)

    marks: list[Mark] = []
    for date, text in _dates(start, end):
        marks += [Bar(x(date), HEAD, 1, bottom - HEAD, "line"), Text(x(date), HEAD / 2, 10, text, "muted")]
    for lane, (key, name) in enumerate(lanes.iter_rows()):
        middle = HEAD + (lane + 0.5) * LANE
        marks.append(Text(LEFT - 12, middle, 11, shorten(name, LONGEST), "ink", "right"))
        for tier, strength, since, until in spans.filter(key=key).select("tier", "strength", "start", "end").rows():
            height = LANE * (THINNEST + (THICKEST - THINNEST) * strength / max(strongest, 1e-12))
            told = f"{name}: {tier}, {since:%Y-%m-%d} to {until:%Y-%m-%d}"
            marks.append(Bar(x(since), middle - height / 2, max(x(until) - x(since) - 1, 2), height, tier, told))
    marks += tier_key(LEFT, bottom + FOOT / 2)
    if rest := spans["key"].n_unique() - lanes.height:
        marks.append(Text(WIDTH - RIGHT, bottom + FOOT / 2, 10, f"and {rest} weaker interests", "muted", "right"))
    return Picture(f"Interests of {whose} over time", WIDTH, bottom + FOOT, marks)


def _spans(course: pl.DataFrame) -> pl.DataFrame:
    """Spans over which an interest stayed in a tier: key, name, tier, mean strength, start, end, seconds."""
    times = course["time"].unique().sort()
    first_step = times[1] - times[0] if len(times) > 1 else timedelta(days=1)
    before = times.shift(1).fill_null(times[0] - first_step)
    looks = pl.DataFrame({"time": times, "before": before}).with_row_index("look")
    rows = course.join(looks, on="time").sort("key", "look")
    same = (pl.col("key", "tier") == pl.col("key", "tier").shift()).cast(pl.Int8)
    goes_on = pl.all_horizontal(same == 1, pl.col("look") == pl.col("look").shift() + 1).fill_null(value=False)
    spans = rows.with_columns(span=(~goes_on).cum_sum()).group_by("span", maintain_order=True)
    return spans.agg(
        pl.col("key", "name", "tier").first(),
        pl.col("strength").mean(),
        start=pl.col("before").min(),
        end=pl.col("time").max(),
        seconds=(pl.col("time") - pl.col("before")).sum().dt.total_seconds(),
    )


def _lanes(spans: pl.DataFrame) -> pl.DataFrame:
    """Key and name of the interests shown, in order."""
    rank = pl.col("tier").replace_strict(RANK, return_dtype=pl.Int64).alias("rank")
    by_tier = spans.group_by("key", "tier").agg(pl.col("seconds").sum()).with_columns(rank)
    longest = by_tier.sort("seconds", "rank").group_by("key").agg(pl.col("rank").last())
    weight = (pl.col("strength") * pl.col("seconds")).sum().alias("weight")
    interests = spans.group_by("key").agg(pl.col("name").first(), pl.col("start").min(), weight)
    shown = interests.sort("weight", "key", descending=[True, False]).head(MOST_LANES).join(longest, on="key")
    return shown.sort("rank", "start", "key", descending=[True, False, False]).select("key", "name")


def _dates(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Round dates from `start` to `end`, as people write them."""
    found: list[tuple[datetime, str]] = []
    for step, form in STEPS.items():
        first = pl.Series([start]).dt.truncate(step)[0]
        dates = pl.datetime_range(first, end, step, eager=True).to_list()
        found = [(date, date.strftime(form)) for date in dates if date >= start]
        if len(found) <= MOST_DATES:
            break
    return found
