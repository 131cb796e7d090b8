"""Cleaning: what is accepted conforms to the schema, all else is in the quarantine with its reason."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from strata.data.cleaning import Cleaned, CleaningSettings, check, clean
from strata.data.limits import LimitSettings
from strata.data.normalise import languages, plain_text, plain_texts
from strata.data.schema import BEHAVIOURS, INTERACTIONS, ITEMS, QUARANTINE, USERS
from strata.data.sources.source import Source
from strata.data.sources.tables import InteractionsSettings, ItemsSettings, UsersSettings, read_table
from strata.data.weights import RatingSettings
from strata.errors import ValidationFailed
from tests.data.findings import counted

NOW = datetime(2024, 6, 1, tzinfo=UTC)
RULES = CleaningSettings(weights={**dict.fromkeys(BEHAVIOURS, 1.0), "hide": -1.0, "view": 0.2})
EVENT: dict[str, Any] = {"user_id": "u", "item_id": "a", "behaviour": "view", "timestamp": "2024-01-01"}
A = {"item_id": "a", "title": "A film about the sea and its people"}


def cleaned(
    folder: Path,
    interactions: list[dict[str, Any]],
    items: list[dict[str, Any]] = [A],  # noqa: B006
    users: list[dict[str, Any]] | None = None,
    rules: CleaningSettings = RULES,
) -> Cleaned:
    for name, records in {"i": interactions, "t": items, "u": users or []}.items():
        pl.DataFrame(records, infer_schema_length=None, strict=False).write_parquet(folder / f"{name}.parquet")
    source = Source(
        read_table(folder, InteractionsSettings(file=Path("i.parquet"))),
        read_table(folder, ItemsSettings(file=Path("t.parquet"))),
        None if users is None else read_table(folder, UsersSettings(file=Path("u.parquet"))),
    )
    return clean(source, rules, NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user_id": None}, "no user_id"),
        ({"user_id": "  "}, "no user_id"),
        ({"item_id": None}, "no item_id"),
        ({"behaviour": None}, "no behaviour"),
        ({"behaviour": "stare"}, "unknown behaviour"),
        ({"timestamp": None}, "no timestamp"),
        ({"timestamp": "soon"}, "timestamp is not a time (time_unit: iso)"),
        ({"timestamp": "1970-01-01"}, "timestamp is zero"),
        ({"timestamp": "1989-12-31T23:59:59"}, "timestamp is before cleaning.earliest (1990-01-01)"),
        ({"timestamp": "2024-06-01T00:00:01"}, "timestamp lies in the future"),
        ({"value": float("nan")}, "value is NaN or infinite"),
        ({"value": float("-inf")}, "value is NaN or infinite"),
        ({"dwell_s": -1.0}, "dwell_s is negative"),
        ({"item_id": "ghost"}, "item_id is not in items"),
        ({"user_id": "stranger"}, "user_id is not in users"),
        ({"user_id": "\ufffd"}, "user_id is not valid UTF-8"),
        ({}, "the same event again"),
    ],
)
def test_each_fault_of_an_interaction_has_its_reason(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    result = cleaned(tmp_path, [EVENT, EVENT | change], users=[{"user_id": "u"}])
    assert result.counts["interactions"].reasons == {reason: 1}
    assert result.quarantine.select("table", "row", "reason").rows() == [("interactions", 2, reason)]
    assert result.interactions.height == 1


@pytest.mark.parametrize("table", ["items", "users"])
def test_ids_are_there_and_unique(tmp_path: Path, table: str) -> None:
    key = {"items": "item_id", "users": "user_id"}[table]
    rows = [{key: " a "}, {key: "a"}, {key: None}, {key: "u"}]
    items = rows if table == "items" else [A]
    result = cleaned(tmp_path, [EVENT], items, rows if table == "users" else None)
    assert result.counts[table].reasons == {f"duplicate {key}": 1, f"no {key}": 1}
    assert getattr(result, table)[key].to_list() == ["a", "u"]


def test_the_first_acceptable_of_equal_events_stays(tmp_path: Path) -> None:
    events = [{**EVENT, "event_id": "e", "timestamp": at} for at in ("2999-01-01", "2024-01-03", "2024-01-02")]
    result = cleaned(tmp_path, events)
    assert result.interactions["timestamp"].to_list() == [datetime(2024, 1, 3, tzinfo=UTC)]
    assert result.quarantine["row"].to_list() == [1, 3]


def test_latest_includes_its_day_and_never_reads_the_clock(tmp_path: Path) -> None:
    rules = RULES.model_copy(update={"latest": date(2030, 1, 1)})
    events = [EVENT | {"timestamp": at} for at in ("2030-01-01T23:59:59", "2030-01-02")]
    result = cleaned(tmp_path, events, rules=rules)
    assert result.counts["interactions"].reasons == {"timestamp is after cleaning.latest (2030-01-01)": 1}


def test_users_are_derived_where_there_is_no_table(tmp_path: Path) -> None:
    result = cleaned(
        tmp_path,
        [EVENT | {"user_id": name} for name in ("b", "a", "b", "c")] + [EVENT | {"item_id": "x", "user_id": "z"}],
    )
    assert result.users["user_id"].to_list() == ["a", "b", "c"]
    assert "users" not in result.counts


def test_tables_conform_and_are_sorted(tmp_path: Path) -> None:
    events = [EVENT | {"user_id": u, "timestamp": f"2024-01-0{d}"} for u, d in (("b", 1), ("a", 2), ("a", 1))]
    result = cleaned(tmp_path, events, [{"item_id": "b"}, A], [{"user_id": "b"}, {"user_id": "a"}])
    assert (result.interactions.schema, result.items.schema, result.users.schema) == (
        INTERACTIONS,
        ITEMS,
        USERS,
    )
    assert result.quarantine.schema == QUARANTINE
    assert result.items["item_id"].to_list() == ["a", "b"]
    assert result.interactions.equals(result.interactions.sort("user_id", "timestamp", "item_id", "event_id"))


def test_an_item_without_words_stays_under_its_id(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [EVENT], [{"item_id": "a", "title": "<p> </p>"}, {"item_id": "b", "tags": ["x", " "]}])
    assert result.items.select("title", "tags").rows() == [("a", []), (None, ["x"])]
    assert counted(result.counts["items"].findings) == {"no text: the id stands as title": 1}


@pytest.mark.parametrize(
    ("behaviour", "value", "weight"),
    [("rate", 5, 1), ("rate", 2.5, 0), ("rate", 1, -1), ("rate", 9, 1), ("rate", -9, -1), ("rate", 4, 0.6),
     ("rate", None, 0), ("view", 5, 0.2), ("hide", None, -1)],
)  # fmt: skip
def test_weights(tmp_path: Path, behaviour: str, value: float | None, weight: float) -> None:
    result = cleaned(tmp_path, [EVENT | {"behaviour": behaviour, "value": value}])
    assert result.interactions["weight"].to_list() == pytest.approx([weight])


def test_settings_refuse_missing_weights_and_a_bent_scale() -> None:
    with pytest.raises(ValidationError, match="weights lack hide"):
        CleaningSettings(weights={name: 1.0 for name in RULES.weights if name != "hide"})
    with pytest.raises(ValidationError, match="neutral must lie between"):
        RatingSettings(lowest=1, neutral=5, highest=5)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("<p>Fish &amp; <b>chips</b></p><br/>now", "Fish & chips now"),
        ("<script>evil()</script>a < b and c > d, I <3 you", "a < b and c > d, I <3 you"),
        ("w<b>or</b>d<!-- no --> <style>p{}</style>", "word"),
        ("&lt;b&gt; is a tag", "<b> is a tag"),
        ("a\x00b\x07\n\n c\u202e\ufeff", "a b c"),
        ("e\u0301", "é"),
        (" \t ", None),
        ("<br>", None),
        ("&#xD800;", "\ufffd"),
        ("三体　全集", "三体 全集"),
        (None, None),
    ],
)
def test_plain_text(raw: str | None, plain: str | None) -> None:
    assert plain_text(pl.Series("t", [raw, "x"]), 100)[0].to_list() == [plain, "x"]


@pytest.mark.parametrize("part", ["<script", "<!--", "&amp;lt", "<a ", "x ", "\u0301"])
def test_ten_megabytes_are_cut_in_no_time(part: str) -> None:
    text, cut = plain_text(pl.Series("t", [part * (10_000_000 // len(part.encode())), "é" * 20_000]), 20_000)
    assert cut == 1
    assert text.str.len_chars().to_list() <= [20_000, 20_000]


def test_lists_lose_empty_and_repeated_entries() -> None:
    lists = pl.Series("tags", [["a", "<b>a</b>", "", "b"], None, [], ["b", "a"]], dtype=pl.List(pl.String))
    assert plain_texts(lists, 10).to_list() == [["a", "b"], [], [], ["b", "a"]]


def test_languages_trust_long_text_and_other_scripts_only() -> None:
    texts = [
        "The old man and the sea is a short novel about a fisherman",
        "Der alte Mann und das Meer ist eine Novelle über einen Fischer",
        "The story of a girl who could not sleep",
        "Die Hard", "老人与海的故事", "ノルウェイの森", "1984", None,
    ]  # fmt: skip
    assert languages(pl.Series(texts)).to_list() == ["en", "de", "en", "en", "zh", "ja", "en", None]
    assert languages(pl.Series([None, ""])).to_list() == [None, None]
    assert languages(pl.Series(["三体", "平凡的世界", "活着", "Die Hard"])).to_list()[:3] == ["zh"] * 3


def test_a_given_language_is_kept(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [EVENT], [A | {"language": "FR"}])
    assert result.items["language"].to_list() == ["fr"]


def test_every_kind_of_fault_has_its_limit_and_all_are_told_at_once(tmp_path: Path) -> None:
    events = [EVENT, EVENT | {"item_id": "x"}, EVENT | {"timestamp": None}, EVENT | {"behaviour": "stare"}]
    result = cleaned(tmp_path, events, [A, A])
    with pytest.raises(ValidationFailed) as failed:
        check(result, RULES)
    message = str(failed.value)
    for told in (
        "t.parquet: 1 of 2 items were refused (duplicates), at most 10.0% may be: duplicate item_id (1 of 2, 50.0%",
        "i.parquet: 1 of 4 interactions were refused (orphans)",
        "column item_id; such as 'x'); items have ids such as 'a'; add them to items, or set cleaning.orphans: keep",
        "i.parquet: 2 of 4 interactions were refused (bad values)",
        "first: row 3",
        "or raise cleaning.limits.bad_values",
        "unknown behaviour: stare (1",
    ):
        assert told in message, message
    assert message.startswith("4 faults\n")
    lenient = {"quarantine_at_most": 0.7, "limits": LimitSettings(orphans=0.2)}
    with pytest.raises(ValidationFailed, match="^2 faults\n.*stare.*\n.*orphans.*at most 20.0% may be"):
        check(result, RULES.model_copy(update=lenient))


def test_nothing_left_is_refused_whatever_the_limit(tmp_path: Path) -> None:
    lenient = RULES.model_copy(update={"quarantine_at_most": 1.0})
    with pytest.raises(ValidationFailed, match="no interactions are left"):
        check(cleaned(tmp_path, [EVENT | {"item_id": "x"}]), lenient)
    with pytest.raises(ValidationFailed, match="no items are left"):
        check(cleaned(tmp_path, [EVENT], [{"item_id": None, "title": "x"}]), lenient)


def test_one_user_and_one_item_pass(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [EVENT])
    check(result, RULES)
    assert (result.interactions.height, result.items.height, result.users.height) == (1, 1, 1)


IDS = st.sampled_from(["a", "b", " a", "", "三", "x\ufffd"]) | st.none()
TIMES = st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1)) | st.none()
EVENTS = st.fixed_dictionaries(
    {
        "user_id": IDS,
        "item_id": IDS,
        "behaviour": st.sampled_from([*BEHAVIOURS, "Add_To_Cart", "zap"]) | st.none(),
        "timestamp": TIMES,
        "value": st.floats() | st.none(),
        "text": st.text(st.characters(codec="utf-8"), max_size=8) | st.none(),
        "event_id": st.sampled_from(["1", "2"]) | st.none(),
    }
)
THINGS = st.fixed_dictionaries({"item_id": IDS, "title": st.text(st.characters(codec="utf-8"), max_size=5) | st.none()})
PEOPLE = st.none() | st.lists(
    st.fixed_dictionaries({"user_id": IDS, "profile_text": st.none() | st.just("<i>hi")}),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=60,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    events=st.lists(EVENTS, min_size=1, max_size=8),
    things=st.lists(THINGS, min_size=1, max_size=5),
    people=PEOPLE,
)
def test_nothing_vanishes_and_what_is_left_is_sound(
    tmp_path: Path,
    events: list[dict[str, Any]],
    things: list[dict[str, Any]],
    people: list[dict[str, Any]] | None,
) -> None:
    typed = [event | {"timestamp": event["timestamp"] and event["timestamp"].isoformat()} for event in events]
    result = cleaned(tmp_path, typed, things, people)
    read = {"interactions": len(events), "items": len(things)} | ({} if people is None else {"users": len(people)})
    for name, rows in read.items():
        refused = result.quarantine.filter(pl.col("table") == name)
        apart = result.words.height if name == "interactions" else 0
        assert getattr(result, name).height + apart + refused.height == rows == result.counts[name].read
        assert refused["row"].n_unique() == refused.height
    assert result.quarantine.null_count().sum_horizontal().item() == 0
    events_left = result.interactions
    assert (events_left.schema, result.items.schema, result.users.schema) == (INTERACTIONS, ITEMS, USERS)
    assert set(events_left["item_id"]) <= set(result.items["item_id"])
    assert set(events_left["user_id"]) <= set(result.users["user_id"])
    assert events_left["event_id"].is_unique().all()
    assert events_left.select("weight").fill_nan(None).null_count().item() == 0
    assert events_left["weight"].is_between(-1, 1).all()


def test_a_behaviour_of_negative_weight_is_no_choice_and_a_low_rating_is_one(tmp_path: Path) -> None:
    events = [{**EVENT, "behaviour": behaviour, "value": 1.0} for behaviour in ("view", "hide", "rate")]
    found = cleaned(tmp_path, events).interactions.select("behaviour", "chosen").rows()
    assert sorted(found) == [("hide", False), ("rate", True), ("view", True)]
