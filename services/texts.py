"""Client of the encoder: a request's texts to vectors by the model of its release, within a time limit."""

import asyncio
import math
from typing import Any

import aiohttp
import numpy as np
from bentoml.exceptions import BentoMLException

from services.metrics import ENCODER_CALLS

TRIES = 3
"""Calls to the encoder: a stopped worker breaks its connections, and the one for the retry may be closed too."""


class EncoderUnavailable(Exception):
    """Raised where the encoder does not answer in time or does not have the release."""


class Texts:
    """Calls the encoder service."""

    def __init__(self, encoder: Any, time_out: float) -> None:
        """`encoder`: BentoML's proxy of the service, or the service itself in the same process; `time_out`: seconds."""
        self.encoder = encoder
        self.time_out = time_out
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
        for _ in range(TRIES):
            try:
                found = await self.encoder.to_async.encode([(release, text) for text in texts])
            except (aiohttp.ClientError, BentoMLException, OSError):
                ENCODER_CALLS.labels("failed").inc()
                continue
            if all(vector is not None for vector in found):
                ENCODER_CALLS.labels("ok").inc()
                return np.stack(found)
            ENCODER_CALLS.labels("other_release").inc()
        raise EncoderUnavailable
