"""Parts run side by side, come back in order, and fail where they are waited for."""

import os
import threading
import time

import pytest

from strata._kernels.threads import cores, side_by_side


def test_results_come_in_the_order_of_the_parts() -> None:
    def late_first(part: int) -> int:
        time.sleep(0.02 if part % 2 == 0 else 0)
        return part

    assert list(side_by_side(late_first, range(9))) == list(range(9))
    assert list(side_by_side(late_first, [])) == []


def test_as_many_run_at_a_time_as_there_are_cores() -> None:
    together = threading.Barrier(cores(), timeout=30)
    assert len({*side_by_side(lambda part: (together.wait(), threading.get_ident())[1], range(cores()))}) == cores()


def test_no_more_are_made_ahead_than_are_asked_for_soon() -> None:
    made: list[int] = []
    results = side_by_side(made.append, range(100))
    next(results)
    time.sleep(0.1)
    assert len(made) <= cores() + 2
    results.close()


def test_parts_of_parts_wait_for_nobody() -> None:
    """With all threads busy, a part that waited for another thread would wait for ever."""
    found = side_by_side(lambda part: sum(side_by_side(lambda inner: inner * part, range(10))), range(4 * cores()))
    assert list(found) == [45 * part for part in range(4 * cores())]


def test_what_fails_in_a_part_is_raised() -> None:
    def fails(part: int) -> float:
        return 1 / (part - 3)

    with pytest.raises(ZeroDivisionError):
        list(side_by_side(fails, range(9)))


def test_a_forked_process_has_threads_of_its_own() -> None:
    assert list(side_by_side(abs, [-1])) == [1]
    child = os.fork()
    if child == 0:
        os._exit(0 if list(side_by_side(abs, [-2, -3])) == [2, 3] else 1)
    for _ in range(300):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            return
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child waits for threads that only its parent has")
