"""Client of the encoder: a request's texts to vectors by the model of its release, within a time limit."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import aiohttp
import numpy as np
from bentoml.exceptions import BentoMLException

from services.metrics import ENCODER_CALLS
from services.together import Together
from strata.errors import StrataError

MOST_TOGETHER = 64
"""Requests whose texts are read in one call."""
CALLS = 2
"""Calls of a worker to the encoder at a time: while one is read, the next is on its way."""
TRIES = 3
"""Calls to the encoder: a stopped worker breaks its connections, and the one for the retry may be closed too."""


class EncoderUnavailable(StrataError):
    """Raised where the encoder does not answer in time or does not have the release."""


class Texts:
    """Calls the encoder service."""

    def __init__(self, encoder: Any, time_out: float) -> None:
        """`encoder`: BentoML's proxy of the service, or the service itself in the same process; `time_out`: seconds."""
        self.encoder = encoder
        self.time_out = time_out
        self._together: Together[tuple[str, list[str]], np.ndarray] = Together(self._read, MOST_TOGETHER, CALLS)
        # BentoML 1.4 replaces its session after 100 calls or 300 s, and aborts calls in flight.
        sessions = getattr(encoder.to_async, "_session_manager", None)
        if sessions is not None:
            sessions.max_requests = sessions.max_age = math.inf

    async def vectors(self, release: str, texts: list[str], dimension: int) -> np.ndarray:
        """Vectors (n, dimension) of texts; without texts no call is made. Raises EncoderUnavailable."""
        if not texts:
            return np.zeros((0, dimension), np.float32)
        try:
            async with asyncio.timeout(self.time_out):
                return await self.read(release, texts)
        except TimeoutError:
            ENCODER_CALLS.labels("time_out").inc()
            raise EncoderUnavailable from None

    async def read(self, release: str, texts: list[str]) -> np.ndarray:
        """Vectors (n, d) of texts, without time limit. Raises EncoderUnavailable."""
        return await self._together.do((release, texts))

    async def check(self, release: str) -> None:
        """Raise EncoderUnavailable unless texts are read by the model of a release just now."""
        for _ in range(TRIES):
            try:
                if await self.encoder.to_async.answers(release):
                    return
            except (aiohttp.ClientError, BentoMLException, OSError):
                continue
        raise EncoderUnavailable("it does not answer, or cannot load its model")

    async def _read(self, asked: Sequence[tuple[str, list[str]]]) -> list[np.ndarray | Exception]:
        """What each request gets: those that wait together are read in one call."""
        pairs = [(release, text) for release, texts in asked for text in texts]
        for _ in range(TRIES):
            try:
                found = await self.encoder.to_async.encode(pairs)
            except (aiohttp.ClientError, BentoMLException, OSError):
                ENCODER_CALLS.labels("failed").inc()
                continue
            ENCODER_CALLS.labels("ok").inc()
            ends = np.cumsum([len(texts) for _, texts in asked])
            parts = [found[end - len(texts) : end] for end, (_, texts) in zip(ends, asked, strict=True)]
            return [_stacked(part) for part in parts]
        return [EncoderUnavailable()] * len(asked)


def _stacked(vectors: list[Any]) -> np.ndarray | Exception:
    """The vectors of a request, if the encoder has the model of its release."""
    if all(vector is not None for vector in vectors):
        return np.array(vectors, np.float32)
    ENCODER_CALLS.labels("other_release").inc()
    return EncoderUnavailable()
