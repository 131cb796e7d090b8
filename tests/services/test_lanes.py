"""What costs much waits for its like: what is light is answered meanwhile, and too much of it is sent away."""

import asyncio
import threading
import time

import pytest

from services.endpoints.lists import RankRequest, RecommendRequest
from services.endpoints.many import ManyRequest
from services.errors import ApiError
from services.lanes import MOST_WAITING, MUCH, Lanes


def test_light_work_goes_on_while_heavy_work_waits_for_its_like() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def heavy() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    async def all_of_it() -> float:
        lanes = Lanes(2)
        work = [asyncio.create_task(lanes.run(MUCH, heavy)) for _ in range(4)]
        await asyncio.sleep(0)
        assert not lanes.idle
        began = time.perf_counter()
        for _ in range(10):
            assert await lanes.run(1, str, 7) == "7"
        took = time.perf_counter() - began
        await asyncio.gather(*work)
        assert lanes.idle
        return took

    assert asyncio.run(all_of_it()) < 0.15  # before even all that is heavy is done
    assert most == 1


def test_too_much_that_is_heavy_is_sent_away_and_what_nobody_waits_for_is_not_begun() -> None:
    async def all_of_it() -> None:
        lanes, done, go = Lanes(1), [], threading.Event()
        first = asyncio.create_task(lanes.run(MUCH, go.wait))
        rest = [asyncio.create_task(lanes.run(MUCH, done.append, number)) for number in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            await lanes.run(MUCH, done.append, "refused")
        assert (refused.value.status, refused.value.fault.code) == (429, "busy")
        assert refused.value.headers == {"Retry-After": "1"}
        rest[0].cancel()
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, *rest[1:])
        assert done == [*range(1, MOST_WAITING)]

    asyncio.run(all_of_it())


def test_requests_that_cost_much_are_known_before_they_are_computed() -> None:
    light = [
        RecommendRequest(user_id="10"), RecommendRequest(user_id="10", k=100), RecommendRequest(text="space"),
        RecommendRequest(history=["1"] * 20), ManyRequest(user_ids=["1", "2"]),
    ]  # fmt: skip
    heavy = [
        RecommendRequest(user_id="10", k=1_000), RankRequest(user_id="10", item_ids=[str(n) for n in range(1_000)]),
        RecommendRequest(history=["1"] * 1_000, k=500), ManyRequest(user_ids=[str(n) for n in range(10)]),
    ]  # fmt: skip
    assert max(each.cost for each in light) < MUCH <= min(each.cost for each in heavy)
