"""Readiness tells the truth at any time: what fails is seen and named, what comes back is seen as well."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.health import Check, Health, NotReady
from services.online import Online
from services.settings import ServiceSettings
from strata.online.records import Record
from strata.recommendation.recommender import Recommender
from tests.online.servers import RedisServer
from tests.services.serving import SERVICE, Server, serving


class Switch:
    def __init__(self) -> None:
        self.fault: Exception | None = None

    def __call__(self) -> None:
        if self.fault is not None:
            raise self.fault


def test_each_part_is_looked_at_and_what_fails_is_named() -> None:
    journal, encoder = Switch(), Switch()

    async def answers() -> None:
        encoder()

    health = Health([Check("journal", journal), Check("encoder", answers)], lag=lambda: 3.5)

    async def story() -> None:
        assert not health.ready
        await health.look()
        assert health.ready
        began = health.parts["journal"].since
        journal.fault = NotReady("the disk is gone")
        await health.look()
        assert not health.ready
        assert health.why() == "not ready: journal"
        told = {part.name: part.because for part in health.state(release=None, refused=None, because=None).parts}
        assert told == {"journal": "the disk is gone", "encoder": None}
        assert health.parts["journal"].since > began
        journal.fault, encoder.fault = None, ValueError("the secret is 42")
        await health.look()
        assert health.parts["encoder"].because == "ValueError"
        assert health.why() == "not ready: encoder"
        encoder.fault = None
        await health.look()
        assert health.ready
        assert health.lag_seconds == 3.5

    asyncio.run(story())


def test_the_lag_is_the_age_of_the_oldest_event_that_no_data_version_has(tmp_path: Path) -> None:
    online = Online(ServiceSettings(journal=str(tmp_path / "journal.sqlite")))
    assert online.lag() == 0
    sent = [Record("event", f"e{age}", "u", time.time() - age, {"item_id": "a", "behaviour": "view"}) for age in (9, 5)]
    first, second = online.journal.append(sent)
    assert 9 <= online.lag() < 14
    online.journal.drain(first.place)
    assert 5 <= online.lag() < 9
    online.journal.drain(second.place)
    assert online.lag() == 0


def test_a_part_that_does_not_answer_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.health.PATIENCE", 0.05)

    async def never() -> None:
        await asyncio.sleep(60)

    async def story() -> None:
        health = Health([Check("encoder", never)])
        await health.look()
        assert not health.ready
        assert "no answer within" in health.parts["encoder"].because

    asyncio.run(story())


def test_it_is_looked_at_again_and_again_and_at_once_where_something_changed() -> None:
    looked: list[float] = []

    async def story() -> None:
        health = Health([Check("x", lambda: looked.append(time.monotonic()))], seconds=0.1)
        watching = asyncio.create_task(health.watch())
        await asyncio.sleep(0.35)
        assert 3 <= len(looked) <= 5
        health.seconds = 60
        health.again()
        await asyncio.sleep(0.2)
        before = len(looked)
        health.again()
        await asyncio.sleep(0.1)
        assert len(looked) == before + 1
        watching.cancel()

    asyncio.run(story())


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("journal") / "redis")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def watched(release: Path, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {
        "STRATA_RELEASE": release, "STRATA_JOURNAL": redis.url, "STRATA_WORKERS": "1", "STRATA_HEALTH_SECONDS": "0.3",
    }  # fmt: skip
    with serving(tmp_path_factory.mktemp("watched"), *SERVICE, environment=environment) as started:
        yield started


def wrong(server: Server) -> list[str]:
    return [part["name"] for part in server.get("/health").json()["parts"] if not part["ok"]]


def becomes(server: Server, status: int) -> str:
    return server.wait("/readyz", lambda answer: answer.status_code == status, seconds=120).text


@pytest.mark.slow
def test_a_service_that_is_well_says_so(watched: Server, library: Recommender) -> None:
    state = watched.get("/health").json()
    assert (state["ready"], state["release"], state["refused"]) == (True, library.manifest.id, None)
    assert [part["name"] for part in state["parts"]] == ["release", "encoder", "journal"]
    assert state["looked_seconds_ago"] < 10
    assert watched.metric("strata_part_ok") == 3


@pytest.mark.slow
def test_without_its_journal_it_is_not_ready_until_that_is_back(watched: Server, redis: RedisServer) -> None:
    redis.kill()
    assert "not ready: journal" in becomes(watched, 503)
    assert wrong(watched) == ["journal"]
    assert watched.metric("strata_part_ok", part="journal") == 0
    redis.start()
    becomes(watched, 200)
    assert wrong(watched) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_without_its_encoder_it_is_not_ready_but_answers_known_users(watched: Server, fault: signal.Signals) -> None:
    worker = watched.worker("encoder")
    os.kill(worker.pid, fault)
    assert "not ready: encoder" in becomes(watched, 503)
    assert wrong(watched) == ["encoder"]
    assert watched.post("/recommend", json={"user_id": "10", "k": 3}).json()["fallback"] is False
    if fault == signal.SIGSTOP:
        os.kill(worker.pid, signal.SIGCONT)
    becomes(watched, 200)
