"""Conversations between turns: kept once each, over after a while, gone when forgotten."""

from pathlib import Path

import pytest

from strata.conversation.sessions import Sessions, TurnTaken, UnknownSession

SECRET = "a film about my late aunt Ottoline"


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "sessions.sqlite", lasts=60, most=3)


def test_a_conversation_goes_on_where_it_was_also_for_another_worker(sessions: Sessions) -> None:
    id = sessions.start({"wants": ["comedies"]})
    turn, state = Sessions(sessions.file).read(id)
    assert (turn, state) == (1, {"wants": ["comedies"]})
    assert Sessions(sessions.file).go_on(id, turn, {"wants": []}) == 2
    assert sessions.read(id) == (2, {"wants": []})


def test_of_two_answers_to_the_same_turn_one_counts(sessions: Sessions) -> None:
    id = sessions.start({})
    sessions.go_on(id, 1, {"first": True})
    with pytest.raises(TurnTaken):
        sessions.go_on(id, 1, {"first": False})
    assert sessions.read(id) == (2, {"first": True})


def test_it_is_over_after_a_while_and_when_forgotten(tmp_path: Path) -> None:
    clock = [1000.0]
    sessions = Sessions(tmp_path / "s.sqlite", lasts=60, now=lambda: clock[0])
    old = sessions.start({"said": SECRET})
    clock[0] += 61
    with pytest.raises(UnknownSession):
        sessions.read(old)
    new = sessions.start({})
    assert sessions.forget(new)
    assert not sessions.forget(new)
    with pytest.raises(UnknownSession):
        sessions.read(new)


def test_what_was_forgotten_is_nowhere_in_the_files(sessions: Sessions) -> None:
    id = sessions.start({"said": SECRET})
    assert sessions.forget(id)
    left = b"".join(file.read_bytes() for file in sessions.file.parent.iterdir())
    assert SECRET.encode() not in left


def test_the_longest_unused_make_room_and_the_file_is_private(sessions: Sessions) -> None:
    clock = iter(range(100))
    sessions = Sessions(sessions.file, most=3, now=lambda: float(next(clock)))
    ids = [sessions.start({"n": n}) for n in range(4)]
    with pytest.raises(UnknownSession):
        sessions.read(ids[0])
    assert [sessions.read(id)[1]["n"] for id in ids[1:]] == [1, 2, 3]
    assert sessions.file.stat().st_mode & 0o077 == 0
