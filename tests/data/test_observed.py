"""What is read is compared with what the settings mean: mismatches are counted, said with a remedy, and may stop."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.cleaning import Cleaned, CleaningSettings, check
from strata.data.parts import Parts
from strata.data.sources.finding import Finding
from strata.data.unset import chosen_again
from strata.data.weights import RatingSettings
from strata.errors import ValidationFailed
from tests.data.findings import counted
from tests.data.test_cleaning import EVENT, RULES, A, cleaned

ITEMS = [A | {"item_id": str(n)} for n in range(1, 5)]


def events(values: list[Any], behaviour: str = "rate", **more: Any) -> list[dict[str, Any]]:
    """An event a day, each of a user of its own."""
    return [
        {"user_id": f"u{n}", "item_id": str(n % 4 + 1), "behaviour": behaviour, "value": value, **more}
        | {"timestamp": f"2020-{n // 28 + 1:02}-{n % 28 + 1:02}"}
        for n, value in enumerate(values)
    ]


def rules(**change: Any) -> CleaningSettings:
    return CleaningSettings(**{**RULES.model_dump(), **change})


def findings(result: Cleaned, start: str, table: str = "interactions") -> list[Finding]:
    return [each for each in result.counts[table].findings if each.what.startswith(start)]


def test_ratings_outside_the_scale_stop_the_run_with_the_scale_to_set(tmp_path: Path) -> None:
    result = cleaned(tmp_path, events([10, 9, 8, 7, 6, 5, 5, 4, 3, 2]), ITEMS)
    with pytest.raises(ValidationFailed) as failed:
        check(result, RULES)
    assert str(failed.value).endswith(
        "ratings outside cleaning.rating, 1 to 5: observed 2 to 10, taken for the nearest end (5 of 10, 50.0%; column "
        "value; such as '10'); set cleaning.rating to the scale, such as lowest: 1, highest: 10, neutral: 5.5"
    )
    wide = rules(rating=RatingSettings(lowest=1, highest=10, neutral=5.5))
    check(cleaned(tmp_path, events([10, 2]), ITEMS, rules=wide), wide)


def test_a_few_ratings_outside_the_scale_are_told_and_do_not_stop(tmp_path: Path) -> None:
    result = cleaned(tmp_path, events([1, 2, 3, 4, 5] * 25 + [6]), ITEMS)
    check(result, RULES)
    (found,) = findings(result, "ratings outside")
    assert (found.count, found.of, found.stops) == (1, 126, False)


@pytest.mark.parametrize("nothing", [0, -1])
def test_zero_or_minus_one_alone_outside_the_scale_is_likely_no_rating(tmp_path: Path, nothing: int) -> None:
    result = cleaned(tmp_path, events([nothing, nothing, 5, nothing, 3]), ITEMS)
    with pytest.raises(ValidationFailed, match=f"{nothing} likely means 'no rating'"):
        check(result, RULES)


def test_ratings_on_one_side_of_neutral_are_told(tmp_path: Path) -> None:
    wide = rules(rating=RatingSettings(lowest=1, highest=10, neutral=5.5))
    result = cleaned(tmp_path, events([1, 2, 3, 4, 5] * 5), ITEMS, rules=wide)
    assert findings(result, "all ratings lie on one side of neutral (5.5)")


def test_a_rating_without_a_value_is_neutral_or_refused(tmp_path: Path) -> None:
    result = cleaned(tmp_path, events([None, 5]), ITEMS)
    assert counted(findings(result, "rating without")) == {"rating without a value: neutral, weight 0": 1}
    assert sorted(result.interactions["weight"].to_list()) == [0, 1]
    refused = cleaned(tmp_path, events([None, 5]), ITEMS, rules=rules(unrated="refuse"))
    assert refused.counts["interactions"].reasons == {"rating without a value": 1}
    with pytest.raises(ValidationFailed, match="name the column of value"):
        check(cleaned(tmp_path, events([None] * 20), ITEMS), RULES)


def test_returns_are_refused_or_count_against_their_items(tmp_path: Path) -> None:
    bought = events([6, -6, 2], "purchase")
    assert cleaned(tmp_path, bought, ITEMS).counts["interactions"].reasons == {"negative value of a purchase": 1}
    result = cleaned(tmp_path, bought, ITEMS, rules=rules(returns="against"))
    kept = result.interactions.sort("value").select("value", "weight", "chosen").rows()
    assert kept == [(-6, -1, False), (2, 1, True), (6, 1, True)]
    assert counted(findings(result, "negative")) == {"negative value of a purchase: counts against the item": 1}


def test_unknown_behaviours_stop_at_any_share_and_are_named_with_the_nearest_known(tmp_path: Path) -> None:
    known = events([None] * 60, "view")
    strange = events([None] * 3, "addtocart") + events([None], "PV")
    result = cleaned(tmp_path, known + strange, ITEMS)
    with pytest.raises(ValidationFailed) as failed:
        check(result, RULES)
    message = str(failed.value)
    assert "unknown behaviour: addtocart (3, perhaps add-to-cart), PV (1, perhaps view) (4 of 64, 6.2%" in message
    assert "behaviours: {addtocart: add-to-cart}; known are view, click, search" in message


def test_a_behaviour_that_weighs_nothing_is_told(tmp_path: Path) -> None:
    result = cleaned(tmp_path, events([None] * 3, "view"), ITEMS, rules=rules(weights={**RULES.weights, "view": 0.0}))
    assert counted(findings(result, "the behaviour")) == {"the behaviour view weighs 0": 3}


@pytest.mark.parametrize(
    ("when", "hint"),
    [("1970-01-18T12:03:09", "these look like s read as ms: set time_unit: s"),
     ("1970-01-01T00:25:12", "these look like s read as us: set time_unit: s"),
     ("9999-01-01", None)],
)  # fmt: skip
def test_item_times_that_cannot_be_stop_with_the_unit_they_look_like(
    tmp_path: Path, when: str, hint: str | None
) -> None:
    result = cleaned(tmp_path, [EVENT], [A | {"created_at": when}])
    assert result.items["created_at"].to_list() == [None]
    with pytest.raises(ValidationFailed, match=hint or "years ahead: left empty .*correct source.items.time_unit"):
        check(result, RULES)


def test_old_items_and_items_never_removed_are_fine(tmp_path: Path) -> None:
    items = [
        A | {"created_at": "1922-01-01"},
        A | {"item_id": "b", "created_at": "1970-01-01", "removed_at": "9999-12-31"},
    ]
    result = cleaned(tmp_path, [EVENT], items)
    check(result, RULES)
    assert result.items["created_at"].null_count() == 0
    assert counted(findings(result, "removed_at", "items")) == {"removed_at lies years ahead: left empty": 1}


def test_interactions_in_a_wrong_unit_say_which(tmp_path: Path) -> None:
    seconds = [EVENT | {"timestamp": datetime.fromtimestamp(1_500_000 + n, UTC).isoformat()} for n in range(3)]
    with pytest.raises(ValidationFailed, match="before cleaning.earliest .*these look like s read as ms"):
        check(cleaned(tmp_path, seconds), RULES)


def test_one_timestamp_and_constant_columns_are_told(tmp_path: Path) -> None:
    same = [each | {"timestamp": "2020-01-01", "dwell_s": 3} for each in events([4.0] * 20)]
    found = [each.what for each in cleaned(tmp_path, same, ITEMS).counts["interactions"].findings]
    assert "all events have one timestamp: nothing can be learned from time" in found
    assert {"value is the same in all rows", "dwell_s is the same in all rows"} <= set(found)


@pytest.mark.parametrize("name", ["anonymous", "u1"])
def test_one_user_with_most_events_is_told(tmp_path: Path, name: str) -> None:
    busy = [each | {"user_id": name} for each in events([None] * 60, "view")]
    result = cleaned(tmp_path, events([None] * 60, "view") + busy, ITEMS)
    told = "user_id anonymous looks like a missing one" if name == "anonymous" else "one user_id has 50% of all events"
    assert findings(result, told)


@pytest.mark.parametrize(
    ("setting", "events_kept", "values"),
    [("keep", 3, [2, 2, 3]), ("sum", 2, [3, 4]), ("drop", 2, [2, 3])],
)
def test_what_is_bought_twice_at_once_is_no_fault(
    tmp_path: Path, setting: str, events_kept: int, values: list[float]
) -> None:
    twice = [EVENT | {"behaviour": "purchase", "value": value} for value in (2, 2, 3)]
    result = cleaned(tmp_path, twice, rules=rules(repeated_purchases=setting))
    check(result, rules(repeated_purchases=setting))
    assert result.interactions.height == events_kept
    assert sorted(result.interactions["value"].to_list()) == values
    assert result.interactions["event_id"].is_unique().all()


def test_repeated_event_ids_of_the_file_have_a_limit(tmp_path: Path) -> None:
    twice = [EVENT | {"behaviour": "purchase", "event_id": "1"}] * 2
    with pytest.raises(ValidationFailed, match="1 of 2 interactions were refused .duplicates.*duplicate event_id"):
        check(cleaned(tmp_path, twice), RULES)


def test_orphans_are_kept_under_their_ids(tmp_path: Path) -> None:
    strange = [EVENT, EVENT | {"item_id": "x", "user_id": "v"}]
    keep = rules(orphans="keep")
    result = cleaned(tmp_path, strange, users=[{"user_id": "u"}], rules=keep)
    check(result, keep)
    assert result.items.select("item_id", "title").rows()[1] == ("x", "x")
    assert result.users["user_id"].to_list() == ["u", "v"]
    assert findings(result, "interactions whose item_id has no row of its own", "items")


def test_searches_without_an_item_are_kept_as_words(tmp_path: Path) -> None:
    search = EVENT | {"item_id": None, "behaviour": "search", "text": "<b>red</b> shoes", "user_id": "v"}
    result = cleaned(tmp_path, [EVENT, search, search | {"text": None}, search | {"behaviour": "view"}])
    assert result.words.select("user_id", "behaviour", "text").rows() == [("v", "search", "red shoes")]
    assert result.counts["interactions"].reasons == {"no item_id": 2}
    assert result.users["user_id"].to_list() == ["u", "v"]
    assert findings(result, "text without an item: kept as words")


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["Drama|War", "War|Sea", "Drama"], "|"),
        (["Drama War", "War Drama", "Sea War", "Drama Sea"], " "),
        (["#drama#war", "#war#sea", "#sea"], "#"),
        (["#drama #war", "#war #sea", "#sea"], "#"),
        (["Food & Drink", "Health & Drink", "Food & Health"], None),
        (["Science Fiction", "Historical Fiction", "Science Podcasts"], None),
        (["C#", "F#", "Java"], None),
    ],
)
def test_lists_that_are_read_as_one_entry_are_told(tmp_path: Path, cells: list[str], mark: str | None) -> None:
    items = [{"item_id": f"i{n}", "title": f"title {n}", "tags": cells[n % len(cells)]} for n in range(30)]
    told = findings(cleaned(tmp_path, [EVENT | {"item_id": "i0"}], items), "tags", "items")
    assert [f"separator: {{tags: {mark!r}}}" in str(each.remedy) for each in told] == [True] * (mark is not None)


DAYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=80)
"""Users, items and days of purchases."""


@given(bought=DAYS)
def test_what_is_bought_again_on_later_days_is_counted(bought: list[tuple[int, int, int]]) -> None:
    users, items, days = zip(*bought, strict=True)
    frame = pl.DataFrame({"user_id": users, "item_id": items, "behaviour": ["purchase"] * len(days), "day": days})
    at = pl.datetime(2024, 1, 1, time_zone="UTC", time_unit="us") + pl.duration(days="day", hours="item_id")
    told = chosen_again(Parts.of(frame.with_columns(timestamp=at)))
    acts = set(bought)
    later = [act for act in acts if any(user == act[0] and day < act[2] for user, _, day in acts)]
    again = [act for act in acts if any((user, item) == act[:2] and day < act[2] for user, item, day in acts)]
    counts = [(len(again), len(later))] if len(later) >= 20 and len(again) > 0.2 * len(later) else []
    assert [(finding.count, finding.of) for finding in told] == counts
