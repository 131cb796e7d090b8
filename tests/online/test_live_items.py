"""The journal's items join those of a release: each text is read once, what nobody can read waits, the rest goes on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from strata.data.schema import CREATED, LANGUAGE, TITLE
from strata.embeddings.vectors import unit
from strata.online.journal import Journal
from strata.online.live_items import LiveItems
from strata.online.live_users import LiveUsers
from strata.online.opening import open_journal
from strata.online.records import Record
from strata.recommendation.recommender import Recommender
from tests.online.widened.adding import ALL, RELEASE
from tests.strategies import DIMENSION, TIME

AT = 2_000.0


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return open_journal(str(tmp_path / "journal.sqlite"))


class Model:
    """Reads texts as vectors of their letters, and tells what it was given."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.read.extend(texts)
        return unit(np.array([[1 + sum(map(ord, text)) % (7 + n) for n in range(DIMENSION)] for text in texts]))


def item(item_id: str, id: str = "", at: float = AT, **body: Any) -> Record:
    return Record("item", id or f"{item_id}@{at}", None, at, {"item_id": item_id, **body})


def removal(item_id: str, at: float = AT) -> Record:
    return Record("item", f"{item_id}-gone@{at}", None, at, {"item_id": item_id, "removed": True})


def row(release: Recommender, item_id: str) -> dict[str, Any]:
    return release.catalogue.items.row(release.catalogue.row(item_id), named=True)


def there(release: Recommender, item_id: str) -> bool:
    return item_id in release.catalogue and bool(release.admitted()[release.catalogue.row(item_id)])


def test_an_item_is_there_once_the_journal_has_it_and_its_text_is_read_once(journal: Journal) -> None:
    items, model = LiveItems(journal), Model()
    assert items.upto(RELEASE) == items.last()
    assert items.of(RELEASE, model) is items.served(RELEASE)
    journal.append([item("n0", title="A rose garden", categories=["garden"])])
    assert items.upto(RELEASE) < items.last()
    assert "n0" not in items.served(RELEASE).catalogue
    first = items.of(RELEASE, model)
    assert there(first, "n0")
    assert model.read == ["A rose garden. garden"]
    assert items.upto(RELEASE) == items.last()
    journal.append([item("n1", title="Another")])
    second = items.of(RELEASE, model)
    assert there(second, "n0")
    assert there(second, "n1")
    assert model.read == ["A rose garden. garden", "Another"]
    assert "n0" not in RELEASE.catalogue
    alone = LiveItems(journal).of(RELEASE, Model())  # another process, which reads both at once
    assert alone.catalogue.items.equals(second.catalogue.items)
    assert [each.item_id for each in alone.recommend("u0", ALL)] == [
        each.item_id for each in second.recommend("u0", ALL)
    ]


def test_what_is_not_said_an_item_does_not_have_and_texts_are_cleaned(journal: Journal) -> None:
    title = "  <b>Roses</b> &amp; more\x00"
    journal.append([item("n0", title=title, language="EN-gb", attributes={"b": "2", "a": "1"})])
    journal.append([item("i03", title="Renamed"), item("n1", description="Ein Garten voller Rosen und alter Bäume.")])
    journal.append([item("n2"), item("n3", title="kurz", created_at="2001-02-03T04:05:06+00:00")])
    now = LiveItems(journal).of(RELEASE, Model())
    assert row(now, "n0")[TITLE] == "Roses & more"
    assert row(now, "n0")[LANGUAGE] == "en-gb"
    assert row(now, "n0")["attributes"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert row(now, "n0")[CREATED] == datetime.fromtimestamp(AT, UTC)
    assert (row(now, "i03")[TITLE], row(now, "i03")["categories"], row(now, "i03")["brand"]) == ("Renamed", [], None)
    assert row(now, "i03")[CREATED] == row(RELEASE, "i03")[CREATED]
    assert row(now, "n1")[LANGUAGE] == "de"
    assert row(now, "n2")[TITLE] == "n2"
    assert row(now, "n3")[CREATED] == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_removed_items_go_and_may_come_back(journal: Journal) -> None:
    items, model = LiveItems(journal), Model()
    journal.append([removal("i03"), removal("nobody"), item("n0", title="Short-lived"), removal("n0", AT + 1)])
    now = items.of(RELEASE, model)
    assert not there(now, "i03")
    assert not there(now, "n0")
    assert "nobody" not in now.catalogue
    journal.append([item("i03", at=AT + 2, title="Back")])
    assert there(items.of(RELEASE, model), "i03")


def test_where_only_facts_change_nothing_is_read(journal: Journal) -> None:
    items, model, before = LiveItems(journal), Model(), row(RELEASE, "i03")
    same = {name: before[name] for name in ("title", "description", "categories", "brand")}
    journal.append([item("i03", **same, price=12.5)])
    now = items.of(RELEASE, model)
    assert row(now, "i03")["price"] == 12.5
    assert model.read == []
    assert np.array_equal(now.vectors[3], RELEASE.vectors[3])


def test_what_nobody_can_read_waits_and_holds_up_nothing(journal: Journal) -> None:
    items, model = LiveItems(journal), Model()
    journal.append([item("n0", title="Unread"), removal("i03"), item("n1", title="Gone before it was read")])
    now = items.added(RELEASE, items.ahead(RELEASE), {})
    assert not there(now, "i03")
    assert "n0" not in now.catalogue
    assert list(items.waiting(RELEASE)) == ["n0", "n1"]
    assert items.upto(RELEASE) == items.last()
    journal.append([removal("n1", AT + 1)])
    assert "n1" not in items.added(RELEASE, items.ahead(RELEASE), {}).catalogue
    assert list(items.waiting(RELEASE)) == ["n0"]
    assert there(items.of(RELEASE, model), "n0")
    assert not items.waiting(RELEASE)
    assert model.read == ["Unread"]


def test_a_release_made_from_them_has_them_already(journal: Journal) -> None:
    journal.append([item("n0", title="Drained")])
    made = replace(RELEASE, drained={journal.facts().name: journal.position()})
    items, model = LiveItems(journal), Model()
    assert items.upto(made) == items.last()
    journal.append([item("n1", title="Later")])
    assert "n0" not in items.of(made, model).catalogue
    assert model.read == ["Later"]


def test_a_user_known_before_an_item_came_is_met_with_it(journal: Journal) -> None:
    items, users = LiveItems(journal), LiveUsers(journal)
    release = replace(RELEASE, people=users, clock=lambda: TIME)
    event = Record("event", "e1", "u0", TIME, {"item_id": "i04", "behaviour": "like"})
    journal.append([event])
    before = [each.item_id for each in release.recommend(release.whose("u0"), ALL)]
    journal.append(
        [item("n0", title="A rose garden"), Record("event", "e2", "u1", TIME, {"item_id": "n0", "behaviour": "like"})]
    )
    now = items.of(release, Model())
    listed = [each.item_id for each in now.recommend(now.whose("u0"), ALL)]
    assert set(listed) == {*before, "n0"}
    assert "n0" in now.interests(now.whose("u1"))["evidence"].explode().to_list()
