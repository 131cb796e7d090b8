"""Clients that each stay with one API worker: what one worker does not know yet, another may."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from tests.places import ROOT
from tests.services.serving import BEARER, Server

INSIDE = ("tests.services.inside:Recommender", "--working-dir", str(ROOT))
"""The services with endpoints that tell what is inside, such as which process answers."""
TRIES = 400


@contextmanager
def of_each_worker(server: Server, count: int) -> Iterator[list[httpx.Client]]:
    """A client for each of so many workers of a server of INSIDE: a connection stays with the worker that took it."""
    found: dict[int, httpx.Client] = {}
    with ExitStack() as stack:
        for _ in range(TRIES):
            one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=3_600)
            client = httpx.Client(base_url=server.base_url, headers=BEARER, timeout=60, limits=one)
            stack.callback(client.close)
            found.setdefault(client.get("/process").json(), client)
            if len(found) == count:
                yield list(found.values())
                return
        raise AssertionError(f"only {len(found)} of {count} workers took a connection")
