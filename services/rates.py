"""How many requests a token may send in a time: counted in each worker, or for all of them in Redis."""

import logging
import math
import time
from collections import deque
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindow
from limits.errors import StorageError

from services.errors import ApiError
from services.settings import ServiceSettings
from strata.online.tokens import Token

logger = logging.getLogger("bentoml.strata")
PATIENCE: Final = 0.2
"""Seconds that Redis has to answer: a limit that cannot be looked up must not become an outage."""


class OwnWindow:
    """Times of each token's latest requests, of one event loop.

    The moving window of `limits` in memory starts a thread time and again, which takes a tenth of a short request.
    """

    def __init__(self, rate: RateLimitItem) -> None:
        self.most, self.seconds = rate.amount, float(rate.get_expiry())
        self._times: dict[str, deque[float]] = {}

    def hit(self, name: str) -> float:
        """Count a request; 0, or (where it is one too many and not counted) the seconds until one is admitted."""
        now, times = time.monotonic(), self._times.setdefault(name, deque())
        while times and times[0] <= now - self.seconds:
            times.popleft()
        if len(times) >= self.most:
            return times[0] + self.seconds - now
        times.append(now)
        return 0.0


class Rates:
    """Counts requests of each token in a moving window.

    Without a store each worker admits its part of the rate, rounded up, as the system deals connections out evenly.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.rate = parse(settings.rate)
        self._shared = self._own = None
        self._lost = False
        if settings.rate_store is not None:
            address = settings.rate_store.get_secret_value()
            limits = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
            store = RedisStorage(f"async+{address}", implementation="redispy", wrap_exceptions=True, **limits)
            self._shared = SharedWindow(store)
        else:
            self._own = OwnWindow(_part(self.rate, settings.workers))

    async def check(self, token: Token) -> None:
        """Count a request. Raises ApiError 429 where the token has had its part for now."""
        wait = await self._shared_wait(token) if self._own is None else self._own.hit(token.name)
        if wait <= 0:
            return
        raise ApiError(
            429, f"the token {token.name} has sent more than {self.rate}", code="rate_limited",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )  # fmt: skip

    async def _shared_wait(self, token: Token) -> float:
        """As `OwnWindow.hit`, by what all workers count; 0 where their store is gone."""
        if self._shared is None:
            return 0.0
        try:
            admitted = await self._shared.hit(self.rate, token.name)
            ends = 0.0 if admitted else (await self._shared.get_window_stats(self.rate, token.name)).reset_time
        except StorageError as error:
            self._without(error)
            return 0.0
        self._lost = False
        return 0.0 if admitted else max(ends - time.time(), 1e-3)

    def _without(self, error: StorageError) -> None:
        """Admit while the store is gone, and say so once."""
        if not self._lost:
            logger.error("rates are not limited: their store does not answer (%s)", type(error).__name__)
        self._lost = True


def _part(rate: RateLimitItem, workers: int) -> RateLimitItem:
    return type(rate)(math.ceil(rate.amount / workers), rate.multiples)
