"""How a request becomes an answer: its texts read, its work in the lane of its cost, in time or by the fallback."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from fastapi.responses import Response

from services import metrics
from services.answers import ANSWERS, TICKET
from services.endpoints.base import NO_VECTORS, Answer, Cause, Question
from services.errors import ApiError, log_without_values
from services.items import ItemsNow
from services.lanes import MUCH, Lanes
from services.logs import note
from services.online import Online, unavailable
from services.settings import ServiceSettings
from services.shadow import Shadow
from services.texts import EncoderUnavailable, Texts
from strata.errors import StoreUnavailable
from strata.recommendation.recommender import Recommender


class Answering:
    """Of one API worker. `state`: what an answer about a user (None: about nobody) depends on beside the request."""

    def __init__(
        self,
        settings: ServiceSettings,
        online: Online,
        texts: Texts,
        items: ItemsNow,
        state: Callable[[str | None], Any],
    ) -> None:
        self.settings, self.online, self.texts, self.items, self.state = settings, online, texts, items, state
        self.lanes = Lanes(settings.threads)
        self.shadow = Shadow(settings, self.lanes, online.joined)
        self._reserve = ThreadPoolExecutor(1, "fallback")

    async def answer(self, endpoint: str, request: Question, release: Recommender) -> Response:
        """The answer of one release, taken once, or the stated fallback. Raises ApiError."""
        note(release=release.manifest.id)
        cost = request.cost
        seconds = self.settings.time_out if cost < MUCH else self.settings.heavy_time_out
        try:
            try:
                async with asyncio.timeout(seconds):
                    release = await self.items.current(release)
                    await self._fill_ticket(request)
                    vectors = await self.read(endpoint, request, release)
                    work = metrics.in_parts(endpoint, request.answer, seconds)
                    answer = await self.lanes.run(cost, work, release, vectors)
                    metrics.count(endpoint, answer)
                    await self._keep(request, answer, release)
                    self.shadow.compare(request, answer)
                    return _as_json(answer)
            except TimeoutError:
                return await self._fall_back(endpoint, release, request, "time_out")
            except EncoderUnavailable:
                return await self._fall_back(endpoint, release, request, "encoder_unavailable")
        except ApiError:
            raise
        except StoreUnavailable as error:
            raise unavailable(error) from None
        except Exception as error:
            log_without_values(error)
            raise ApiError(500, "an unexpected error") from None

    async def read(self, endpoint: str, request: Question, release: Recommender) -> np.ndarray:
        """The vectors of what a request reads; none where the answer does without. Raises EncoderUnavailable."""
        texts = request.reads(release) if ANSWERS.local else await asyncio.to_thread(request.reads, release)
        try:
            with metrics.encoding(endpoint, texts):
                return await self.texts.vectors(release.manifest.id, texts, release.texts.dimension)
        except EncoderUnavailable:
            if request.must_read:
                raise
            metrics.UNREAD.labels(endpoint).inc()
            if (ticket := TICKET.get()) is not None:
                ticket.state = None  # it is not to be sent again once the encoder answers
            return NO_VECTORS

    async def _keep(self, request: Question, answer: Answer, release: Recommender) -> None:
        """Keep what was asked to be kept and, without waiting, the lists of users: what comes of them can be told."""
        now = await self.online.now(release)
        if records := request.to_keep(answer, now):
            await self.online.keep(records)
        if self.settings.log_lists and (records := request.to_log(answer, now)):
            self.online.appender.later(records)

    async def _fill_ticket(self, request: Question) -> None:
        """Say what the answer depends on, before it is computed: what happens meanwhile is then seen as a change."""
        ticket = TICKET.get()
        if ticket is not None:
            ticket.user_id = getattr(request, "user_id", None)
            local = ticket.user_id is None or ANSWERS.local
            ticket.state = self.state(ticket.user_id) if local else await asyncio.to_thread(self.state, ticket.user_id)

    async def _fall_back(self, endpoint: str, release: Recommender, request: Question, cause: Cause) -> Response:
        if (ticket := TICKET.get()) is not None:
            ticket.state = None
        metrics.FALLBACKS.labels(endpoint, cause).inc()
        try:
            async with asyncio.timeout(self.settings.time_out):
                loop = asyncio.get_running_loop()
                return _as_json(await loop.run_in_executor(self._reserve, request.fallback, release, cause))
        except TimeoutError:
            raise ApiError(504, f"no answer, nor the fallback, within {self.settings.time_out:g} s") from None


def _as_json(answer: Answer) -> Response:
    """The answer as bytes: its models have checked it, so FastAPI need not do it again."""
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
