"""What an API worker has of the items that came since its release: it is up to date before anything is answered."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import numpy as np

from services.errors import log_without_values
from services.metrics import ITEMS_LATE, ITEMS_WAITING
from services.texts import EncoderUnavailable, Texts
from strata.errors import StoreUnavailable
from strata.online.live_items import LiveItems
from strata.recommendation.recommender import Recommender

T = TypeVar("T")
AT_ONCE: Final = 16
"""Texts of items in one call to the encoder: searches go in between."""
MOST_SECONDS: Final = 30.0
"""That bringing a release up to date may take whoever sent an item; what is not served then waits."""


class ItemsNow:
    """Of one event loop. A release is brought up to date by one task at a time; requests wait for it together."""

    def __init__(self, items: LiveItems, texts: Texts, patience: float) -> None:
        """`patience`: seconds for which a request waits for items of others; then it goes on without them."""
        self.items = items
        self.texts = texts
        self.patience = patience
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._given_up: tuple[str, int] = ("", 0)

    async def current(self, release: Recommender) -> Recommender:
        """The release with all items that the journal has, as far as they could be added in time."""
        try:
            last = await self._asked(self.items.last)
        except StoreUnavailable:  # what needs the journal says so; the rest goes on with what is known
            return self.items.served(release)
        if last > self.items.upto(release) and (release.manifest.id, last) != self._given_up:
            await self.catch_up(release, last, self.patience)
        return self.items.served(release)

    async def catch_up(self, release: Recommender, place: int, seconds: float = MOST_SECONDS) -> None:
        """Wait until a release has the items up to a place, or for so many seconds; adding them goes on then."""
        task = asyncio.create_task(self._caught_up(release, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done or self.items.upto(release) < place:
            self._given_up = release.manifest.id, place
            ITEMS_LATE.inc()

    async def keep_up(self, release: Recommender) -> None:
        """Bring a release up to date, and read what nobody could read before; without the journal, do nothing."""
        try:
            last = await self._asked(self.items.last)
            if last > self.items.upto(release):
                await self.catch_up(release, last)
            elif self.items.waiting(release):
                async with self._turn:
                    await self._bring(release)
        except StoreUnavailable:
            return

    async def _caught_up(self, release: Recommender, place: int) -> None:
        async with self._turn:
            if self.items.upto(release) >= place:
                return
            try:
                await self._bring(release)
            except StoreUnavailable:
                return
            except Exception as error:  # a request must not fail because an item cannot be added
                log_without_values(error)

    async def _bring(self, release: Recommender) -> None:
        ahead = await asyncio.to_thread(self.items.ahead, release)
        vectors = await self._read(release.manifest.id, ahead.to_read)
        await asyncio.to_thread(self.items.added, release, ahead, vectors)
        ITEMS_WAITING.set(len(self.items.waiting(release)))

    async def _read(self, release: str, texts: list[str]) -> Mapping[str, np.ndarray]:
        """The vectors of texts, as far as they can be read."""
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(texts), AT_ONCE):
            part = texts[start : start + AT_ONCE]
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    found.update(zip(part, await self.texts.read(release, part), strict=True))
            except (EncoderUnavailable, TimeoutError):
                break
        return found

    async def _asked(self, work: Callable[[], T]) -> T:
        """Ask the journal: here where that takes microseconds, else in a thread."""
        return work() if self.items.journal.local else await asyncio.to_thread(work)
