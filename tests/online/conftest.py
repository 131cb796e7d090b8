"""The stores that keep the journal."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.online.stores import Store


@pytest.fixture(params=["sqlite"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Gives a new place for a journal each time, in one of the stores."""
    count = itertools.count()

    def make() -> Store:
        folder = tmp_path / f"journal-{next(count)}"
        return Store(str(folder / "journal.sqlite"), folder)

    return make


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """A new place for a journal."""
    return new_store()
