"""The next release answers beside the current one: nobody sees its answers, and how they differ is counted."""

import asyncio
import logging
import random
import time
from collections.abc import Callable

from services.endpoints.base import NO_VECTORS, Answer, Question
from services.endpoints.lists import Items, RecommendRequest
from services.errors import log_without_values
from services.lanes import MUCH, Lanes
from services.metrics import SHADOW, SHADOW_SECONDS, SHADOW_SHARED, SHADOW_TOP
from services.releases import Refusal, rehearsed
from services.settings import ServiceSettings
from strata.errors import StrataError
from strata.recommendation.recommender import Recommender
from strata.release.registry import SHADOW as POINTER
from strata.release.registry import Registry

logger = logging.getLogger("bentoml.strata")


class Shadow:
    """Of one API worker. It computes in the lane of what costs much, and only while nothing else is there."""

    def __init__(self, settings: ServiceSettings, lanes: Lanes, joined: Callable[[Recommender], Recommender]) -> None:
        """`joined`: what a loaded release becomes before it answers."""
        self.settings, self.lanes, self.joined = settings, lanes, joined
        self.live: Recommender | None = None
        self.refused: Refusal | None = None
        self._seen: object = None
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self) -> None:
        """Load the release that the registry names, or let go of the one that it names no more."""
        if self.settings.releases is None:
            return
        pointer = self.settings.releases / POINTER
        seen = pointer.stat().st_mtime_ns if pointer.exists() else None
        if seen == self._seen:
            return
        self._seen, self.live, self.refused = seen, None, None
        name = "?"
        try:
            folder = Registry(self.settings.releases).shadowed()
            if folder is not None:
                name = folder.name
                self.live = self.joined(rehearsed(folder))
                logger.info("release %s answers in the shadow", name)
        except StrataError as error:
            self._refuse(name, str(error))
        except Exception as error:  # a fault in the next release must not stop this one
            log_without_values(error)
            self._refuse(name, f"it cannot answer ({type(error).__name__}; the log says where)")

    def _refuse(self, name: str, reason: str) -> None:
        self.refused = Refusal(name, reason)
        logger.error("release %s does not answer in the shadow: %s", name, reason)

    def compare(self, request: Question, answer: Answer) -> None:
        """Have a share of the lists computed by the other release as well; nobody waits for that."""
        release = self.live
        if release is None or not isinstance(request, RecommendRequest) or not isinstance(answer, Items):
            return
        if random.random() >= self.settings.shadow_share:  # noqa: S311
            return
        if request.words or not self.lanes.idle:  # words would need the other release's model as well
            SHADOW.labels("skipped").inc()
            return
        task = asyncio.create_task(self._compared(release, request, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compared(self, release: Recommender, request: RecommendRequest, answer: Items) -> None:
        began = time.perf_counter()
        try:
            other = await self.lanes.run(MUCH, request.answer, release, NO_VECTORS)
        except Exception as error:
            SHADOW.labels("failed").inc()
            log_without_values(error)
            return
        SHADOW_SECONDS.observe(time.perf_counter() - began)
        SHADOW.labels("compared").inc()
        ours, theirs = ([item.item_id for item in each.items] for each in (answer, other))
        SHADOW_SHARED.observe(len({*ours} & {*theirs}) / max(len(ours), len(theirs), 1))
        SHADOW_TOP.labels("same" if ours[:1] == theirs[:1] else "other").inc()
