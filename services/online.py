"""What an API worker has of the journal: users as they are now, appends that share a transaction, the clock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from services.appending import Appender
from services.errors import ApiError
from services.metrics import EVENTS, SCRUBBED
from services.settings import ServiceSettings
from strata.errors import Conflict, StoreFull, StoreUnavailable
from strata.online.clock import Clock
from strata.online.live_items import LiveItems
from strata.online.live_users import LiveUsers
from strata.online.opening import open_journal
from strata.online.personal_data import Kind
from strata.online.records import Accepted, Record
from strata.online.scrubbing import scrub, scrub_records
from strata.recommendation.recommender import Recommender

T = TypeVar("T")


class Online:
    """Of one API worker."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.journal = open_journal(settings.journal)
        self.users = LiveUsers(self.journal)
        self.items = LiveItems(self.journal)
        self.appender = Appender(self.journal)
        self._clock: Clock | None = None

    def joined(self, release: Recommender) -> Recommender:
        """The release, with users as the journal knows them, and items that come and go by the platform's time."""
        return replace(release, people=self.users, clock=partial(self._time, release.new_users.time))

    async def now(self, release: Recommender) -> float:
        """The platform's time, in seconds since 1970. Raises ApiError: 503."""
        if self._clock is None:
            return await self.read(self._time, release.new_users.time)
        return self._clock.now()

    def lag(self) -> float:
        """Seconds for which the oldest event waits to come into a data version; 0 where none does."""
        waiting = self.journal.of_kind(["event"], self.journal.facts().drained, most=1)
        clock = self._clock or Clock.known_to(self.journal)
        return max(0.0, clock.now() - waiting[0].record.at) if waiting else 0.0

    async def keep(self, records: Sequence[Record]) -> list[Accepted]:
        """Append, without personal data in texts, and return once that is durable. Raises ApiError: 409, 503 or 507."""
        if self.settings.scrub:
            records, found = scrub_records(records)
            _count(found)
        try:
            accepted = await self.appender.append(records)
        except Conflict as error:
            raise conflicting(error) from None
        except StoreFull:
            raise FULL from None
        except StoreUnavailable as error:
            raise unavailable(error) from None
        for record, found in zip(records, accepted, strict=True):
            EVENTS.labels(record.kind).inc(found.new)
        return accepted

    def cleaned(self, text: str) -> str:
        """A text as it may be kept: without personal data, unless that may stay."""
        if not self.settings.scrub:
            return text
        found = scrub(text)
        _count(found.counts)
        return found.text

    def _time(self, data_end: float) -> float:
        """The platform's time. Raises StoreUnavailable."""
        if self._clock is None:
            self._clock = Clock.of(self.settings.clock, self.journal, data_end)
        return self._clock.now()

    async def read(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what reads the journal in a thread. Raises ApiError: 503, and what `work` raises."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except StoreUnavailable as error:
            raise unavailable(error) from None


def _count(scrubbed: Mapping[Kind, int]) -> None:
    for kind, count in scrubbed.items():
        SCRUBBED.labels(kind).inc(count)


FULL = ApiError(
    507, "the journal has no room: nothing of this request was kept", code="journal_full",
    remedy="send it again later; the operator finds what to do in the runbook",
)  # fmt: skip


def conflicting(error: Conflict) -> ApiError:
    """409, without the ids' contents."""
    return ApiError(
        409,
        str(error),
        code="id_taken",
        remedy="use a new id for new content; to repeat a request, send the same again",
    )


def unavailable(error: StoreUnavailable) -> ApiError:  # noqa: ARG001
    """503: what the store said is in the log alone."""
    return ApiError(
        503, "the journal cannot be reached just now: nothing was kept", code="journal_unavailable",
        remedy="try again after the seconds that Retry-After names",
    )  # fmt: skip
