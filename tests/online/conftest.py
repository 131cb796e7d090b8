"""The stores that keep the journal."""

import itertools
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.online.servers import RedisServer, redis_server
from tests.online.stores import Store

__all__ = ["redis_server"]


@pytest.fixture(params=["sqlite", "redis"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Gives a new place for a journal each time, in one of the stores."""
    count = itertools.count()

    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        name = f"test-{secrets.token_hex(6)}"
        return lambda: Store(f"{server.url}?patience=20&prefix={name}-{next(count)}", server.folder)

    def make() -> Store:
        folder = tmp_path / f"journal-{next(count)}"
        return Store(str(folder / "journal.sqlite"), folder)

    return make


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """A new place for a journal."""
    return new_store()
