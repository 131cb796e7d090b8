"""A worker brings its release up to date once for all who wait, and goes on without what cannot be added in time."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import numpy as np
import pytest

from services.items import ItemsNow
from services.texts import Texts
from strata.embeddings.vectors import unit
from strata.errors import StoreUnavailable
from strata.online.live_items import LiveItems
from strata.online.records import Record
from strata.online.sqlite import SqliteJournal
from tests.online.widened.adding import RELEASE
from tests.strategies import DIMENSION

pytestmark = pytest.mark.slow


class Model:
    """Stands for BentoML's proxy of the encoder: it reads, is down, or takes long."""

    def __init__(self) -> None:
        self.down, self.seconds, self.read = False, 0.0, []

    async def encode(self, pairs: list[tuple[str, str]]) -> list[Any]:
        if self.down:
            raise aiohttp.ClientConnectionError
        await asyncio.sleep(self.seconds)
        self.read.extend(text for _, text in pairs)
        return list(unit(np.random.default_rng(1).normal(size=(len(pairs), DIMENSION))))


class Worker:
    """An API worker's part that knows items."""

    def __init__(self, file: Path, patience: float = 20.0) -> None:
        self.model, self.journal = Model(), SqliteJournal(file)
        self.items = LiveItems(self.journal)
        texts = Texts(SimpleNamespace(to_async=self.model), 1.0)
        self.now = ItemsNow(self.items, texts, patience)

    def send(self, *item_ids: str) -> int:
        """Keep items; the place of the last."""
        sent = [
            Record("item", f"c-{item_id}", None, 1.0, {"item_id": item_id, "title": item_id}) for item_id in item_ids
        ]
        return self.journal.append(sent)[-1].place

    async def has(self, item_id: str) -> bool:
        return item_id in (await self.now.current(RELEASE)).catalogue


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path / "journal.sqlite")


def test_whoever_asks_next_gets_it_and_all_wait_for_one_reading(worker: Worker) -> None:
    async def asked() -> None:
        worker.send(*(f"n{n}" for n in range(20)))
        assert all(await asyncio.gather(*(worker.has(f"n{n}") for n in range(20))))
        assert len(worker.model.read) == 20
        await worker.now.catch_up(RELEASE, worker.send("m"))
        assert "m" in worker.items.served(RELEASE).catalogue

    asyncio.run(asked())


def test_without_the_encoder_removals_hold_the_rest_waits_and_comes(worker: Worker) -> None:
    async def asked() -> None:
        worker.model.down = True
        worker.send("n0")
        worker.journal.append([Record("item", "gone", None, 1.0, {"item_id": "i03", "removed": True})])
        now = await worker.now.current(RELEASE)
        assert not now.admitted()[3]
        assert "n0" not in now.catalogue
        assert list(worker.items.waiting(RELEASE)) == ["n0"]
        assert await worker.now.current(RELEASE) is now, "nobody tries again while somebody waits"
        worker.model.down = False
        await worker.now.keep_up(RELEASE)
        assert await worker.has("n0")

    asyncio.run(asked())


def test_a_request_waits_for_a_slow_encoder_only_so_long_and_only_once(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "journal.sqlite", patience=0.05)

    async def asked() -> None:
        worker.model.seconds = 0.4
        worker.send("n0")
        assert not await worker.has("n0")
        start = asyncio.get_running_loop().time()
        assert not await worker.has("n0")
        assert asyncio.get_running_loop().time() - start < 0.05
        await asyncio.sleep(2)
        assert await worker.has("n0"), "adding it went on"
        assert worker.model.read == ["n0"]

    asyncio.run(asked())


def test_without_the_journal_what_is_known_is_served(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked() -> None:
        worker.send("n0")
        assert await worker.has("n0")
        worker.journal.file.rename(worker.journal.file.with_suffix(".away"))
        with pytest.raises(StoreUnavailable):
            worker.journal.check()
        assert await worker.has("n0")
        await worker.now.keep_up(RELEASE)

    asyncio.run(asked())


def test_an_item_that_cannot_be_added_stops_no_request(worker: Worker) -> None:
    async def asked() -> None:
        worker.journal.append([Record("item", "bad", None, 1.0, {"item_id": "n0", "created_at": "nonsense"})])
        assert not await worker.has("n0")
        worker.send("n1")
        assert not await worker.has("n1")
        assert (await worker.now.current(RELEASE)).recommend("u0")

    asyncio.run(asked())
