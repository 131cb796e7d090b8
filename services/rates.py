"""How many requests a token may send in a time: counted in each worker, or for all of them in Redis."""

import logging
import math
import time
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindow
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from services.errors import ApiError
from services.settings import ServiceSettings
from strata.online.tokens import Token

logger = logging.getLogger("bentoml.strata")
PATIENCE: Final = 0.2
"""Seconds that Redis has to answer: a limit that cannot be looked up must not become an outage."""


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
            self._shared, self._here = SharedWindow(store), self.rate
        else:
            self._own = MovingWindowRateLimiter(MemoryStorage())
            self._here = _part(self.rate, settings.workers)

    async def check(self, token: Token) -> None:
        """Count a request. Raises ApiError 429 where the token has had its part for now."""
        try:
            if self._shared is not None:
                admitted = await self._shared.hit(self._here, token.name)
                ends = 0.0 if admitted else (await self._shared.get_window_stats(self._here, token.name)).reset_time
            else:
                admitted = self._own.hit(self._here, token.name)
                ends = 0.0 if admitted else self._own.get_window_stats(self._here, token.name).reset_time
        except StorageError as error:
            return self._without(error)
        self._lost = False
        if admitted:
            return None
        wait = max(1, math.ceil(ends - time.time()))
        raise ApiError(
            429, f"the token {token.name} has sent more than {self.rate}", code="rate_limited",
            headers={"Retry-After": str(wait)},
        )  # fmt: skip

    def _without(self, error: StorageError) -> None:
        """Admit while the store is gone, and say so once."""
        if not self._lost:
            logger.error("rates are not limited: their store does not answer (%s)", type(error).__name__)
        self._lost = True


def _part(rate: RateLimitItem, workers: int) -> RateLimitItem:
    return type(rate)(math.ceil(rate.amount / workers), rate.multiples)
