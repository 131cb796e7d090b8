"""Messages of other systems: events become records, anything else a reason that shows nothing of the message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.online.consumers.parsing import LONGEST, Unreadable, parse
from strata.online.records import Record

SECRET = "qzx-secret"
GOOD = {"user_id": "ann", "item_id": "i1", "behaviour": "click"}


def test_an_event_becomes_a_record() -> None:
    message = json.dumps({**GOOD, "timestamp": "2026-01-31T12:00:00Z", "value": 3, "event_id": "e1", "text": "é 🙂"})
    expected = {"item_id": "i1", "behaviour": "click", "value": 3.0, "text": "é 🙂"}
    assert parse(message.encode(), "s/1-0", 2e9) == Record("event", "e1", "ann", 1_769_860_800.0, expected)


def test_an_event_without_an_id_has_that_of_its_entry_so_that_it_counts_once() -> None:
    message = json.dumps(GOOD).encode()
    assert parse(message, "s/1-0", 1.0).id == "s/1-0"
    assert parse(message, "s/1-0", 1.0).digest == parse(message, "s/1-0", 9.0).digest


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "no message"),
        (b"{", "Invalid JSON"),
        (b"[1]", "object"),
        (b"null", "object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b'{"user_id": "\\ud800"}', "Invalid JSON"),
        (b"[" * 50_000, "Invalid JSON"),
        (b" " * 70_000, "70,000 bytes; at most 65,536"),
        (json.dumps({**GOOD, "user_id": 7}).encode(), "user_id: Input should be a valid string"),
        (json.dumps({**GOOD, "behaviour": SECRET}).encode(), "behaviour: Input should be 'view'"),
        (json.dumps({**GOOD, "value": float("nan")}).encode(), "value"),
        (json.dumps({**GOOD, "dwell_s": -1}).encode(), "dwell_s: Input should be greater than or equal to 0"),
        (json.dumps({**GOOD, "timestamp": 1_769_860_800_000}).encode(), "timestamp"),
        (json.dumps({**GOOD, "email": SECRET}).encode(), "email: Extra inputs are not permitted"),
        (json.dumps({"user_id": SECRET, "behaviour": "click"}).encode(), "name an item_id"),
        (json.dumps({**GOOD, "text": SECRET * 1_000}).encode(), "text: String should have at most 2000 characters"),
    ],
)
def test_anything_else_is_refused_with_a_reason_and_nothing_of_its_content(message: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(message, "s/1-0", 1.0)
    assert reason in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(str(caught.value)) <= LONGEST


@given(
    st.one_of(st.binary(), st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps).map(str.encode))
)
def test_no_message_does_anything_but_become_a_record_or_be_refused(message: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(message, "s/1-0", 1.0)
