"""Any site of the Stack Exchange data dump: questions are items, and what people did to them are interactions.

Answers, and comments on either, count for their question. Only favourites and bounties name their voter, and votes only
their day: they are dated at its end, when they had happened for certain. Without PostHistory.xml only the latest edit
of each post is known. People's names are never read.
"""

from pathlib import Path

import polars as pl

from strata.data.schema import (
    ATTRIBUTES,
    BEHAVIOUR,
    CREATED,
    DESCRIPTION,
    EVENT,
    INTERACTIONS,
    ITEM,
    ITEMS,
    PROFILE_TEXT,
    REMOVED,
    TAGS,
    TEXT,
    TIMESTAMP,
    TITLE,
    USER,
    USERS,
    VALUE,
)
from strata.data.sources.dump import read_rows
from strata.data.sources.finding import Finding
from strata.data.sources.frames import as_table, stacked
from strata.data.sources.source import ReadTable, Source
from strata.data.sources.values import number, pairs, time
from strata.errors import SourceError

TEXTS = pl.String()
QUESTION, ANSWER = "1", "2"
"""Post types; the others are wikis of tags and the site's own pages."""
FAVOURITE, BOUNTY = "5", "8"
"""Vote types that name their voter."""
EDITS = ("4", "5", "6")
"""Revision types: a new title, body, tags."""
DUPLICATE = "3"
"""Type of the link from a question to the one it repeats."""
COMMUNITY = "-1"
"""The site's background process, which has a row among the users."""
POST = (
    "Id", "PostTypeId", "ParentId", "CreationDate", "DeletionDate", "ClosedDate", "OwnerUserId", "LastEditorUserId",
    "LastEditDate", "Title", "Tags", "Body",
)  # fmt: skip
NO_POST = "its post is no question or answer of the dump"


def read(folder: Path) -> Source:
    """Read questions, users with profiles, and asks, answers, comments, edits, favourites and bounties.

    Raises SourceError for a missing or malformed Posts.xml, Comments.xml, Users.xml or Votes.xml, or a malformed
    PostHistory.xml or PostLinks.xml.
    """
    posts, others = read_rows(folder / "Posts.xml", POST, only={"PostTypeId": (QUESTION, ANSWER)})
    if posts.filter(pl.col("PostTypeId") == QUESTION).is_empty():
        raise SourceError(f"{folder / 'Posts.xml'} has no questions; give the folder of a dump of one site")
    posts = posts.with_columns(pl.coalesce("ParentId", "Id").alias("_question"))
    parts = [_written(posts), _edits(folder, posts), _comments(folder, posts), _votes(folder, posts)]
    return Source(stacked(str(folder), parts), _questions(folder, posts, others), _people(folder))


def _written(posts: pl.DataFrame) -> ReadTable:
    kinds = {QUESTION: "ask", ANSWER: "answer"}
    columns = {
        USER: pl.col("OwnerUserId"),
        ITEM: pl.col("_question"),
        BEHAVIOUR: pl.col("PostTypeId").replace_strict(kinds),
        TIMESTAMP: _time("CreationDate"),
        TEXT: pl.col("Body"),
        EVENT: pl.format("post-{}", "Id"),
    }
    return as_table("Posts.xml", posts, INTERACTIONS, columns)


def _edits(folder: Path, posts: pl.DataFrame) -> ReadTable:
    """Edits of other people's posts; to edit one's own is part of writing it."""
    path = folder / "PostHistory.xml"
    if path.exists():
        names = ("RevisionGUID", "PostId", "UserId", "CreationDate")
        revisions = read_rows(path, names, only={"PostHistoryTypeId": EDITS}).frame
        edits = revisions.unique("RevisionGUID", keep="first", maintain_order=True)
        event = pl.format("revision-{}", "RevisionGUID")
    else:
        path = folder / "Posts.xml"
        latest = posts.filter(pl.col("LastEditDate").is_not_null())
        edits = latest.select(PostId="Id", UserId="LastEditorUserId", CreationDate="LastEditDate")
        event = pl.format("edit-{}-{}", "PostId", "CreationDate")
    edits = _of_question(edits, posts)
    wiki, own = pl.col("_question").is_null(), (pl.col("UserId") == pl.col("_owner")).fill_null(value=False)
    left_out = [
        *_counted("edits of what is no question or answer: left out", int(edits.select(wiki.sum()).item())),
        *_counted("edits of one's own posts: left out", int(edits.select(own.sum()).item())),
    ]
    columns = {
        USER: pl.col("UserId"),
        ITEM: pl.col("_question"),
        BEHAVIOUR: pl.lit("edit"),
        TIMESTAMP: _time("CreationDate"),
        EVENT: event,
    }
    return as_table(path.name, edits.filter(~wiki & ~own), INTERACTIONS, columns, findings=left_out)


def _comments(folder: Path, posts: pl.DataFrame) -> ReadTable:
    comments, _ = read_rows(folder / "Comments.xml", ("Id", "PostId", "UserId", "CreationDate", "Text"))
    columns = {
        USER: pl.col("UserId"),
        ITEM: pl.col("_question"),
        BEHAVIOUR: pl.lit("comment"),
        TIMESTAMP: _time("CreationDate"),
        TEXT: pl.col("Text"),
        EVENT: pl.format("comment-{}", "Id"),
    }
    return as_table("Comments.xml", _of_question(comments, posts), INTERACTIONS, columns, reason=_known())


def _votes(folder: Path, posts: pl.DataFrame) -> ReadTable:
    names = ("Id", "PostId", "VoteTypeId", "UserId", "CreationDate", "BountyAmount")
    votes, nameless = read_rows(folder / "Votes.xml", names, only={"VoteTypeId": (FAVOURITE, BOUNTY)})
    kinds = {FAVOURITE: "favourite", BOUNTY: "bounty"}
    end_of_day = _time("CreationDate").dt.truncate("1d") + pl.duration(days=1, microseconds=-1)
    columns = {
        USER: pl.col("UserId"),
        ITEM: pl.col("_question"),
        BEHAVIOUR: pl.col("VoteTypeId").replace_strict(kinds, return_dtype=pl.String),
        TIMESTAMP: end_of_day,
        VALUE: number(pl.col("BountyAmount"), TEXTS),
        EVENT: pl.format("vote-{}", "Id"),
    }
    given, left_out = _of_question(votes, posts), _counted("votes that do not name their voter: left out", nameless)
    return as_table("Votes.xml", given, INTERACTIONS, columns, reason=_known(), findings=left_out)


def _questions(folder: Path, posts: pl.DataFrame, others: int) -> ReadTable:
    questions = posts.filter(pl.col("PostTypeId") == QUESTION).drop("_question")
    links = pl.DataFrame(schema=dict.fromkeys(("PostId", "RelatedPostId"), pl.String))
    if (path := folder / "PostLinks.xml").exists():
        links = read_rows(path, links.columns, only={"LinkTypeId": (DUPLICATE,)}).frame
    first = links.unique("PostId", keep="first", maintain_order=True).select(Id="PostId", _duplicate_of="RelatedPostId")
    given = questions.join(first, on="Id", how="left", maintain_order="left")
    columns = {
        ITEM: pl.col("Id"),
        TITLE: pl.col("Title"),
        DESCRIPTION: pl.col("Body"),
        TAGS: pl.col("Tags").str.extract_all(r"[^<>|]+").fill_null([]),  # "<a><b>", in dumps from 2024 "|a|b|"
        CREATED: _time("CreationDate"),
        REMOVED: _time("DeletionDate"),
        ATTRIBUTES: pairs({"closed": (pl.col("ClosedDate"), TEXTS), "duplicate_of": (pl.col("_duplicate_of"), TEXTS)}),
    }
    left_out = _counted("posts that are no question or answer: left out", others)
    return as_table("Posts.xml", given, ITEMS, columns, findings=left_out)


def _people(folder: Path) -> ReadTable:
    given, _ = read_rows(folder / "Users.xml", ("Id", "AboutMe", "Location"))
    columns = {
        USER: pl.col("Id"),
        PROFILE_TEXT: pl.col("AboutMe"),
        ATTRIBUTES: pairs({"location": (pl.col("Location"), TEXTS)}),
    }
    nobody = pl.when(pl.col("Id") == COMMUNITY).then(pl.lit("the site's own process, no person"))
    return as_table("Users.xml", given, USERS, columns, reason=nobody)


def _of_question(given: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Add the question that each `PostId` is or answers, and who wrote the post."""
    targets = posts.select("_question", PostId="Id", _owner="OwnerUserId")
    return given.join(targets, on="PostId", how="left", maintain_order="left")


def _known() -> pl.Expr:
    return pl.when(pl.col("_question").is_null()).then(pl.lit(NO_POST))


def _time(name: str) -> pl.Expr:
    return time(pl.col(name), TEXTS, "iso")


def _counted(what: str, count: int) -> list[Finding]:
    return [Finding(what, count)] if count else []
