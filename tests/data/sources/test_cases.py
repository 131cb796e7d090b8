"""Files as people have them: each kind is read by the settings that docs/data.md shows, or refused with a remedy."""

import bz2
import gzip
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pyarrow as pa
import pytest
from pydantic import ValidationError

from strata.data.schema import ITEM, REASON
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.files import sample
from strata.data.sources.finding import Finding
from strata.data.sources.grammar import FileSettings
from strata.data.sources.source import ReadTable
from strata.data.sources.tables import InteractionsSettings, ItemsSettings, UsersSettings, read_table
from strata.errors import SourceError

VIEW = {"behaviour": "view"}
ITEMS_CSV = "item_id,title\n1,Harbour lights\n2,Winter orchard\n"
LOG = "user_id,item_id,timestamp\nu1,1,2020-01-01\nu2,2,2020-01-02\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def interactions(folder: Path, name: str, content: str | bytes, **settings: Any) -> ReadTable:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(folder, InteractionsSettings.model_validate({"file": name, "constants": VIEW, **settings}))


def items(folder: Path, name: str, content: str | bytes, **settings: Any) -> ReadTable:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(folder, ItemsSettings.model_validate({"file": name, **settings}))


def pairs(table: ReadTable) -> list[Any]:
    return table.rows.select("user_id", "item_id").rows()


def days(table: ReadTable, column: str = "timestamp") -> list[str]:
    return [time.strftime("%Y-%m-%d %H:%M") for time in table.rows[column]]


def found(table: ReadTable, words: str) -> Finding:
    (finding,) = [each for each in table.findings if words in each.what]
    assert finding.remedy is None or finding.count > 0
    return finding


# How a file is written


@pytest.mark.parametrize("delimiter", [";", "|", "::", "\t", "¦"])
@pytest.mark.parametrize("quoted", [True, False])
def test_any_delimiter(folder: Path, delimiter: str, quoted: bool) -> None:
    title = f'"a{delimiter}b"' if quoted else "ab"
    lines = [delimiter.join(cells) for cells in (("id", "title"), ("1", title), ("2", "c"))]
    table = items(folder, "i.dat", "\r\n".join(lines), delimiter=delimiter, columns={"item_id": "id", "title": "title"})
    assert table.rows["title"].to_list() == [f"a{delimiter}b".strip() if quoted else "ab", "c"]


@pytest.mark.parametrize("delimiter", [";", "::", "|"])
def test_a_delimiter_that_does_not_fit_is_told(folder: Path, delimiter: str) -> None:
    with pytest.raises(SourceError, match=rf"look divided by '{delimiter.replace('|', '[|]')}': set `delimiter`"):
        interactions(folder, "i.csv", LOG.replace(",", delimiter))


def test_no_header_by_positions_or_names(folder: Path) -> None:
    content = "11\t1\t5\t881250949\n11\t2\t3\t881250950\n"
    rated = {"constants": {"behaviour": "rate"}, "time_unit": "s"}
    by_position = {"user_id": 1, "item_id": 2, "value": 3, "timestamp": 4}
    first = interactions(folder, "u.tsv", content, header=False, columns=by_position, **rated)
    second = interactions(folder, "u.tsv", content, header=["user_id", "item_id", "value", "timestamp"], **rated)
    assert first.rows.equals(second.rows)
    assert first.rows.select("user_id", "item_id", "value").row(0) == ("11", "1", 5.0)


@pytest.mark.parametrize("content", ["11,1,5,881250949\n11,2,3,881250950\n", '7,"A game",purchase,1.0\n8,B,play,2.5\n'])
def test_a_header_that_is_data_is_refused(folder: Path, content: str) -> None:
    with pytest.raises(SourceError, match=r"first line looks like data.*set `header` to false"):
        interactions(folder, "u.csv", content)
    names = content.split("\n")[0].split(",")
    table = items(folder, "u.csv", content, header=True, columns={"item_id": names[0]})
    assert table.rows.height == 1


def test_a_name_that_stands_twice_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match="'artist_id' stands at columns 2 and 3"):
        interactions(folder, "i.tsv", "user\tartist_id\tartist_id\nu\t1\t71\n")


def test_a_header_spelled_otherwise_is_suggested(folder: Path) -> None:
    with pytest.raises(SourceError, match="nothing is mapped to user_id.*is it 'User_ID'"):
        interactions(folder, "i.csv", "User_ID, Item_ID ,Timestamp\nu1,1,2020-01-01\n")
    with pytest.raises(SourceError, match="no column 'item id' for item_id.*is it 'Item_ID'"):
        items(folder, "i.csv", "Item_ID,t\n1,a\n", columns={"item_id": "item id"})


def test_lines_above_the_header_and_comments(folder: Path) -> None:
    with pytest.raises(SourceError, match="looks like a comment: set `skip_lines: 1`"):
        interactions(folder, "i.csv", "# exported 2020-01-31\n" + LOG)
    one = interactions(folder, "i.csv", "# exported, by shop 7\n" + LOG, skip_lines=1)
    two = interactions(folder, "i.csv", "# exported, by shop 7\n" + LOG.replace("u2", "# again\nu2"), comment="#")
    assert pairs(one) == pairs(two) == [("u1", "1"), ("u2", "2")]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("latin-1", "Café"),
        ("cp1252", "Œuvre – one"),
        ("gbk", "港口的灯光"),
        ("utf-16", "Café 港"),
        ("shift_jis", "港の灯"),
    ],
)
def test_encodings(folder: Path, encoding: str, title: str) -> None:
    content = f"item_id,title\n1,{title}\n".encode(encoding)
    assert items(folder, "i.csv", content, encoding=encoding).rows["title"].to_list() == [title]


def test_utf16_that_is_not_named_says_so(folder: Path) -> None:
    with pytest.raises(SourceError, match="begins as UTF-16 does; set `encoding: utf-16`"):
        interactions(folder, "i.csv", LOG.encode("utf-16"))


def test_byte_order_marks_are_stripped_even_two(folder: Path) -> None:
    for marks in ("\ufeff", "\ufeff\ufeff"):
        assert items(folder, "i.csv", marks + ITEMS_CSV).rows["item_id"].to_list() == ["1", "2"]


def test_more_than_a_few_damaged_values_stop(folder: Path) -> None:
    lines = [f"{number},Caf\xe9 {number}" for number in range(5)]
    few = items(folder, "i.csv", "\n".join(["item_id,title", *lines[:3]]).encode("latin-1"))
    many = items(folder, "i.csv", "\n".join(["item_id,title", *lines]).encode("latin-1"))
    assert (found(few, "not valid text").count, found(few, "not valid text").stops) == (3, False)
    finding = found(many, "not valid text")
    assert (finding.stops, finding.column, finding.example) == (True, "title", "Caf\ufffd 0")
    assert "set `encoding`" in str(finding)
    allowed = items(folder, "i.csv", (folder / "i.csv").read_bytes(), damaged_at_most=5)
    assert not found(allowed, "not valid text").stops


def zipped(content: bytes, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("i.csv.gz", gzip.compress(LOG.encode(), mtime=0)),
        ("i.csv.bz2", bz2.compress(LOG.encode())),
        ("i.csv.zst", pa.compress(LOG.encode(), codec="zstd", asbytes=True)),
        ("i.csv.zip", zipped(LOG.encode(), "log.csv")),
        ("i.zip", zipped(LOG.encode(), "a/log.csv", "a/readme.csv")),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_packed_files(folder: Path, name: str, content: bytes) -> None:
    member = {"member": "*log.csv"} if name == "i.zip" else {}
    assert pairs(interactions(folder, name, content, **member)) == [("u1", "1"), ("u2", "2")]
    with pytest.raises(SourceError, match=r"cannot be unpacked|set `member`"):
        interactions(folder, name, content[: len(content) // 2], **member)


def test_several_files_are_one_table(folder: Path) -> None:
    (folder / "part-2.csv").write_text(LOG.replace("u", "v").replace("vser", "user"))
    table = interactions(folder, "part-1.csv", LOG)
    table = interactions(folder, "part-1.csv", LOG, file="part-*.csv")
    assert pairs(table) == [("u1", "1"), ("u2", "2"), ("v1", "1"), ("v2", "2")]
    assert table.rows["row"].to_list() == [1, 2, 3, 4]
    (folder / "part-3.csv").write_text("user_id,item_id\nu,1\n")
    with pytest.raises(SourceError, match=r"part-3\.csv has other columns than part-1\.csv: timestamp"):
        interactions(folder, "part-1.csv", LOG, file="part-*.csv")


def test_quotation_marks_behind_a_backslash(folder: Path) -> None:
    content = 'item_id;title\n1;"A \\"big\\" one; here"\n'
    assert items(folder, "i.csv", content, delimiter=";", escape="\\").rows["title"].to_list() == ['A "big" one; here']


def test_json_arrays_nested_objects_and_python_lines(folder: Path) -> None:
    records = [
        {"user": {"id": f"u{n}", "tags": [{"name": "x"}]}, "item_id": n, "timestamp": "2020-01-01"} for n in (1, 2)
    ]
    columns = {"user_id": "user.id", "item_id": "item_id", "timestamp": "timestamp", "text": "user.tags.0.name"}
    lines = "\n".join(map(json.dumps, records))
    for name, content in (
        ("i.json", json.dumps(records, indent=1)),
        ("i.json", lines),
        ("i.jsonl", json.dumps(records)),
        ("p.jsonl", "\n".join(map(repr, records))),
    ):
        table = interactions(folder, name, content, columns=columns)
        assert table.rows.select("user_id", "item_id", "text").rows() == [("u1", "1", "x"), ("u2", "2", "x")]
    pl.DataFrame(records).write_parquet(folder / "i.parquet")
    columns.pop("text")
    assert pairs(interactions(folder, "i.parquet", (folder / "i.parquet").read_bytes(), columns=columns))[0] == (
        "u1",
        "1",
    )


WORKBOOK = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
    'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://'
    'schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Notes" sheetId="1" r:id="s1"/>'
    '<sheet name="Sales" sheetId="2" r:id="s2"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    + "".join(
        f'<Relationship Id="s{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        f'Target="worksheets/sheet{n}.xml"/>'
        for n in (1, 2)
    )
    + "</Relationships>",
}


def workbook(rows: list[list[str | float]]) -> bytes:
    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in WORKBOOK.items():
            archive.writestr(name, content)
        archive.writestr("xl/worksheets/sheet1.xml", sheet.format("<row><c><v>1</v></c></row>"))
        archive.writestr("xl/worksheets/sheet2.xml", sheet.format(data))
    return packed.getvalue()


def test_a_workbook_by_sheet_with_days_as_numbers(folder: Path) -> None:
    assert fastexcel  # a dependency of its own
    content = workbook([["Customer", "StockCode", "InvoiceDate"], [17001, "A1", 40513.35], [17002, "A2", 40514.4]])
    columns = {"user_id": "Customer", "item_id": "StockCode", "timestamp": "InvoiceDate"}
    table = interactions(folder, "b.xlsx", content, sheet="Sales", columns=columns, time_unit="excel")
    assert pairs(table) == [("17001", "A1"), ("17002", "A2")]
    assert days(table) == ["2010-12-01 08:24", "2010-12-02 09:36"]
    assert "time_unit: {timestamp: 'excel'}" in str(
        found(interactions(folder, "b.xlsx", content, sheet=2, columns=columns), "timestamp is not a time")
    )
    with pytest.raises(SourceError, match="2 sheets; set `sheet` to one of 'Notes', 'Sales'"):
        interactions(folder, "b.xlsx", content, columns=columns)


# How values are written


@pytest.mark.parametrize(
    ("given", "form", "expected"),
    [
        ("13/12/2010 9:05", "%d/%m/%Y %H:%M", "2010-12-13 09:05"),
        ("20181103", "%Y%m%d", "2018-11-03 00:00"),
        ("Wed Mar 22 11:37:04 -0700 2017", "%a %b %d %H:%M:%S %z %Y", "2017-03-22 18:37"),
    ],
)
def test_formats_of_times(folder: Path, given: str, form: str, expected: str) -> None:
    content = LOG.replace("2020-01-01", given).replace("2020-01-02", given)
    assert days(interactions(folder, "i.csv", content, time_format=form)) == [expected] * 2
    finding = found(interactions(folder, "i.csv", content), "timestamp is not a time")
    assert (finding.stops, finding.example, finding.count) == (True, given, 2)
    assert f"time_format: {{timestamp: {form!r}}}" in str(finding)


def test_of_two_orders_of_day_and_month_a_person_tells_which(folder: Path) -> None:
    content = LOG.replace("2020-01-01", "01/02/2020").replace("2020-01-02", "03/04/2020")
    said = str(found(interactions(folder, "i.csv", content), "timestamp is not a time"))
    assert "'%d/%m/%Y'} or time_format: {timestamp: '%m/%d/%Y'}" in said


def test_several_formats_and_days_without_zeros(folder: Path) -> None:
    content = LOG.replace("2020-01-01", "1.2.2020").replace("2020-01-02", "20200203")
    assert days(interactions(folder, "i.csv", content, time_format=["%d.%m.%Y", "%Y%m%d"])) == [
        "2020-02-01 00:00",
        "2020-02-03 00:00",
    ]
    plain = interactions(
        folder, "i.csv", LOG.replace("2020-01-01", "2010-1-5 8:26").replace("2020-01-02", "2010/01/06")
    )
    assert days(plain) == ["2010-01-05 08:26", "2010-01-06 00:00"]


def test_day_and_time_of_day_in_two_columns(folder: Path) -> None:
    columns = {"user_id": "u", "item_id": "i", "timestamp": ["day", "time"]}
    table = interactions(
        folder, "i.csv", "u,i,day,time\na,1,2020-01-02,03:04\na,2,2020-01-03,\na,3,,05:06\n", columns=columns
    )
    assert table.rows["timestamp"].to_list() == [
        datetime(2020, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2020, 1, 3, tzinfo=UTC),
        None,
    ]


def test_units_of_each_column_and_one_that_is_wrong(folder: Path) -> None:
    content = "item_id,created_at,removed_at\n1,1512189107,2020\n2,1512189107,2021\n"
    right = items(folder, "i.csv", content, time_unit={"created_at": "s", "removed_at": "year"})
    assert days(right, "created_at")[0] == "2017-12-02 04:31"
    assert right.rows["removed_at"].dt.year().to_list() == [2020, 2021]
    wrong = found(
        items(folder, "i.csv", content, time_unit={"created_at": "ms", "removed_at": "year"}), "created_at read as ms"
    )
    assert (wrong.stops, wrong.count, wrong.remedy) == (True, 2, "set time_unit: {created_at: s}")


@pytest.mark.parametrize(
    ("settings", "given", "price"),
    [
        ({}, "$25.00", 25.0),
        ({}, "$1,234.50", 1234.5),
        ({}, "£2.55", 2.55),
        ({}, "1,234,567", 1234567.0),
        ({}, "EUR 12.5", 12.5),
        ({"decimal": ","}, "12,50 €", 12.5),
        ({"decimal": ","}, "1.234,50", 1234.5),
        ({"decimal": ",", "thousands": " "}, "1 234,5", 1234.5),
        ({"thousands": ","}, "1,234", 1234.0),
        ({}, "1,234", None),
        ({}, "ask", None),
        ({"decimal": ","}, "1.234", None),
    ],
)
def test_numbers_as_people_write_them(folder: Path, settings: dict[str, str], given: str, price: float | None) -> None:
    table = items(folder, "i.jsonl", json.dumps({"item_id": "1", "price": given}), **settings)
    assert table.rows["price"].to_list() == [price]
    if price is None:
        finding = found(table, "price is not a number: left empty")
        assert (finding.example, finding.count, finding.stops) == (given, 1, True)
        assert "`thousands`" in str(finding)


def test_words_for_missing(folder: Path) -> None:
    words = ["NULL", "\\N", "nan", "None", " NA ", "null"]
    content = "user_id,item_id,timestamp\n" + "".join(f"{word},1,2020-01-01\n" for word in [*words, "u7"])
    table = interactions(folder, "i.csv", content)
    assert table.rows["user_id"].to_list() == [None] * 6 + ["u7"]
    finding = found(table, "user_id is a word for missing")
    assert (finding.count, finding.example, finding.column) == (6, "NULL", "user_id")
    assert interactions(folder, "i.csv", content, missing=["-"]).rows["user_id"].null_count() == 0


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ("['Drama', 'Sea']", {}),
        ('["Drama", "Sea"]', {}),
        ('[["Drama"], ["Sea"]]', {}),
        ("['Drama' 'Sea']", {}),
        ("[{'id': 1, 'name': 'Drama'}, {'id': 2, 'name': 'Sea'}]", {"list_key": "name"}),
        ('{"Drama": 5, "Sea": 3}', {}),
        ("Drama | Sea", {"separator": "|"}),
    ],
)
def test_lists_in_a_cell(folder: Path, given: str, settings: dict[str, str]) -> None:
    quoted = given.replace('"', '""')
    table = items(folder, "i.csv", f'item_id,categories\n1,"{quoted}"\n2,[]\n3,\n', **settings)
    assert table.rows["categories"].to_list() == [["Drama", "Sea"], [], []]


def test_lists_that_settings_do_not_explain_are_told(folder: Path) -> None:
    content = json.dumps({"item_id": "1", "categories": [{"name": "Drama"}], "tags": "(Drama, Sea)"})
    table = items(folder, "i.jsonl", content)
    assert found(table, "categories holds objects").stops
    assert found(table, "tags looks like a list and is none").example == "(Drama, Sea)"


def test_text_given_as_a_list(folder: Path) -> None:
    content = "".join(
        json.dumps({"item_id": number, "title": "[a] b", "description": parts}) + "\n"
        for number, parts in enumerate([["A lamp.", "Two batteries."], []])
    )
    table = items(folder, "i.jsonl", content)
    assert table.rows.select("title", "description").rows() == [("[a] b", "A lamp. Two batteries."), ("[a] b", None)]
    assert found(table, "description is a list of texts").count == 2


def test_flag_columns_are_categories(folder: Path) -> None:
    content = "1|Harbour|0|1|1\n2|Café|1|0|0\n".encode("latin-1")
    settings: dict[str, Any] = {
        "delimiter": "|",
        "encoding": "latin-1",
        "header": ["item_id", "title", "unknown", "Drama", "Sea"],
    }
    table = items(folder, "u.item", content, **settings, flags={"categories": ["unknown", "Drama", "Sea"]})
    assert table.rows["categories"].to_list() == [["Drama", "Sea"], ["unknown"]]
    renamed = items(folder, "u.item", content, **settings, flags={"tags": {"war": "Drama", "name": "title"}})
    assert renamed.rows["tags"].to_list() == [["war"], []]
    assert found(renamed, "a flag is neither 0 nor 1").stops


# What rows become


def test_behaviours_by_a_map(folder: Path) -> None:
    content = "user_id,item_id,behaviour,timestamp\nu,1,pv,2020-01-01\nu,1,buy,2020-01-02\nu,2,fav,2020-01-03\n"
    table = interactions(
        folder, "i.csv", content, constants={}, behaviours={"pv": "view", "buy": "purchase", "fav": None}
    )
    assert table.rows["behaviour"].to_list() == ["view", "purchase"]
    assert found(table, "behaviour fav: left out").count == 1


def test_values_that_are_no_rating(folder: Path) -> None:
    content = (
        "user_id,item_id,value,timestamp\nu,1,0,2020-01-01\nu,2,8,2020-01-02\nu,3,,2020-01-03\nu,4,-1,2020-01-04\n"
    )
    rated = {"constants": {"behaviour": "rate"}}
    table = interactions(folder, "i.csv", content, **rated, unrated={0: "view", -1: "view", "empty": "like"})
    assert table.rows.select("behaviour", "value").rows() == [
        ("view", None),
        ("rate", 8.0),
        ("like", None),
        ("view", None),
    ]
    assert found(table, "rate with value 0 is no rating: read as view").count == 1


def test_items_of_the_interactions_file(folder: Path) -> None:
    log = (
        "user_id,item_id,item_name,category,timestamp\nu1,1,Lamp,,2020-01-03\nu2,1,Lamp 2,Lights,2020-01-01\n"
        "u2,2,Frost,Games,2020-01-03\n"
    )
    columns = {"item_id": "item_id", "title": "item_name", "categories": "category"}
    refused = items(folder, "i.csv", log, columns=columns)
    assert "set `repeated`" in str(found(refused, "rows share their item_id"))
    for settings, title in (
        ({"repeated": "first"}, "Lamp"),
        ({"repeated": "latest"}, "Lamp 2"),
        ({"repeated": "latest", "latest_by": "timestamp"}, "Lamp"),
    ):
        table = items(folder, "i.csv", log, columns=columns, **settings)
        assert table.rows.select("item_id", "title", "categories").rows() == [
            ("1", title, ["Lights"]),
            ("2", "Frost", ["Games"]),
        ]
        finding = found(table, "item_ids with more than one value of item_name")
        assert (finding.count, finding.example) == (1, "1: Lamp | Lamp 2")
    users = UsersSettings(file=Path("i.csv"), columns={"user_id": "user_id"}, repeated="first")
    assert read_table(folder, users).rows["user_id"].to_list() == ["u1", "u2"]


def test_without_a_table_of_items_the_ids_stand_in(folder: Path) -> None:
    (folder / "i.csv").write_text(LOG)
    source = read_source(
        SourceSettings.model_validate({"folder": folder, "interactions": {"file": "i.csv", "constants": VIEW}})
    )
    assert source.items.rows["item_id"].to_list() == ["1", "2"]
    assert found(source.items, "there is no table of items").count == 2


def test_long_properties_become_columns(folder: Path) -> None:
    content = (
        "timestamp,itemid,property,value\n1441508400000,1,categoryid,9\n1435460400000,1,categoryid,1338\n"
        "1441508400000,1,available,0\n1439089200000,1,790,n32880.000\n1431226800000,2,categoryid,1114\n1,3,790,n1\n"
    )
    properties = {"name": "property", "value": "value", "time": "timestamp"}
    settings: dict[str, Any] = {"properties": properties, "attributes": {"available": "available"}}
    columns = {"item_id": "itemid", "categories": "categoryid"}
    table = items(folder, "i.csv", content, columns=columns, **settings)
    assert table.rows.select("item_id", "categories").rows() == [("1", ["9"]), ("2", ["1114"]), ("3", [])]
    assert table.rows["attributes"][0].to_list() == [{"key": "available", "value": "0"}]
    assert found(table, "more than one value of categoryid: the latest value is taken").count == 1
    with pytest.raises(SourceError, match="no property 'colour' in column 'property'; there is '790', 'available'"):
        items(folder, "i.csv", content, columns={**columns, "brand": "colour"}, **settings)


def test_lists_of_items_are_unfolded(folder: Path) -> None:
    content = (
        "imp\tuser\ttime\timpressions\n1\tu1\t2019-11-12\t1-0 N-2-1 3-0\n2\tu2\t2019-11-13\t1-1 4-0\n"
        "3\tu3\t2019-11-13\t\n"
    )
    columns = {"user_id": "user", "item_id": "impressions", "timestamp": "time"}
    unfold = {"column": "impressions", "mark": "-"}
    clicks = interactions(folder, "i.tsv", content, columns=columns, unfold={**unfold, "keep": ["1"]})
    assert pairs(clicks) == [("u1", "N-2"), ("u2", "1")]
    assert found(clicks, "rows without an entry").count == 1
    assert found(clicks, "entries marked '0': left out").count == 3
    shown = {**columns, "behaviour": "impressions.mark"}
    names = {"1": "click", "0": "view"}
    both = interactions(folder, "i.tsv", content, columns=shown, constants={}, unfold=unfold, behaviours=names)
    assert both.rows["behaviour"].to_list() == ["view", "click", "view", "click", "view"]
    assert both.rows["row"].to_list() == [1, 2, 3, 4, 5]
    assert len(both.given.collect()) == 5


def test_entries_without_a_mark_are_counted_where_marks_are_kept(folder: Path) -> None:
    content = "user\ttime\tshown\nu1\t2019-11-12\tN1-1, N2, N3-x\nu2\t2019-11-13\tN4, N1-1\n"
    columns = {"user_id": "user", "item_id": "shown", "timestamp": "time"}
    unfold = {"column": "shown", "separator": ",", "mark": "-"}
    table = interactions(folder, "i.tsv", content, columns=columns, unfold={**unfold, "keep": ["1"]})
    assert pairs(table) == [("u1", "N1"), ("u2", "N1")]
    bare = found(table, "entries without a mark: left out")
    assert (bare.count, bare.of, bare.example) == (2, 5, "N2")
    assert "leave `unfold.keep` out" in str(bare.remedy)
    assert found(table, "entries marked 'x': left out").count == 1
    with pytest.raises(
        SourceError, match="no entry of column 'shown' is kept: unfold.keep is 'yes', there is '1', 'x'"
    ):
        interactions(folder, "i.tsv", content, columns=columns, unfold={**unfold, "keep": ["yes"]})


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ('{Drama,"Science Fiction, old"}', ["Drama", "Science Fiction, old"]),
        ("[Drama, War]", ["Drama", "War"]),
        ("('Drama', 'War')", ["Drama", "War"]),
        ("('Drama',)", ["Drama"]),
        ("[]", []),
        ("{}", []),
        ("[live] [studio]", ["[live] [studio]"]),
    ],
)
def test_lists_as_databases_and_python_print_them(cell: str, entries: list[str], folder: Path) -> None:
    table = items(folder, "i.jsonl", json.dumps({"item_id": "1", "title": cell, "categories": cell}))
    assert table.rows["categories"].to_list() == [entries]


def test_words_in_brackets_are_divided_by_the_separator(folder: Path) -> None:
    table = items(folder, "i.csv", "item_id,categories\n1,[Drama|War]\n2,Sea|War\n", separator="|")
    assert table.rows["categories"].to_list() == [["Drama", "War"], ["Sea", "War"]]


def test_numbers_that_a_spreadsheet_shortened_stop_the_run(folder: Path) -> None:
    content = "user_id,item_id,timestamp\n1.23457E+11,1,1.57784E+12\n1.23458E+11,E5,1.57785E+12\n"
    table = interactions(folder, "i.csv", content, time_unit="ms")
    for column, example in (("user_id", "1.23457E+11"), ("timestamp", "1.57784E+12")):
        lost = found(table, f"{column} has lost digits")
        assert (lost.count, lost.example, lost.stops) == (2, example, True)
    exact = interactions(folder, "i.csv", "user_id,item_id,timestamp\n1E5,1,1.577836800123E+12\n", time_unit="ms")
    assert not [each for each in exact.findings if "lost digits" in each.what]


def test_text_whose_encoding_was_mistaken_before_is_told(folder: Path) -> None:
    broken = ["CafÃ© du Port", "Itâ€™s late", "Ãrger", "São Paulo", "Ã la carte"]
    table = items(folder, "i.csv", "item_id,title\n" + "".join(f"{n},{title}\n" for n, title in enumerate(broken)))
    told = found(table, "title looks like UTF-8 that was taken for another encoding")
    assert (told.count, told.example, told.stops) == (2, "CafÃ© du Port", False)


def test_an_order_stands_for_time(folder: Path) -> None:
    content = "user_id,item_id,n\nu1,1,1\nu1,2,1\nu1,3,2\nu1,4,7\nu2,1,1\nu2,2,2\n"
    columns = {"user_id": "user_id", "item_id": "item_id", "timestamp": "n"}
    table = interactions(folder, "i.csv", content, columns=columns, time="order")
    first = table.rows.filter(pl.col("user_id") == "u1")["timestamp"].to_list()
    assert first[0] == first[1] < first[2] < first[3] < datetime(2002, 1, 1, tzinfo=UTC)
    assert first[2] - first[1] == first[3] - first[2]
    assert "tiers, recency and what is popular lately mean nothing" in str(found(table, "only the order"))
    assert interactions(folder, "i.csv", content, columns=columns, time="order").rows.equals(table.rows)


def test_no_time_at_all(folder: Path) -> None:
    lines = [f"u{user},{item}" for user in range(40) for item in range(10)]
    content = "\n".join(["user_id,item_id", *lines])
    with pytest.raises(SourceError, match=r"nothing is mapped to timestamp.*`time: none`"):
        interactions(folder, "i.csv", content)
    constant = interactions(folder, "i.csv", content, constants={**VIEW, "timestamp": "2004-09-01"})
    assert "time: none" in str(found(constant, "timestamp is one constant"))
    (folder / "i.csv").write_text(content)
    settings = {"folder": folder, "interactions": {"file": "i.csv", "constants": VIEW, "time": "none"}}
    source = read_source(SourceSettings.model_validate(settings))
    assert source.clock == "none"
    table = source.interactions
    late = table.rows.filter(pl.col("timestamp") >= datetime(2001, 10, 20, tzinfo=UTC))  # the year's last fifth
    assert late["user_id"].n_unique() == 40
    assert set(late.group_by("user_id").len()["len"]) == {2}
    assert found(table, "the interactions have no times").count == 400
    with pytest.raises(ValidationError, match="time is none, and timestamp is mapped"):
        InteractionsSettings(file=Path("i.csv"), time="none", columns={"timestamp": "t"})


@pytest.mark.parametrize(
    ("theirs", "ours", "words"),
    [
        ("0001", "1", "leading zeros"),
        ("1.0", "1", "'.0' at the end"),
        ("AB", "ab", "capital letters"),
        ("1-0 2-1", "1", "holds several"),
    ],
)
def test_ids_that_two_tables_spell_otherwise(folder: Path, theirs: str, ours: str, words: str) -> None:
    (folder / "i.csv").write_text(
        f"user_id,item_id,timestamp\nu,{theirs},2020-01-01\nu,gone,2020-01-01\nv,{theirs},2020-01-01\n"
    )
    (folder / "t.csv").write_text(f"item_id,title\n{ours},x\n")
    settings: dict[str, Any] = {"interactions": {"file": "i.csv", "constants": VIEW}, "items": {"file": "t.csv"}}
    table = read_source(SourceSettings.model_validate({"folder": folder, **settings})).interactions
    finding = found(table, words)
    assert (finding.count, finding.stops, finding.column) == (2, True, ITEM)
    if "number_ids" in str(finding):
        for each in settings.values():
            each["number_ids"] = True
        mended = read_source(SourceSettings.model_validate({"folder": folder, **settings}))
        assert mended.interactions.findings == []
        assert mended.interactions.rows["item_id"].to_list() == ["1", "gone", "1"]


def test_the_first_rows_of_a_large_file(folder: Path) -> None:
    content = "user_id::title\n" + "".join(f'{number}::"a\nb::c"\n' for number in range(50_000))
    (folder / "i.dat.gz").write_bytes(gzip.compress(content.encode()))
    rows = sample(folder, FileSettings(file=Path("i.dat.gz"), delimiter="::"), 10)
    assert 5 <= rows.height <= 10
    assert rows["title"].to_list() == ["a\nb::c"] * rows.height


def test_what_polars_refuses_is_read_line_by_line_with_the_same_settings(folder: Path) -> None:
    content = "# x\nid::title\n1::a::more\n2::caf\xe9\n".encode("latin-1")
    table = items(folder, "i.dat", content, delimiter="::", comment="#", columns={"item_id": "id", "title": "title"})
    assert table.rows["title"].to_list() == ["a", "caf\ufffd"]
    assert table.rows[REASON].to_list() == ["the line has more fields than the header", None]
