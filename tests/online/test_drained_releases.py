"""A release says how far it has the journal, so that nobody's events count twice."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from strata.data.history import DAY, History
from strata.data.journal_folder import MARK, JournalFolder
from strata.interests.query_users import QueryUser
from strata.online.draining import drain
from strata.online.live_users import LiveUsers
from strata.online.opening import open_journal
from strata.online.records import Record
from strata.recommendation.loading import load_recommender
from strata.release.layout import Part
from strata.release.manifest import write_release
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release as versions before the journal made them."""
    history = History.from_columns(
        np.array([0, 0, 1]), np.array([0, 3, 1]), TIME - np.array([9, 5, 3]) * DAY, np.ones(3),
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    return write_tiny_release(tmp_path_factory.mktemp("release"), history)


def event(id: str) -> Record:
    return Record("event", id, "u0", TIME + DAY, {"item_id": "i06", "behaviour": "like"})


def test_a_release_without_word_of_a_journal_has_nothing_of_any(earlier: Path) -> None:
    assert load_recommender(earlier).drained == {}


def test_what_a_release_was_made_with_is_not_counted_again(earlier: Path, tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.mkdir()
    with closing(open_journal(str(tmp_path / "journal.sqlite"))) as journal:
        journal.append([event("e1"), event("e2")])
        drain(journal, source, tmp_path / "corrections.jsonl")
        folder = JournalFolder.read(source)
        assert folder is not None
        parts = {path.name: path for path in earlier.iterdir() if path.name != "manifest.json"}
        parts[Part.JOURNAL] = folder.path / MARK  # as the stages validate and package hand it on
        drained = load_recommender(write_folder(tmp_path / "release", parts))
        assert drained.drained == {journal.facts().name: 2}
        assert json.loads((tmp_path / "release" / Part.JOURNAL).read_text()) == drained.drained
        people = LiveUsers(journal)
        assert replace(drained, people=people).whose("u0") == "u0"  # as in the release, and no more
        without = replace(load_recommender(earlier), people=LiveUsers(journal)).whose("u0")
        assert isinstance(without, QueryUser)
        journal.append([event("e3")])
        since = replace(drained, people=people).whose("u0")
        assert isinstance(since, QueryUser)
        assert (len(without.history), len(since.history)) == (4, 3)


def write_folder(folder: Path, parts: dict[str, Path]) -> Path:
    write_release(folder, parts, versions={}, metrics={})
    return folder
