"""Folders of documents become items, their authors' events, or profile texts; what is guessed or unreadable is said."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from strata.data.cleaning import CleaningSettings, clean
from strata.data.schema import BEHAVIOURS, REASON
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.source import ReadTable, Source
from strata.errors import SettingsError, SourceError
from tests.data.findings import counted

MARKDOWN = """---
title: Harbour lights
author: [Ann Lee <ann@example.org>, Bo Li]
date: 2021-03-04 05:06:07+02:00
tags: sea, night
mood: calm
---
# The harbour

Some *quiet* text with [a link](https://example.org/x) and `code`.

```
not(read)
```
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<html lang="en-GB"><head><title>Harbour | The Coast News</title><meta name="author" content="Ann Lee; Bo Li">
<meta property="article:published_time" content="2021-03-04T05:06:07+02:00"><meta name="keywords" content="sea, lights">
<meta property="article:tag" content="storm"><meta property="article:section" content="Weather"></head>
<body><nav><a href="/">Home</a> <a href="/x">About us</a></nav><article><h1>Harbour</h1>
<p>The harbour was dark that night and the ships came home one by one, guided by small lamps.</p>
<p>Nobody spoke of the storm, though everybody had seen it coming over the hills in the west.</p></article>
<footer>Copyright 2021, all rights reserved</footer><script>track()</script></body></html>"""


def pdf(text: str, **said: str) -> bytes:
    """A PDF of one page."""
    content = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
    facts = "".join(f"/{name} ({value})" for name, value in said.items())
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        f"<<{facts}>>".encode(),
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size 7/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF" % len(whole)
    return whole + b"xref\n0 7\n0000000000 65535 f \n" + table + end


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(folder: Path, settings: Mapping[str, Any] | None = None, **tables: Any) -> Source:
    return read_source(SourceSettings.model_validate({"folder": folder, "documents": settings or {}, **tables}))


def item(table: ReadTable, name: str) -> dict[str, Any]:
    return table.rows.row(by_predicate=pl.col("item_id") == name, named=True)


INTERACTIONS = {"file": "events.csv", "constants": {"behaviour": "view"}}
EVENTS = "user_id,item_id,timestamp\nu1,sea/a.txt,2024-01-02\nu2,sea/a.txt,2024-01-03\n"


def test_every_kind_of_document_is_an_item_beside_a_table_of_what_people_did(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sea/a.txt": "Storm at sea\n\nThe wind rose.",
            "b.md": MARKDOWN,
            "c.html": PAGE,
            "d.pdf": pdf("Tides of the north", Title="Tides", Author="Cy Dee", CreationDate="D:20200102030405Z"),
            "e.jsonl": '{"id": 7, "headline": "Nets", "body": "How nets are made.", "date": "2020-05-06"}\n',
            "events.csv": EVENTS,
        },
    )
    source = read(tmp_path, interactions=INTERACTIONS)
    assert source.users is None
    assert source.interactions.rows["user_id"].to_list() == ["u1", "u2"]
    table = source.items
    assert table.rows["item_id"].to_list() == ["b.md", "c.html", "d.pdf", "7", "sea/a.txt"]
    assert table.rows[REASON].null_count() == 5
    text, page, paper = item(table, "b.md"), item(table, "c.html"), item(table, "d.pdf")
    assert (text["title"], text["brand"], text["tags"]) == ("Harbour lights", "Ann Lee, Bo Li", ["sea", "night"])
    assert text["description"] == "The harbour\nSome quiet text with a link and code."
    assert text["created_at"] == page["created_at"] == datetime(2021, 3, 4, 3, 6, 7, tzinfo=UTC)
    assert text["attributes"] == [{"key": "mood", "value": "calm"}]
    assert (page["title"], page["brand"], page["language"]) == ("Harbour", "Ann Lee, Bo Li", "en")
    assert (page["tags"], page["categories"]) == (["sea", "lights"], ["Weather"])
    assert "Nobody spoke of the storm" in page["description"]
    assert not any(word in page["description"] for word in ("About us", "Copyright", "track"))
    assert (paper["title"], paper["brand"], paper["description"]) == ("Tides", "Cy Dee", "Tides of the north")
    assert paper["created_at"] == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (item(table, "7")["title"], item(table, "7")["description"]) == ("Nets", "How nets are made.")
    storm = item(table, "sea/a.txt")
    assert (storm["title"], storm["categories"], storm["created_at"]) == ("Storm at sea", ["sea"], None)
    assert counted(table.findings) == {"no date: left empty": 1}


def test_a_folder_alone_gives_the_authors_as_users_and_publishing_as_their_behaviour(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"2024-03-01-lamps.md": "---\nauthor: Bo Li\n---\n# Lamps\nOil.", "a.md": MARKDOWN, "z.md": "# Nobody\nText."},
    )
    source = read(tmp_path)
    events = source.interactions.rows.select("user_id", "item_id", "behaviour", "timestamp", "text").rows()
    assert [event[:3] for event in events] == [
        ("Bo Li", "2024-03-01-lamps.md", "share"),
        ("Ann Lee", "a.md", "share"),
        ("Bo Li", "a.md", "share"),
    ]
    assert events[0][3:] == (datetime(2024, 3, 1, tzinfo=UTC), "Lamps\nOil.")
    assert counted(source.interactions.findings) == {"documents without an author: nobody's writing": 1}
    assert counted(source.items.findings) == {"no date: the day in the file's name taken": 1, "no date: left empty": 1}
    weights = dict.fromkeys(BEHAVIOURS, 1.0)
    cleaned = clean(source, CleaningSettings(weights=weights), datetime(2025, 1, 1, tzinfo=UTC))
    assert cleaned.users["user_id"].to_list() == ["Ann Lee", "Bo Li"]
    assert len(cleaned.interactions) == 3


def test_folders_can_name_authors_and_another_field_or_behaviour_can_be_stated(tmp_path: Path) -> None:
    write(tmp_path, {"ann/a.jsonl": '{"saw": "x1", "when": 1600000000, "text": "Fine."}\n', "bo/b.txt": "Poor."})
    fields = {"created_at": "when", "item_id": "saw"}
    settings = {"folders": "authors", "behaviour": "comment", "fields": fields, "time_unit": "s"}
    rows = read(tmp_path, settings).interactions.rows
    assert rows.select("user_id", "item_id", "behaviour").rows() == [
        ("ann", "x1", "comment"),
        ("bo", "bo/b.txt", "comment"),
    ]
    assert rows["timestamp"].to_list() == [datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC), None]
    dated = read(tmp_path, {**settings, "undated": "file"})
    assert dated.interactions.rows["timestamp"].null_count() == 0
    assert counted(dated.items.findings)["no date: the time of the file taken"] == 1
    wrong = read(tmp_path, {**settings, "time_unit": "iso"})
    (finding,) = [each for each in wrong.items.findings if each.what.startswith("date is not a time")]
    assert (finding.count, finding.example, finding.remedy) == (1, "1600000000", "set documents.time_unit")
    with pytest.raises(SourceError, match=r"no document names its author; .*documents\.folders to authors"):
        read(tmp_path)


def test_what_users_wrote_of_themselves_is_their_profile_text_the_latest_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "ann/2020-01-01.txt": "I fish.",
            "ann/2021-01-01.txt": "I sail now.",
            "bo/x.txt": "Hills!",
            "c.txt": "Whose?",
            "ann/e.txt": " ",
            "events.csv": EVENTS,
            "items.csv": "item_id,title\nsea/a.txt,Storm\n",
        },
    )
    settings = {"are": "profiles", "folders": "authors"}
    source = read(tmp_path, settings, interactions=INTERACTIONS, items={"file": "items.csv"})
    assert source.users is not None
    assert source.users.rows.select("user_id", "profile_text").rows() == [
        ("ann", "I sail now.\n\nI fish."),
        ("bo", "Hills!"),
    ]
    found = counted(source.users.findings)
    assert found["documents without an author: nobody's writing"] == 1
    assert found["documents left out: the file holds no text"] == 1
    with pytest.raises(SettingsError, match="map interactions and items, and no users"):
        read(tmp_path, settings)


def test_what_cannot_be_read_is_refused_with_its_reason_and_the_rest_is_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.pdf": b"%PDF-1.4 broken",
            "b.pdf": pdf(""),
            "c.txt": b"\0\1\2\3",
            "d.md": "---\ntitle: Good\n---\nText.",
            "e.html": "",
            "f.jsonl": '{"text": "Good."}\nnot JSON\n[1]\n\n',
            "g.docx": b"PK",
            ".git/h.txt": "hidden",
        },
    )
    table = read(tmp_path, interactions=None, settings={"folders": "ignored", "fields": {"author": "title"}}).items
    reasons = dict(table.rows.select("item_id", REASON).rows())
    assert reasons == {
        "a.pdf": "the file is no readable PDF; save it again",
        "b.pdf": "the PDF holds no text, as scanned pages do; recognise it first (such as by ocrmypdf)",
        "c.txt": "the file is no text in any known encoding",
        "d.md": None,
        "e.html": "the page holds no HTML",
        "f.jsonl:1": None,
        "f.jsonl:2": "the line is not a JSON object",
        "f.jsonl:3": "the line is not a JSON object",
    }
    assert json.loads(table.given.collect()["content"][0])["document"] == "a.pdf"
    assert counted(table.findings)["files of other kinds: left out"] == 2


def test_an_encoding_is_guessed_and_said_or_stated_or_declared(tmp_path: Path) -> None:
    french = "Le garçon était très gêné par l'été : déjà vu, café fermé, crème brûlée à la fenêtre."
    russian = "Гавань была темна этой ночью, корабли возвращались один за другим"
    write(
        tmp_path,
        {
            "a.txt": russian.encode("cp1251"),
            "b.txt": russian.encode("utf-16"),
            "c.txt": russian.encode("utf-8-sig"),
            "d.html": f'<meta charset="windows-1251"><p>{russian}. {russian}.</p>'.encode("cp1251"),
        },
    )
    source = read(
        tmp_path, {"folders": "ignored", "fields": {"author": "charset"}, "undated": "empty"}, **tables(tmp_path)
    )
    table = source.items
    assert all(russian in text for text in table.rows["description"])
    assert counted(table.findings)["not UTF-8: read as cp1251, a guess"] == 1
    for name in "abcd":
        next(tmp_path.glob(f"{name}.*")).unlink()
    write(tmp_path, {"a.txt": french.encode("latin-1")})
    stated = read(tmp_path, {"encoding": "latin-1"}, **tables(tmp_path))
    assert stated.items.rows["description"].to_list() == [french]
    assert not any("guess" in what for what in counted(stated.items.findings))
    wrong = read(tmp_path, {"encoding": "utf-16"}, **tables(tmp_path))
    assert wrong.items.rows[REASON].to_list() == ["the file is no utf-16 text; correct documents.encoding"]


def tables(folder: Path) -> dict[str, Any]:
    write(folder, {"events.csv": EVENTS})
    return {"interactions": INTERACTIONS}


def test_the_order_of_rows_is_that_of_paths(tmp_path: Path) -> None:
    names = ["b/a.txt", "a/z.txt", "a.txt", "B.txt"]
    write(tmp_path, dict.fromkeys(names, "Text."))
    assert read(tmp_path, **tables(tmp_path)).items.rows["item_id"].to_list() == sorted(names)


def test_settings_that_contradict_and_folders_without_documents_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x"})
    with pytest.raises(SourceError, match=r"holds no document \(.txt, .*by documents.pattern \(\*\*/\*\)"):
        read(tmp_path)
    with pytest.raises(SettingsError, match="documents are items; map no items"):
        read(tmp_path, items={"file": "a.csv"})
    with pytest.raises(ValueError, match="unknown headline; there is: item_id, title"):
        read(tmp_path, {"fields": {"headline": "x"}})


@pytest.mark.parametrize(("name", "package"), [("a.html", "trafilatura"), ("a.pdf", "pypdf")])
def test_a_missing_package_is_named_with_the_file(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {name: "x"})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        SourceError, match=rf"{name}: to read it the package {package} is needed; install it: .*documents"
    ):
        read(tmp_path)
