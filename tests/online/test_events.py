"""An event as it comes and as the journal keeps it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strata.data.schema import BEHAVIOURS, WORDED
from strata.online.events import LATE_SECONDS, LiveEvent
from strata.online.records import Record

NOW = 2e9
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
maybe = lambda values: st.one_of(st.none(), values)  # noqa: E731

events = st.builds(
    LiveEvent,
    user_id=texts,
    behaviour=st.sampled_from(BEHAVIOURS),
    item_id=texts,
    timestamp=maybe(st.floats(0, NOW)),
    value=maybe(st.floats(allow_nan=False, allow_infinity=False)),
    dwell_s=maybe(st.floats(0, 1e9)),
    text=maybe(texts),
    event_id=maybe(texts),
)


@given(events)
def test_comes_back_from_its_record(event: LiveEvent) -> None:
    record = event.to_record(NOW, "made")
    assert set(record.body) <= {"item_id", "behaviour", "value", "dwell_s", "text"}
    assert None not in record.body.values()
    again = LiveEvent.of_record(record)
    assert again == event.model_copy(
        update={"timestamp": NOW if event.timestamp is None else event.timestamp, "event_id": event.event_id or "made"}
    )
    assert again.to_record(0.0, "another") == Record("event", record.id, record.user_id, record.at, record.body) or (
        record.at > LATE_SECONDS
    )


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-01-31T12:00:00Z", 1_769_860_800.0),
        ("2026-01-31T12:00:00.250Z", 1_769_860_800.25),
        ("2026-01-31 14:00:00+02:00", 1_769_860_800.0),
        (1_769_860_800, 1_769_860_800.0),
        (0.5, 0.5),
    ],
)
def test_a_time_is_written_with_its_zone_or_in_seconds(written: str | float, seconds: float) -> None:
    event = LiveEvent.model_validate({"user_id": "u", "item_id": "i", "behaviour": "view", "timestamp": written})
    assert event.timestamp == seconds
    assert event.to_record(NOW, "made").at == seconds


@pytest.mark.parametrize(
    "written",
    ["2026-01-31T12:00:00", "2026-01-31", "1769860800", "31/01/2026", "", 1_769_860_800_000, -1, True, float("nan")],
)
def test_any_other_time_is_refused(written: object) -> None:
    with pytest.raises(ValidationError, match="timestamp"):
        LiveEvent.model_validate({"user_id": "u", "item_id": "i", "behaviour": "view", "timestamp": written})


def test_what_is_yet_to_come_happens_now() -> None:
    ahead = datetime.fromtimestamp(NOW + LATE_SECONDS + 1, UTC).isoformat()
    event = LiveEvent.model_validate({"user_id": "u", "item_id": "i", "behaviour": "view", "timestamp": ahead})
    assert event.to_record(NOW, "made").at == NOW


def test_an_item_may_be_missing_where_words_tell() -> None:
    for behaviour in BEHAVIOURS:
        fields = {"user_id": "u", "behaviour": behaviour, "text": "space opera"}
        if behaviour in WORDED:
            record = LiveEvent.model_validate(fields).to_record(NOW, "made")
            assert record.body == {"behaviour": behaviour, "text": "space opera"}
        else:
            with pytest.raises(ValidationError, match="name an item_id, or give the text of one of search, ask"):
                LiveEvent.model_validate(fields)
    with pytest.raises(ValidationError, match="name an item_id"):
        LiveEvent.model_validate({"user_id": "u", "behaviour": "search"})


def test_half_a_character_is_refused() -> None:
    for field in ("user_id", "item_id", "text", "event_id"):
        fields = {"user_id": "u", "item_id": "i", "behaviour": "comment", "text": "t", field: "x\ud800"}
        with pytest.raises(ValidationError, match=field):
            LiveEvent.model_validate(fields)


def test_a_record_with_more_than_an_event_has_is_read_as_one() -> None:
    record = Record("event", "1", "u", 1.0, {"item_id": "i", "behaviour": "click", "list_id": "l"})
    assert LiveEvent.of_record(record) == LiveEvent(
        user_id="u", item_id="i", behaviour="click", event_id="1", timestamp=1.0
    )
