"""Work for many callers at once: whoever comes is served, also in the moment in which a run ends."""

import asyncio
from collections.abc import Sequence

import pytest

from services.together import Together


async def doubled(items: Sequence[int]) -> list[int | Exception]:
    await asyncio.sleep(0)
    return [ValueError(item) if item < 0 else 2 * item for item in items]


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_whoever_asks_again_right_after_an_answer_is_served(side_by_side: int) -> None:
    async def one_after_another() -> list[int]:
        together = Together(doubled, 3, side_by_side)
        async with asyncio.timeout(5):  # around all of it: a time-out of each call would give the run time to end
            return [await together.do(number) for number in range(50)]

    assert asyncio.run(one_after_another()) == [2 * number for number in range(50)]


def test_many_callers_get_each_their_own_and_share_calls() -> None:
    calls: list[int] = []

    async def counted(items: Sequence[int]) -> list[int | Exception]:
        calls.append(len(items))
        return await doubled(items)

    async def many() -> list[int | BaseException]:
        together = Together(counted, 10)

        async def caller(number: int) -> list[int | BaseException]:
            return [*await asyncio.gather(*(together.do(number) for _ in range(3)), return_exceptions=True)]

        found = await asyncio.wait_for(asyncio.gather(*(caller(number) for number in range(-5, 20))), 10)
        assert len(together) == 0
        return [each for of_one in found for each in of_one]

    found = asyncio.run(many())
    assert [str(each) for each in found] == [
        str(number if number < 0 else 2 * number) for number in range(-5, 20) for _ in range(3)
    ]
    assert max(calls) == 10
    assert len(calls) < len(found) / 2
