"""What the service kept joins the source by the source's own rules, and the forgotten are in no table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from strata.data.cleaning import Cleaned, CleaningSettings, clean
from strata.data.journal_folder import JournalFolder
from strata.data.sources.adapters import SourceSettings, read_source
from strata.online.draining import drain
from strata.online.ingested import ingested
from strata.online.item_records import news_of, rows_of
from strata.online.journal import Journal
from strata.online.opening import open_journal
from strata.online.records import Record
from tests.places import ROOT

NOW = datetime(2024, 6, 1, tzinfo=UTC)
AT = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
INTERACTIONS = """\
user_id,item_id,behaviour,timestamp,event_id
ann,i0,view,2024-01-01,s1
bob,i1,view,2024-01-02,s2
eve,i0,rate,2024-01-03,s3
"""
ITEMS = "item_id,title,price\ni0,One,1\ni1,Two,2\n"
USERS = "user_id,profile_text\nann,I like one\nbob,I like two\neve,I am eve\n"


class Shop:
    """A data set of three tables with a journal beside it."""

    def __init__(
        self, folder: Path, interactions: str = INTERACTIONS, users: str | None = USERS, **source: Any
    ) -> None:
        self.folder = folder / "data" / "shop"
        self.folder.mkdir(parents=True)
        files = {"interactions": interactions, "items": ITEMS, "users": users}
        for name, text in files.items():
            if text is not None:
                (self.folder / f"{name}.csv").write_text(text)
        tables = {name: {"file": f"{name}.csv"} for name, text in files.items() if text is not None}
        tables["interactions"] |= source
        self.settings = SourceSettings.model_validate({"folder": self.folder, **tables})
        self.corrections = folder / "corrections.jsonl"
        self.journal: Journal = open_journal(str(folder / "journal.sqlite"))

    def keep(self, *records: Record) -> None:
        self.journal.append(records)

    def forget(self, user: str) -> None:
        self.journal.forget(user, AT)

    def cleaned(self, **cleaning: Any) -> Cleaned:
        """Drained, read and cleaned."""
        drain(self.journal, self.folder, self.corrections)
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        settings = CleaningSettings.model_validate({**params["cleaning"], **cleaning})
        return clean(ingested(read_source(self.settings), JournalFolder.read(self.folder)), settings, NOW)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def event(id: str, user: str = "ann", item: str | None = "i1", at: float = AT, **body: Any) -> Record:
    said = {"item_id": item, "behaviour": "click", **body}
    return Record("event", id, user, at, {key: value for key, value in said.items() if value is not None})


def item(id: str, item_id: str, at: float = AT, **body: Any) -> Record:
    return Record("item", id, None, at, {"item_id": item_id, **body})


def rows(cleaned: Cleaned) -> set[tuple[str, str, str]]:
    return set(cleaned.interactions.select("user_id", "item_id", "event_id").rows())


OWN = {("ann", "i0", "s1"), ("bob", "i1", "s2"), ("eve", "i0", "s3")}


def everything(cleaned: Cleaned) -> str:
    """All that cleaning gives, as text."""
    tables = (cleaned.interactions, cleaned.items, cleaned.users, cleaned.quarantine, cleaned.words, cleaned.suspicious)
    return str([table.rows() for table in tables]) + str(cleaned.counts)


def test_without_a_journal_the_source_is_as_it_was(shop: Shop) -> None:
    source = read_source(shop.settings)
    assert ingested(source, JournalFolder.read(shop.folder)) is source


def test_events_join_those_of_the_source_by_the_same_rules(shop: Shop) -> None:
    shop.keep(
        event("e1"),
        event("s1"),  # sent and exported: once
        event("e2", item="unheard of"),
        event("e3", at=NOW.timestamp() + 100),
        event("e4", user="new", behaviour="rate", value=5),
        event("e5", item=None, behaviour="search", text="tea"),
    )
    cleaned = shop.cleaned()
    assert rows(cleaned) == OWN | {("ann", "i1", "e1"), ("new", "i1", "e4")}
    assert cleaned.words.select("user_id", "text").rows() == [("ann", "tea")]
    reasons = dict(cleaned.quarantine.select("reason", "content").rows())
    assert set(reasons) == {"item_id is not in items", "timestamp lies in the future", "duplicate event_id"}
    assert '"event_id":"e2"' in reasons["item_id is not in items"]
    weights = dict(cleaned.interactions.select("event_id", "weight").rows())
    assert weights["e4"] == 1.0  # the best rating
    assert "new" in cleaned.users["user_id"]
    assert cleaned.counts["interactions"].read == 9


def test_the_last_word_on_an_item_stands(shop: Shop) -> None:
    shop.keep(
        item("1", "n1", title="New one", created_at="2024-04-01T00:00:00Z"),
        item("2", "i0", title="One, mended", price=9),
        item("3", "i1", removed=True),
        item("4", "n1", title="New one, mended"),
        item("5", "n2", title="Gone again"),
        item("6", "n2", removed=True),
        item("7", "nobody knows", removed=True),
        event("e1", item="n1"),
    )
    cleaned = shop.cleaned()
    table, came = {row["item_id"]: row for row in cleaned.items.rows(named=True)}, datetime.fromtimestamp(AT, UTC)
    assert set(table) == {"i0", "i1", "n1", "n2"}
    assert (table["i0"]["title"], table["i0"]["price"]) == ("One, mended", 9.0)
    assert (table["n1"]["title"], table["n1"]["created_at"]) == ("New one, mended", came)
    assert table["i1"]["title"] == "Two"
    assert table["i1"]["removed_at"] == table["n2"]["removed_at"] == datetime.fromtimestamp(AT, UTC)
    assert table["i0"]["removed_at"] is None
    assert ("ann", "n1", "e1") in rows(cleaned)


def test_an_item_that_comes_back_is_there_again(shop: Shop) -> None:
    shop.keep(item("1", "i1", removed=True), item("2", "i1", title="Two again"))
    table = {row["item_id"]: row for row in shop.cleaned().items.rows(named=True)}
    assert (table["i1"]["title"], table["i1"]["removed_at"]) == ("Two again", None)


@pytest.mark.parametrize("users", [USERS, None])
def test_nothing_is_left_of_who_was_forgotten(tmp_path: Path, users: str | None) -> None:
    bad = "eve,ghost,view,2024-01-04,s4\neve,i0,sneeze,2024-01-04,s5\n"
    broken = 'bob,i0,view,2024-01-05,s6,"eve, a field too many"\n'
    shop = Shop(tmp_path, INTERACTIONS + bad + broken, users)
    shop.keep(event("e1", "eve", item=None, behaviour="search", text="cakes"), event("e2", "ann"))
    shop.cleaned()
    before = everything(shop.cleaned())
    assert "eve" in before
    assert "ghost" in before
    shop.forget("eve")
    after = shop.cleaned()
    said = everything(after)
    for word in ("eve", "ghost", "sneeze", "cakes", "s3", "s6"):
        assert word not in said.replace("events", "").replace("every", ""), word
    assert rows(after) == {("ann", "i0", "s1"), ("bob", "i1", "s2"), ("ann", "i1", "e2")}
    (found,) = [each for each in after.counts["interactions"].findings if "forgotten" in each.what]
    assert found.count == 4


def test_who_comes_back_is_known_by_what_came_since(shop: Shop) -> None:
    shop.keep(event("e1", "eve"))
    shop.cleaned()
    shop.forget("eve")
    shop.keep(event("e2", "eve"))
    assert rows(shop.cleaned()) == (OWN - {("eve", "i0", "s3")}) | {("eve", "i1", "e2")}
    assert shop.cleaned().users.filter(pl.col("user_id") == "eve")["profile_text"].to_list() == [None]


def test_events_follow_times_that_were_made(tmp_path: Path) -> None:
    text = "user_id,item_id,behaviour\nann,i0,view\nann,i1,view\nbob,i1,view\n"
    shop = Shop(tmp_path, text, None, time="none")
    shop.keep(event("e1", at=AT), event("e2", item="i0", at=AT + 60))
    times = dict(shop.cleaned().interactions.select("event_id", "timestamp").rows())
    made = max(time for id, time in times.items() if id not in ("e1", "e2"))
    assert [(times[id] - made).total_seconds() for id in ("e1", "e2")] == [1, 61]


def test_files_of_a_journal_are_no_documents(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "one.md").write_text("---\nauthor: ann\ndate: 2024-01-01\n---\n# One\n\nA text.\n")
    journal = open_journal(str(tmp_path / "journal.sqlite"))
    journal.append([event("e1", "bob", item="one.md")])
    journal.forget("cleo", AT)
    drain(journal, folder, tmp_path / "corrections.jsonl")
    assert (folder / "events" / "erased.jsonl").exists()
    source = read_source(SourceSettings.model_validate({"folder": folder, "documents": {}}))
    assert source.items.rows["item_id"].to_list() == ["one.md"]
    joined = ingested(source, JournalFolder.read(folder)).interactions.rows
    assert joined.select("user_id", "item_id").rows() == [("ann", "one.md"), ("bob", "one.md")]


def test_items_are_those_that_the_service_had_until_then(shop: Shop) -> None:
    """What a release is made of is what LiveItems showed before."""
    records = [
        item("1", "n1", at=AT, title="New <b>one</b>", categories=["a"], attributes={"k": "v"}),
        item("2", "n1", at=AT + 5, title="New one, mended"),
        item("3", "i1", at=AT + 6, removed=True),
        item("4", "i0", at=AT + 7, description="no title now"),
    ]
    before = shop.cleaned().items
    shop.keep(*records)
    known = {row["item_id"]: row for row in before.rows(named=True)}
    live = {row["item_id"]: row for row in rows_of(news_of(records), known.get, before)}
    made = {row["item_id"]: row for row in shop.cleaned().items.rows(named=True)}
    assert set(live) == {"n1", "i0", "i1"}
    for item_id, row in live.items():
        assert made[item_id] == dict(row), item_id
