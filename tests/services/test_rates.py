"""Tokens have a rate, each its own; above it 429 says when to come again."""

import asyncio
import time
from pathlib import Path

import pytest

from services.errors import ApiError
from services.rates import Rates
from services.settings import ServiceSettings
from strata.errors import SettingsError
from strata.online.tokens import Token
from tests.online.servers import RedisServer

WEB, ANN = (Token(name, ("read",), "", 0.0) for name in ("web", "ann"))


def refusals(rates: Rates, token: Token, times: int) -> list[ApiError]:
    async def ask() -> list[ApiError]:
        found = []
        for _ in range(times):
            try:
                await rates.check(token)
            except ApiError as error:
                found.append(error)
        return found

    return asyncio.run(ask())


def test_each_token_has_the_rate_for_itself_and_learns_when_to_come_again() -> None:
    rates = Rates(ServiceSettings(rate="5/minute", workers=1))
    assert not refusals(rates, WEB, 5)
    (refused,) = refusals(rates, WEB, 1)
    assert (refused.status, refused.fault.code) == (429, "rate_limited")
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert not refusals(rates, ANN, 5)


def test_after_its_time_a_token_is_admitted_again() -> None:
    rates = Rates(ServiceSettings(rate="2/second", workers=1))
    assert len(refusals(rates, WEB, 4)) == 2
    time.sleep(1.05)
    assert not refusals(rates, WEB, 2)


@pytest.mark.parametrize(("workers", "part"), [(1, 10), (2, 5), (3, 4), (4, 3)])
def test_each_worker_admits_its_part(workers: int, part: int) -> None:
    rates = Rates(ServiceSettings(rate="10/minute", workers=workers))
    assert len(refusals(rates, WEB, 20)) == 20 - part


def test_without_its_store_nobody_is_kept_out_and_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    rates = Rates(ServiceSettings(rate="1/minute", rate_store="redis://user:hunter2@127.0.0.1:9/0"))
    began = time.monotonic()
    with caplog.at_level("ERROR", "bentoml.strata"):
        assert not refusals(rates, WEB, 3)
    assert time.monotonic() - began < 5
    assert len(caplog.records) == 1
    assert "hunter2" not in caplog.text


@pytest.mark.slow
def test_workers_that_share_a_store_share_the_rate_and_an_outage_keeps_nobody_out(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    try:
        one, other = (Rates(ServiceSettings(rate="6/minute", rate_store=server.url, workers=4)) for _ in range(2))

        async def ask() -> list[int]:
            found = []
            for turn in range(10):
                try:
                    await (one, other)[turn % 2].check(WEB)
                except ApiError as error:
                    found.append(int(error.headers["Retry-After"]))
            server.kill()
            await one.check(WEB)
            for each in (one, other):
                await each._shared.storage.bridge.storage.aclose()
            return found

        waits = asyncio.run(ask())
        assert len(waits) == 4
        assert all(50 <= wait <= 60 for wait in waits)
    finally:
        server.kill()


@pytest.mark.parametrize("rate", ["often", "0/second", "-1/second", "10", "10/fortnight"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(SettingsError, match="STRATA_RATE: write a rate as 100/minute"):
        ServiceSettings.from_environment({"STRATA_RATE": rate})
