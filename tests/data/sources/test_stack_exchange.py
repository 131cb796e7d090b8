"""Stack Exchange dumps: what people did becomes events of questions, hostile files are refused."""

from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import quoteattr

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strata.data.cleaning import Cleaned, CleaningSettings, clean
from strata.data.schema import BEHAVIOURS, INTERACTIONS, ITEMS, USERS
from strata.data.sources.dump import BATCH, read_rows
from strata.data.sources.stack_exchange import read
from strata.errors import SourceError
from tests.data.findings import counted
from tests.places import SHARED

SITE = SHARED / "data" / "stackexchange-alcohol"
RULES = CleaningSettings(weights=dict.fromkeys(BEHAVIOURS, 1.0))
NOW = datetime(2024, 1, 1, tzinfo=UTC)
Row = dict[str, str]


def write(folder: Path, **tables: list[Row]) -> Path:
    for name, rows in tables.items():
        lines = [f"  <row {' '.join(f'{key}={quoteattr(value)}' for key, value in row.items())} />" for row in rows]
        text = "\n".join(['<?xml version="1.0" encoding="utf-8"?>', f"<{name.lower()}>", *lines, f"</{name.lower()}>"])
        (folder / f"{name}.xml").write_text(text, encoding="utf-8-sig")  # some files of a dump have a mark, some none
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two questions, an answer and a tag's wiki; users 1 to 3 and the site's own process."""
    at = "2020-02-01T10:00:00.500"
    return write(
        tmp_path,
        Posts=[
            {"Id": "1", "PostTypeId": "1", "CreationDate": at, "OwnerUserId": "1", "Title": "Which tea?",
             "Body": "<p>Green &amp; black</p>", "Tags": "<green-tea><oolong>", "ClosedDate": at,
             "LastEditorUserId": "2", "LastEditDate": "2020-02-02T00:00:00.000"},
            {"Id": "2", "PostTypeId": "2", "ParentId": "1", "CreationDate": at, "OwnerUserId": "2", "Body": "Oolong",
             "LastEditorUserId": "2", "LastEditDate": "2020-02-02T00:00:00.000"},
            {"Id": "3", "PostTypeId": "5", "CreationDate": at, "OwnerUserId": "2", "Body": "a wiki"},
            {"Id": "4", "PostTypeId": "1", "CreationDate": at, "Title": "Gone", "Body": "x", "Tags": "|oolong|cups|"},
        ],
        Comments=[
            {"Id": "1", "PostId": "2", "UserId": "3", "Text": "So it is", "CreationDate": at},
            {"Id": "2", "PostId": "1", "UserDisplayName": "left", "Text": "Bye", "CreationDate": at},
            {"Id": "3", "PostId": "3", "UserId": "3", "Text": "On a wiki", "CreationDate": at},
        ],
        Votes=[
            {"Id": "1", "PostId": "1", "VoteTypeId": "2", "CreationDate": "2020-02-01T00:00:00.000"},
            {"Id": "2", "PostId": "1", "VoteTypeId": "5", "UserId": "3", "CreationDate": "2020-02-01T00:00:00.000"},
            {"Id": "3", "PostId": "1", "VoteTypeId": "8", "UserId": "3", "CreationDate": "2020-02-03T00:00:00.000",
             "BountyAmount": "50"},
        ],
        Users=[
            {"Id": "-1", "AboutMe": "not a person"},
            {"Id": "1", "DisplayName": "Ann Other", "AboutMe": "<p>I like <b>tea</b></p>", "Location": "Leeds"},
            *({"Id": number, "DisplayName": "Ann Other"} for number in ("2", "3")),
        ],
        PostLinks=[
            {"Id": "1", "PostId": "4", "RelatedPostId": "1", "LinkTypeId": "3"},
            {"Id": "2", "PostId": "1", "RelatedPostId": "4", "LinkTypeId": "1"},
        ],
    )  # fmt: skip


def cleaned(folder: Path) -> Cleaned:
    return clean(read(folder), RULES, NOW)


def test_what_people_did_becomes_events_of_the_question(folder: Path) -> None:
    result = cleaned(folder)
    events = result.interactions.sort("behaviour").select(
        "behaviour", "user_id", "item_id", "value", "text", "event_id"
    )
    assert events.rows() == [
        ("answer", "2", "1", None, "Oolong", "post-2"),
        ("ask", "1", "1", None, "Green & black", "post-1"),
        ("bounty", "3", "1", 50.0, None, "vote-3"),
        ("comment", "3", "1", None, "So it is", "comment-1"),
        ("edit", "2", "1", None, None, "edit-1-2020-02-02T00:00:00.000"),
        ("favourite", "3", "1", None, None, "vote-2"),
    ]
    assert (result.interactions.schema, result.items.schema, result.users.schema) == (INTERACTIONS, ITEMS, USERS)


def test_what_cannot_be_used_has_its_reason_or_is_counted(folder: Path) -> None:
    result = cleaned(folder)
    assert result.quarantine.select("table", "reason").rows() == [
        ("users", "the site's own process, no person"),
        ("interactions", "no user_id"),
        ("interactions", "no user_id"),
        ("interactions", "its post is no question or answer of the dump"),
    ]
    assert '"file":"Comments.xml","Id":"2"' in result.quarantine["content"][2]
    assert counted(result.counts["interactions"].findings) == {
        "edits of one's own posts: left out": 1,
        "votes that do not name their voter: left out": 1,
    }
    assert counted(result.counts["items"].findings) == {"posts that are no question or answer: left out": 1}


def test_a_vote_stands_at_the_end_of_its_day_so_that_nothing_is_known_before_it_happened(folder: Path) -> None:
    times = dict(cleaned(folder).interactions.select("behaviour", "timestamp").iter_rows())
    assert times["ask"] == datetime(2020, 2, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert times["favourite"] == datetime(2020, 2, 1, 23, 59, 59, 999_999, tzinfo=UTC)


def test_questions_are_items_and_names_are_never_read(folder: Path) -> None:
    result = cleaned(folder)
    assert result.items.select("item_id", "title", "description", "tags").rows() == [
        ("1", "Which tea?", "Green & black", ["green-tea", "oolong"]),
        ("4", "Gone", "x", ["oolong", "cups"]),
    ]
    assert result.items["attributes"].to_list() == [
        [{"key": "closed", "value": "2020-02-01T10:00:00.500"}],
        [{"key": "duplicate_of", "value": "1"}],
    ]
    assert result.users.select("user_id", "profile_text").rows() == [("1", "I like tea"), ("2", None), ("3", None)]
    assert result.users["attributes"].to_list()[0] == [{"key": "location", "value": "Leeds"}]
    assert "Ann Other" not in str([read(folder).users.given.collect().rows(), result.users.rows()])  # type: ignore[union-attr]


def test_a_history_of_posts_gives_every_edit_once(folder: Path) -> None:
    def revision(guid: str, kind: str, post: str, user: str) -> Row:
        row = {"RevisionGUID": guid, "PostHistoryTypeId": kind, "PostId": post, "UserId": user, "Text": "long"}
        return {**row, "CreationDate": "2020-03-01T00:00:00.000"}

    edits = [
        ("a", "4", "1", "2"),
        ("a", "5", "1", "2"),
        ("b", "6", "2", "3"),
        ("c", "5", "2", "2"),
        ("d", "5", "3", "2"),
    ]
    write(folder, PostHistory=[revision("z", "1", "1", "1"), *(revision(*edit) for edit in edits)])
    result = cleaned(folder)
    found = result.interactions.filter(behaviour="edit")
    assert found.select("event_id", "user_id", "item_id").rows() == [("revision-a", "2", "1"), ("revision-b", "3", "1")]
    found = counted(result.counts["interactions"].findings)
    assert found["edits of one's own posts: left out"] == 1
    assert found["edits of what is no question or answer: left out"] == 1


BOMB = """<?xml version="1.0"?>
<!DOCTYPE users [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<users><row Id="1" AboutMe="&c;" /></users>"""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("Users", BOMB, "declares a document type, which no dump does"),
        ("Posts", '<!DOCTYPE p SYSTEM "http://localhost/p.dtd"><posts />', "declares a document type"),
        ("Comments", "<comments><row Id='1'></comments>", "not the XML of a dump .mismatched tag: line 1"),
        ("Votes", "", "not the XML of a dump"),
        ("Votes", None, "cannot be read .No such file"),
        ("Posts", "<posts />", "has no questions; give the folder of a dump of one site"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(folder: Path, name: str, content: str | None, message: str) -> None:
    path = folder / f"{name}.xml"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=rf"{name}\.xml .*{message}"):
        read(folder)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("\n\t"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"Id": TEXTS}, optional={"Text": TEXTS}), max_size=5))
def test_attributes_are_read_as_they_were_written(tmp_path: Path, rows: list[Row]) -> None:
    write(tmp_path, Any=[{**row, "Other": "x"} for row in rows])
    frame, left_out = read_rows(tmp_path / "Any.xml", ("Id", "Text"))
    assert frame.rows() == [(row["Id"], row.get("Text")) for row in rows]
    assert left_out == 0


def test_rows_beyond_one_batch_are_all_there(tmp_path: Path) -> None:
    write(tmp_path, Many=[{"Id": str(number), "Kind": str(number % 2)} for number in range(2 * BATCH + 3)])
    frame, left_out = read_rows(tmp_path / "Many.xml", ("Id",), only={"Kind": "1"})
    assert frame["Id"].cast(pl.Int64).to_list() == list(range(1, 2 * BATCH + 3, 2))
    assert left_out == BATCH + 2


@pytest.mark.skipif(not SITE.exists(), reason="the site's dump is not there")
def test_a_real_site_gives_the_events_that_its_description_counts() -> None:
    result = cleaned(SITE)
    assert result.items.height == 591
    community = result.quarantine.filter(reason="user_id is not in users")  # an edit and a bounty
    counts = dict(result.interactions["behaviour"].value_counts().iter_rows())
    assert sum(counts.values()) + community.height == 4313
    assert {name: counts[name] for name in ("comment", "answer", "ask", "favourite", "bounty")} == {
        "comment": 1821, "answer": 1393, "ask": 588, "favourite": 211, "bounty": 8,
    }  # fmt: skip
    assert result.interactions["user_id"].n_unique() == 919
    for name, table in result.counts.items():
        assert table.read == table.accepted + result.quarantine.filter(table=name).height
    texts = result.interactions.filter(pl.col("behaviour").is_in(["ask", "answer", "comment"]))["text"]
    assert texts.null_count() == 0
    assert not texts.str.contains(r"</?(p|a|strong|blockquote)\b").any()
    assert result.users["profile_text"].drop_nulls().len() > 1_800
