"""Prometheus metrics: requests, latency, encoder calls, the release in service, failed loads."""

import os
import time
from collections import Counter as Counted
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import own_folder
from services.paths import Paths
from services.settings import ServiceSettings
from strata.timing import OutOfTime, listening

T = TypeVar("T")
own_folder.take(ServiceSettings.from_environment().metrics)

REQUESTS = Counter("strata_requests", "Requests by endpoint and status.", ["endpoint", "status"])
LATENCY = Histogram(
    "strata_request_seconds",
    "Seconds from the first byte of a request to the last of its answer.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
PARTS = Histogram(
    "strata_part_seconds",
    "Seconds of the parts of an answer that was computed: waiting for a thread, encoder, candidates, ranking, reasons.",
    ["endpoint", "part"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
)
SERVED = Counter("strata_items_served", "Items of computed lists by the tier that their reason cites.", ["tier"])
FALLBACKS = Counter("strata_fallbacks", "Answers by the fallback list.", ["endpoint", "cause"])
ENCODER_CALLS = Counter("strata_encoder_calls", "Calls of the API to the encoder.", ["outcome"])
ENCODED = Counter("strata_encoded_texts", "Texts the encoder read.")
BATCHES = Histogram("strata_encoder_batch", "Texts per batch of the encoder.", buckets=(1, 2, 4, 8, 16, 32, 64))
DROPPED = Counter("strata_dropped_records", "Records of shown lists that were dropped: the journal did not take them.")
CACHE = Counter("strata_answers_from_memory", "Requests that could be answered from memory, by outcome.", ["outcome"])
HEAVY = Counter("strata_heavy_requests", "Requests that cost much, by outcome: taken or refused.", ["outcome"])
SHADOW = Counter("strata_shadow_lists", "Lists asked of the release in the shadow, by outcome.", ["outcome"])
SHADOW_SHARED = Histogram(
    "strata_shadow_shared",
    "Share of a list's items that the release in the shadow lists as well.",
    buckets=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
SHADOW_TOP = Counter("strata_shadow_first", "Lists by whether the release in the shadow has the same first.", ["item"])
SHADOW_SECONDS = Histogram(
    "strata_shadow_seconds",
    "Seconds that the release in the shadow takes for a list.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
STOPPED = Counter("strata_stopped_answers", "Answers that nobody waited for any more and that were not finished.")
UNREAD = Counter(
    "strata_unread_words", "Answers to users without what they wrote lately: the encoder did not answer.", ["endpoint"]
)
SCRUBBED = Counter("strata_scrubbed", "Personal data taken out of texts before they were kept.", ["kind"])
EVENTS = Counter("strata_events", "Records taken into the journal.", ["kind"])
ITEMS_WAITING = Gauge(
    "strata_items_waiting", "Items in the journal whose texts nobody could read yet.", multiprocess_mode="livemax"
)
ITEMS_LATE = Counter("strata_items_late", "Requests that went on without items which could not be added in time.")
RELEASE = Gauge("strata_release", "1 for the release that serves.", ["release"], multiprocess_mode="mostrecent")
PART = Gauge(
    "strata_part_ok", "1 for a part that answers need and that works.", ["part"], multiprocess_mode="mostrecent"
)
LAG = Gauge(
    "strata_lag_seconds",
    "For how long the oldest event waits to come into a data version.",
    multiprocess_mode="mostrecent",
)
LOAD_FAILURES = Counter("strata_release_load_failures", "Releases that were refused or could not be loaded.")


def exposition() -> bytes:
    """Metrics of all processes of this server, in Prometheus's text format."""
    if own_folder.VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


@cache
def _counter(endpoint: str, status: int) -> Counter:
    return REQUESTS.labels(endpoint, status)


@cache
def _latency(endpoint: str) -> Histogram:
    return LATENCY.labels(endpoint)


@cache
def _part(endpoint: str, part: str) -> Histogram:
    return PARTS.labels(endpoint, part)


def in_parts(endpoint: str, work: Callable[..., T], seconds: float) -> Callable[..., T]:
    """`work`, telling how long it waits for a thread from now on, and how long its parts take.

    After `seconds` from now nobody waits for it, and no further part is begun.
    """
    asked = time.perf_counter()
    until = asked + seconds

    def told(*arguments: object) -> T:
        _part(endpoint, "waiting").observe(time.perf_counter() - asked)
        with listening(until=until) as parts:
            try:
                return work(*arguments)
            except OutOfTime:
                STOPPED.inc()
                raise
            finally:
                for part, seconds in parts.items():
                    _part(endpoint, part).observe(seconds)

    return told


@contextmanager
def encoding(endpoint: str, texts: Sized) -> Iterator[None]:
    """Tell how long the encoder takes, where there is something to read."""
    began = time.perf_counter()
    try:
        yield
    finally:
        if texts:
            _part(endpoint, "encoder").observe(time.perf_counter() - began)


def count(endpoint: str, answer: object) -> None:
    """Tell of an answer's items the tiers, and why it is the fallback's, if it is."""
    cause = getattr(answer, "fallback_cause", None)
    if cause is not None:
        FALLBACKS.labels(endpoint, cause).inc()
    lists = getattr(answer, "lists", [answer])
    shown = (item for each in lists for item in getattr(each, "items", ()))
    tiers = Counted(item.reason.tier for item in shown if getattr(item, "reason", None))
    for tier, times in tiers.items():
        SERVED.labels(tier or "none").inc(times)


class Metered:
    """Counts and times requests; paths that are no endpoint share one label, so that callers cannot create labels."""

    def __init__(self, app: ASGIApp, paths: Paths) -> None:
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        endpoint = self.paths.label(scope["path"])
        start = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                _counter(endpoint, message["status"]).inc()
            await send(message)

        try:
            return await self.app(scope, receive, counted)
        finally:
            _latency(endpoint).observe(time.perf_counter() - start)
