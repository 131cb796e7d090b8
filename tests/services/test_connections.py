"""Connections that do not send their headers, or too many, are closed; the others do not notice. A real uvicorn."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn

from services.connections import Connection
from services.headers import SAFE
from services.settings import ServiceSettings
from tests.services.serving import Server

HALF = b"POST /recommend HTTP/1.1\r\nHost: x\r\nX-a: b"
WHOLE = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
Reading = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(scope, receive, send) -> None:
    """Refuses /refuse without reading; sends back the number of bytes of all else."""
    size, more = 0, scope["path"] != "/refuse"
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = b"%d" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def served(**settings: float) -> AsyncIterator[int]:
    """The port of a uvicorn with our connections."""
    own = type("Own", (Connection,), {"settings": ServiceSettings(**settings)})
    server = uvicorn.Server(uvicorn.Config(echo, http=own, lifespan="off", log_config=None, server_header=False))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(2_048)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def sending(port: int, *parts: bytes, pause: float = 0.0) -> Reading:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    return reader, writer


async def until_closed(connection: Reading, within: float) -> tuple[bytes, float]:
    """What came until the other side closed, and the seconds that took."""
    reader, writer = connection
    began = time.monotonic()
    try:
        got = await asyncio.wait_for(reader.read(), within)
    finally:
        writer.close()
    return got, time.monotonic() - began


def told(got: bytes) -> tuple[int, dict]:
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert not [name for name, value in SAFE if b"%b: %b" % (name, value.lower()) not in lines]
    return int(lines[0].split()[1]), json.loads(body)["error"]


def test_six_hundred_half_sent_requests_are_closed_in_time_and_others_are_answered() -> None:
    async def attack() -> None:
        async with served(header_time_out=1.0) as port:
            slow = await asyncio.gather(*(sending(port, HALF) for _ in range(600)))
            began = time.monotonic()
            reader, writer = await sending(port, WHOLE)
            assert (await reader.read(400)).startswith(b"HTTP/1.1 200")
            answered = time.monotonic() - began
            writer.close()
            closed = await asyncio.gather(*(until_closed(each, 10) for each in slow))
            assert answered < 1
            assert {told(got)[0] for got, _ in closed} == {408}
            assert max(seconds for _, seconds in closed) < 3

    asyncio.run(attack())


def test_bytes_that_trickle_do_not_buy_time_and_silence_does_not_either() -> None:
    async def attack() -> None:
        async with served(header_time_out=0.5) as port:
            began = time.monotonic()
            reader, writer = await sending(port, b"GET / HTTP/1.1\r\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(40):
                    writer.write(b"a: b\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
                    if reader.at_eof():
                        break
            assert time.monotonic() - began < 1.5
            assert (await until_closed(await sending(port), 5))[0] == b""  # nothing sent, nothing told

    asyncio.run(attack())


def test_the_second_request_of_a_connection_is_timed_too_and_an_idle_one_closed() -> None:
    async def attack() -> None:
        async with served(header_time_out=0.5, keep_alive=30) as port:
            got, seconds = await until_closed(await sending(port, WHOLE, HALF, pause=0.2), 5)
            assert got.count(b"HTTP/1.1 200") == 1
            assert b"HTTP/1.1 408" in got
            assert seconds < 1.5
        async with served(header_time_out=30, keep_alive=0.5) as port:
            got, seconds = await until_closed(await sending(port, WHOLE), 5)
            assert got.endswith(b"\r\n2")
            assert 0.3 < seconds < 2

    asyncio.run(attack())


@pytest.mark.parametrize("size", [0, 10, 70_000, 3_000_000])
def test_bodies_of_any_size_and_requests_one_behind_another_are_no_headers(size: int) -> None:
    request = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size

    async def ask() -> None:
        async with served(keep_alive=0.5, header_limit=1_000) as port:
            got, _ = await until_closed(await sending(port, request * 3), 20)
            assert got.count(b"HTTP/1.1 200") == 3
            assert got.endswith(b"\r\n%d" % size)

    asyncio.run(ask())


def test_endless_headers_are_refused_by_their_size() -> None:
    async def attack() -> None:
        async with served(header_limit=1_000) as port:
            line = b"a: " + b"x" * 100 + b"\r\n"
            got, _ = await until_closed(await sending(port, b"GET / HTTP/1.1\r\n", *[line] * 10, pause=0.01), 5)
            status, error = told(got)
            assert (status, error["code"]) == (431, "headers_too_large")

    asyncio.run(attack())


def test_what_is_not_http_is_told_in_the_shape_of_all_errors() -> None:
    async def attack() -> None:
        async with served() as port:
            got, _ = await until_closed(await sending(port, b"\x16\x03\x01 hello\r\n\r\n"), 5)
            assert told(got)[0] == 400

    asyncio.run(attack())


def test_a_body_that_was_refused_unread_may_not_go_on_for_ever() -> None:
    head = b"POST /refuse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def attack() -> None:
        async with served(header_time_out=0.5, keep_alive=0.2) as port:
            reader, writer = await sending(port, head)
            began = time.monotonic()
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    writer.write(b"1\r\nx\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
                    if reader.at_eof():
                        break
            assert time.monotonic() - began < 2
            # One that ends is thrown away, and the connection is used on.
            got, _ = await until_closed(await sending(port, head, b"1\r\nx\r\n0\r\n\r\n", WHOLE, pause=0.05), 5)
            assert got.count(b"HTTP/1.1 200") == 2

    asyncio.run(attack())


@pytest.mark.slow
def test_the_real_service_closes_them_too(server: Server) -> None:
    host, port = server.base_url.host, server.base_url.port
    slow = [socket.create_connection((host, port), timeout=20) for _ in range(200)]
    try:
        for each in slow:
            each.sendall(HALF)
        began = time.monotonic()
        assert server.get("/release").status_code == 200
        assert {each.recv(4_096)[:12] for each in slow} == {b"HTTP/1.1 408"}
        assert time.monotonic() - began < 10
    finally:
        for each in slow:
            each.close()
