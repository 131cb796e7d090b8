"""Tiers over time: each look at an interest is drawn once, in the colour of its tier, in its own lane."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.interests.pictures import Bar, Text
from strata.interests.swim_lanes import HEAD, LANE, LEFT, MOST_DATES, MOST_LANES, RIGHT, WIDTH, draw_swim_lanes

START = datetime(2024, 1, 31, tzinfo=UTC)
TIERS = ["momentary", "stable", "core"]


def course(rows: list[tuple[int, str, str, float]], step: timedelta = timedelta(days=30)) -> pl.DataFrame:
    """Rows of (look, key, tier, strength), looks so far apart."""
    told = [(START + look * step, key, f"Interest {key}", tier, strength) for look, key, tier, strength in rows]
    return pl.DataFrame(told, schema=["time", "key", "name", "tier", "strength"], orient="row")


looks = st.tuples(st.integers(0, 12), st.sampled_from("abcdef"), st.sampled_from(TIERS), st.floats(0, 9))


@given(st.lists(looks, min_size=1, max_size=60, unique_by=lambda look: look[:2]), st.integers(1, 400))
def test_every_look_is_in_a_bar_of_its_tier_and_lane_and_nothing_else_is(
    rows: list[tuple[int, str, str, float]], days: int
) -> None:
    picture = draw_swim_lanes(course(rows, timedelta(days=days)), "user 7")
    names = [mark.text for mark in picture.marks if isinstance(mark, Text) and mark.align == "right"]
    assert sorted(names) == sorted({f"Interest {key}" for _, key, _, _ in rows})
    bars = [mark for mark in picture.marks if isinstance(mark, Bar) and mark.colour in TIERS]
    times = sorted({look for look, _, _, _ in rows})
    span = times[-1] - times[0] + (times[1] - times[0] if len(times) > 1 else 1)
    unit = (WIDTH - LEFT - RIGHT) / span if len(times) > 1 else WIDTH - LEFT - RIGHT
    for look, key, tier, _ in rows:
        x = LEFT + (span - (times[-1] - look)) * unit if len(times) > 1 else WIDTH - RIGHT
        lane = HEAD + (names.index(f"Interest {key}") + 0.5) * LANE
        covering = [
            bar for bar in bars
            if bar.x < x - 0.5 <= bar.x + bar.width + 1 and abs(bar.y + bar.height / 2 - lane) < 0.1
        ]  # fmt: skip
        assert [bar.colour for bar in covering] == [tier]
    assert all(bar.x >= LEFT - 0.1 and bar.x + bar.width <= WIDTH for bar in bars)
    assert len(bars) <= len(rows)


def test_what_was_core_for_longest_comes_first_and_strength_shows() -> None:
    rows = [(look, "new", "momentary", 1.0) for look in (4, 5)]
    rows += [(look, "old", "core" if look > 1 else "stable", 4.0) for look in range(6)]
    picture = draw_swim_lanes(course(rows), "user 7")
    assert [m.text for m in picture.marks if isinstance(m, Text) and m.align == "right"] == [
        "Interest old",
        "Interest new",
    ]
    heights = {mark.colour: mark.height for mark in picture.marks if isinstance(mark, Bar) and mark.colour in TIERS}
    assert heights["core"] == heights["stable"] > heights["momentary"]
    assert [mark.title for mark in picture.marks if isinstance(mark, Bar) and mark.colour == "core"] == [
        "Interest old: core, 2024-03-01 to 2024-06-29"
    ]


def test_of_many_interests_the_strongest_are_shown_and_the_rest_counted() -> None:
    rows = [(0, f"k{number:03d}", "stable", float(number)) for number in range(MOST_LANES + 5)]
    texts = [mark.text for mark in draw_swim_lanes(course(rows), "user 7").marks if isinstance(mark, Text)]
    assert "and 5 weaker interests" in texts
    assert "Interest k004" not in texts
    assert "Interest k005" in texts


@pytest.mark.parametrize("days", [0.01, 1, 7, 40, 900])
def test_dates_are_few_round_and_in_order(days: float) -> None:
    rows = [(look, "a", "stable", 1.0) for look in range(10)]
    marks = draw_swim_lanes(course(rows, timedelta(days=days)), "user 7").marks
    dates = [mark for mark in marks if isinstance(mark, Text) and mark.y == HEAD / 2]
    assert len(dates) <= MOST_DATES
    assert [mark.x for mark in dates] == sorted(mark.x for mark in dates)
    assert len({mark.text for mark in dates}) == len(dates)


def test_nobody_without_interests_is_drawn() -> None:
    with pytest.raises(ValueError, match="user 7 has no interests"):
        draw_swim_lanes(course([]), "user 7")
