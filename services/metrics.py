"""Prometheus metrics: requests, latency, encoder calls, the release in service, failed loads."""

import os
import time
from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import own_folder
from services.paths import Paths
from services.settings import ServiceSettings

own_folder.take(ServiceSettings.from_environment().metrics)

REQUESTS = Counter("strata_requests", "Requests by endpoint and status.", ["endpoint", "status"])
LATENCY = Histogram(
    "strata_request_seconds",
    "Seconds from the first byte of a request to the last of its answer.",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
FALLBACKS = Counter("strata_fallbacks", "Answers by the fallback list.", ["endpoint", "cause"])
ENCODER_CALLS = Counter("strata_encoder_calls", "Calls of the API to the encoder.", ["outcome"])
ENCODED = Counter("strata_encoded_texts", "Texts the encoder read.")
BATCHES = Histogram("strata_encoder_batch", "Texts per batch of the encoder.", buckets=(1, 2, 4, 8, 16, 32, 64))
DROPPED = Counter("strata_dropped_records", "Records of shown lists that were dropped: the journal did not take them.")
CACHE = Counter("strata_answers_from_memory", "Requests that could be answered from memory, by outcome.", ["outcome"])
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
LAG = Gauge("strata_lag_seconds", "How far what happens lies behind.", multiprocess_mode="mostrecent")
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
