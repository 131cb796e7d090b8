"""Times of parts reach whoever listens in the same thread, and nobody else."""

import threading
import time

import pytest

from strata.timing import OutOfTime, listening, timed


def test_parts_add_up_for_the_listener() -> None:
    with listening() as parts:
        for _ in range(2):
            with timed("ranking"):
                time.sleep(0.01)
        with timed("reasons"):
            pass
    assert parts.keys() == {"ranking", "reasons"}
    assert parts["ranking"] >= 0.02 > parts["reasons"]
    with timed("ranking"):
        pass
    assert parts["ranking"] < 1


def test_threads_and_listeners_within_listeners_are_kept_apart() -> None:
    heard: list[dict[str, float]] = []

    def other() -> None:
        with listening() as parts, timed("theirs"):
            pass
        heard.append(parts)

    with listening() as outer:
        with listening() as inner, timed("inner"):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with timed("outer"):
            pass
    assert (outer.keys(), inner.keys(), heard[0].keys()) == ({"outer"}, {"inner"}, {"theirs"})


def test_a_part_that_fails_is_told_too() -> None:
    with listening() as parts, pytest.raises(ValueError, match="no"), timed("ranking"):
        raise ValueError("no")
    assert "ranking" in parts


def test_no_part_is_begun_for_which_nobody_waits_any_more() -> None:
    with listening(until=time.perf_counter() + 0.01) as parts:
        with timed("candidates"):
            time.sleep(0.02)
        with pytest.raises(OutOfTime), timed("ranking"):
            raise AssertionError("it began")
    assert [*parts] == ["candidates"]
    with timed("ranking"):
        pass
