"""How a worker is: each thing that answers need is looked at again and again, and probes are told what was seen."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, Field

from services.errors import log_without_values
from services.metrics import LAG, PART
from strata.errors import StrataError

PATIENCE: Final = 5.0
"""Seconds that a part has to answer."""


class NotReady(StrataError):
    """A part cannot do its work just now; the message says why."""


@dataclass(frozen=True)
class Check:
    """A part, and what raises where it does not work: plain functions run in a thread, others are awaited."""

    name: str
    run: Callable[[], None] | Callable[[], Awaitable[None]]


class Part(BaseModel):
    """Something that answers need."""

    name: str
    ok: bool
    because: str | None = Field(None, description="Why not.")
    since: datetime = Field(description="When it became so.")


class State(BaseModel):
    """How the worker that answers is."""

    ready: bool = Field(description="Whether all parts work: what /readyz says.")
    parts: list[Part]
    release: str | None = Field(description="The release that serves.")
    refused: str | None = Field(description="The release that should serve but was refused.")
    refused_because: str | None
    lag_seconds: float | None = Field(
        description="For how long the oldest event waits to come into a data version: 0 where none does, null before "
        "the first look."
    )
    looked_seconds_ago: float | None = Field(description="Since the parts were looked at.")


@dataclass
class Health:
    """Of one process. `lag`: for how many seconds the oldest event waits to come into a data version."""

    checks: list[Check] = field(default_factory=list)
    lag: Callable[[], float | None] = lambda: None
    seconds: float = 2.0
    parts: dict[str, Part] = field(default_factory=dict)
    lag_seconds: float | None = None
    looked: float | None = None
    _again: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ready(self) -> bool:
        """Whether all parts worked when they were last looked at."""
        return self.looked is not None and all(self.parts[check.name].ok for check in self.checks)

    def why(self) -> str:
        """Which parts do not work, for everybody to read."""
        wrong = [check.name for check in self.checks if check.name not in self.parts or not self.parts[check.name].ok]
        return f"not ready: {', '.join(wrong)}" if wrong else "not ready: nothing was looked at yet"

    def again(self) -> None:
        """Have the parts looked at now: something has changed."""
        self._again.set()

    async def watch(self) -> None:
        """Look at the parts every `seconds`, for ever."""
        while True:
            await self.look()
            try:
                async with asyncio.timeout(self.seconds):
                    await self._again.wait()
            except TimeoutError:
                pass
            self._again.clear()

    async def look(self) -> None:
        """Look at all parts once."""
        reasons = await asyncio.gather(*(_fault(check) for check in self.checks))
        for check, because in zip(self.checks, reasons, strict=True):
            before, ok = self.parts.get(check.name), because is None
            since = before.since if before is not None and before.ok == ok else datetime.now(UTC)
            self.parts[check.name] = Part(name=check.name, ok=ok, because=because, since=since)
            PART.labels(check.name).set(ok)
        try:
            self.lag_seconds = await asyncio.to_thread(self.lag)
        except Exception as error:  # the journal, which a check tells of
            log_without_values(error)
        if self.lag_seconds is not None:
            LAG.set(self.lag_seconds)
        self.looked = time.monotonic()

    def state(self, *, release: str | None, refused: str | None, because: str | None) -> State:
        """All of it."""
        return State(
            ready=self.ready,
            parts=list(self.parts.values()),
            release=release,
            refused=refused,
            refused_because=because,
            lag_seconds=self.lag_seconds,
            looked_seconds_ago=None if self.looked is None else round(time.monotonic() - self.looked, 3),
        )


async def _fault(check: Check) -> str | None:
    """Why a part does not work; None where it does."""
    try:
        async with asyncio.timeout(PATIENCE):
            if inspect.iscoroutinefunction(check.run):
                await check.run()
            else:
                await asyncio.to_thread(check.run)
    except StrataError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Exception as error:
        log_without_values(error)
        return type(error).__name__
    return None


HEALTH: Final = Health()
"""Of this process: the service says what there is to look at."""
