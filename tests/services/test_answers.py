"""Answers from memory: the same while nothing changed, computed once for all who ask at once, never a failed one."""

import asyncio
from collections.abc import Awaitable, Callable

from services.answers import TICKET, Answers, Remembered

Endpoint = Callable[[], Awaitable[int]]


class Caller:
    """Asks a remembered endpoint that takes a moment and counts how often it computes."""

    def __init__(self) -> None:
        self.state, self.computed, self.status, self.fills = "one", 0, 200, True
        self.answers = Answers(state=lambda user: (user, self.state), seconds=60)
        self.remembered = Remembered(self.endpoint, self.answers)

    async def endpoint(self, scope, receive, send) -> None:
        await receive()
        self.computed += 1
        state, number = self.state, self.computed
        if self.fills:
            TICKET.get().user_id, TICKET.get().state = "ann", ("ann", state)
        await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": f"{state} {number}".encode()})

    async def ask(self, body: bytes = b'{"user_id": "ann"}') -> str:
        found = bytearray()

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message) -> None:
            found.extend(message.get("body", b""))

        await self.remembered({"type": "http", "method": "POST", "path": "/recommend"}, receive, send)
        return found.decode()

    def together(self, count: int) -> list[str]:
        async def all_of_them() -> list[str]:
            return await asyncio.gather(*(self.ask() for _ in range(count)))

        return asyncio.run(all_of_them())


def test_who_asks_the_same_at_once_gets_one_answer() -> None:
    caller = Caller()
    assert caller.together(20) == ["one 1"] * 20
    assert caller.together(20) == ["one 1"] * 20
    assert caller.computed == 1
    caller.state = "two"
    assert caller.together(20) == ["two 2"] * 20
    assert caller.computed == 2


def test_what_happens_while_an_answer_is_computed_is_in_the_answers_of_those_who_waited() -> None:
    caller = Caller()

    async def meanwhile() -> list[str]:
        asked = [asyncio.create_task(caller.ask()) for _ in range(5)]
        await asyncio.sleep(0.002)
        caller.state = "two"
        return await asyncio.gather(*asked)

    first, *others = asyncio.run(meanwhile())
    assert first == "one 1"
    assert {each.split()[0] for each in others} == {"two"}


def test_answers_that_may_not_be_kept_keep_nobody_waiting_in_line() -> None:
    for change in ({"fills": False}, {"status": 503}):
        caller = Caller()
        vars(caller).update(change)
        assert len(set(caller.together(8))) == 8
        assert caller.computed == 8


def test_whoever_leaves_lets_the_others_go_on() -> None:
    caller = Caller()

    async def leaves() -> list[str]:
        first = asyncio.create_task(caller.ask())
        await asyncio.sleep(0.002)
        others = [asyncio.create_task(caller.ask()) for _ in range(3)]
        await asyncio.sleep(0.002)
        first.cancel()
        return await asyncio.wait_for(asyncio.gather(*others), 5)

    assert len(asyncio.run(leaves())) == 3
    assert not caller.remembered._under_way
