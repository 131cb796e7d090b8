"""The general adapter: good files become our tables, bad files a clear error or a marked row."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from strata.data.schema import INTERACTIONS, ITEMS, REASON, ROW, USERS
from strata.data.sources import objects
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.source import ReadTable
from strata.data.sources.streams import records_of
from strata.data.sources.tables import InteractionsSettings, ItemsSettings, UsersSettings, read_table
from strata.errors import SettingsError, SourceError
from tests.data.findings import counted

HEADER = b"user_id,item_id,behaviour,timestamp,value,text\n"
LINE = b"u,a,view,2020-01-01,1.5,hi\n"


def interactions(folder: Path, content: bytes, name: str = "i.csv", **options: Any) -> ReadTable:
    (folder / name).write_bytes(content)
    return read_table(folder, InteractionsSettings(file=Path(name), **options))


def items(folder: Path, content: bytes, name: str = "t.csv", **options: Any) -> ReadTable:
    (folder / name).write_bytes(content)
    return read_table(folder, ItemsSettings(file=Path(name), **options))


def jsonl(*records: object) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def times(table: ReadTable) -> list[datetime | None]:
    return [time and time.astimezone(UTC) for time in table.rows["timestamp"]]


def test_columns_that_have_our_names_need_no_map(tmp_path: Path) -> None:
    table = interactions(tmp_path, HEADER + b"u, a ,View,2020-01-02T03:04:05Z,4.5,hello\n")
    assert table.rows.columns == [ROW, *INTERACTIONS.names(), REASON]
    assert table.rows.select(INTERACTIONS.names()).schema == INTERACTIONS
    assert table.rows.select("row", "user_id", "item_id", "value", "text", REASON).rows() == [
        (1, "u", "a", 4.5, "hello", None)
    ]
    assert table.rows["event_id"].null_count() == 0


def test_a_map_constants_separator_and_attributes(tmp_path: Path) -> None:
    (tmp_path / "i.tsv").write_text("who\twhat\twhen\n7\tx\t1600000000\n")
    (tmp_path / "t.csv").write_text("id,genres,pages,year\nx,Drama | War,12,1995\ny,,,V\n")
    (tmp_path / "u.csv").write_text("id,age,town\n7,30,\n")
    source = read_source(
        SourceSettings(
            folder=tmp_path,
            interactions=InteractionsSettings(
                file=Path("i.tsv"),
                columns={"user_id": "who", "item_id": "what", "timestamp": "when"},
                constants={"behaviour": "like", "value": 2},
                time_unit="s",
            ),
            items=ItemsSettings(
                file=Path("t.csv"),
                columns={"item_id": "id", "categories": "genres", "created_at": "year"},
                attributes={"pages": "pages"},
                separator="|",
                time_unit="year",
            ),
            users=UsersSettings(
                file=Path("u.csv"), columns={"user_id": "id"}, attributes={"town": "town", "age": "age"}
            ),
        )
    )
    assert source.users is not None
    assert source.interactions.rows.select("user_id", "behaviour", "value").row(0) == ("7", "like", 2.0)
    assert source.items.rows["categories"].to_list() == [["Drama", "War"], []]
    assert source.items.rows["created_at"].to_list() == [datetime(1995, 1, 1, tzinfo=UTC), None]
    assert counted(source.items.findings) == {"created_at is not a time (time_unit: year): left empty": 1}
    assert source.items.rows["attributes"].to_list() == [[{"key": "pages", "value": "12"}], []]
    assert source.users.rows["attributes"].to_list() == [[{"key": "age", "value": "30"}]]
    assert source.users.rows.select(USERS.names()).schema == USERS
    assert source.items.rows.select(ITEMS.names()).schema == ITEMS


@pytest.mark.parametrize(
    ("unit", "given", "expected"),
    [
        ("s", "881250949", datetime(1997, 12, 4, 15, 55, 49, tzinfo=UTC)),
        ("s", "1.5", datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        ("ms", "1600000000123", datetime(2020, 9, 13, 12, 26, 40, 123_000, tzinfo=UTC)),
        ("us", "1600000000123456", datetime(2020, 9, 13, 12, 26, 40, 123_456, tzinfo=UTC)),
        ("ns", "1600000000123456789", datetime(2020, 9, 13, 12, 26, 40, 123_456, tzinfo=UTC)),
        ("year", "1995", datetime(1995, 1, 1, tzinfo=UTC)),
        ("iso", "2020-01-02", datetime(2020, 1, 2, tzinfo=UTC)),
        ("iso", "2020-01-02 03:04", datetime(2020, 1, 2, 3, 4, tzinfo=UTC)),
        ("iso", "2020-01-02T03:04:05.5+02:00", datetime(2020, 1, 2, 1, 4, 5, 500_000, tzinfo=UTC)),
        ("iso", "2020-01-02T03:04:05-0830", datetime(2020, 1, 2, 11, 34, 5, tzinfo=UTC)),
        *(
            (unit, bad, None)
            for unit in ("s", "ms", "us", "ns", "year", "iso")
            for bad in ("x", "?", "1e400", "9" * 30)
        ),
        ("iso", "2020-02-30", None),
        ("iso", "9999-12-31T23:59:59-05:00", None),
    ],
)
def test_times(tmp_path: Path, unit: Any, given: str, expected: datetime | None) -> None:
    table = interactions(tmp_path, HEADER + f"u,a,view,{given},,\n".encode(), time_unit=unit)
    assert times(table) == [expected]
    assert table.rows[REASON].to_list() == [None if expected else f"timestamp is not a time (time_unit: {unit})"]


def test_parquet_keeps_native_types(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "user_id": [1.0, None],
            "item_id": pl.Series(["a", "b"], dtype=pl.Categorical),
            "behaviour": ["view", "view"],
            "timestamp": pl.Series([datetime(2020, 1, 1), datetime(2020, 1, 2)]).dt.replace_time_zone("Asia/Shanghai"),
            "value": [Decimal("1.5"), None],
        }
    )
    frame.write_parquet(tmp_path / "i.parquet")
    table = read_table(tmp_path, InteractionsSettings(file=Path("i.parquet")))
    assert table.rows["user_id"].to_list() == ["1", None]
    assert table.rows["value"].to_list() == [1.5, None]
    assert times(table)[0] == datetime(2019, 12, 31, 16, tzinfo=UTC)
    catalogue = pl.DataFrame({"item_id": [1], "categories": [["书", "科幻"]], "attributes": [{"b": 1, "a": "x"}]})
    catalogue.write_parquet(tmp_path / "t.parquet")
    row = read_table(tmp_path, ItemsSettings(file=Path("t.parquet"))).rows.row(0, named=True)
    assert row["item_id"] == "1"
    assert row["categories"] == ["书", "科幻"]
    assert row["attributes"] == [{"key": "a", "value": "x"}, {"key": "b", "value": "1"}]


def test_our_own_tables_can_be_a_source(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item_id,title,categories,created_at\na,三体,科幻,2008-01-01\n")
    first = read_table(tmp_path, ItemsSettings(file=Path("t.csv"), attributes={"kind": "title"})).rows
    first.select(ITEMS.names()).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path, ItemsSettings(file=Path("t.parquet"))).rows.equals(first)


def test_jsonl_with_native_lists_chinese_and_late_keys(tmp_path: Path) -> None:
    content = '{"item_id": 1, "title": "三体", "tags": ["科幻", "书"]}\n{"item_id": "2", "price": 3.5}\n'
    rows = items(tmp_path, content.encode(), "t.jsonl").rows
    assert rows.select("item_id", "title", "tags", "price").rows() == [
        ("1", "三体", ["科幻", "书"], None),
        ("2", None, [], 3.5),
    ]


def test_jsonl_lone_surrogates_and_broken_lines(tmp_path: Path) -> None:
    good = {"user_id": 1, "item_id": "a", "behaviour": "view", "timestamp": "2020-01-01"}
    content = jsonl({**good, "text": "\ud800 half, \ud83d\ude00 whole"}) + b'not json\n[1]\n{"user_id": "1", "it\n'
    table = interactions(tmp_path, content, "i.jsonl")
    assert table.rows["text"][0] == "\ufffd half, 😀 whole"
    assert table.rows[REASON].to_list() == [None] + ["the line is not a JSON object"] * 3
    assert sum(finding.count for finding in table.findings) == 1
    assert "not json" in table.given.collect()["content"][1]


def test_ragged_lines_are_marked_and_kept(tmp_path: Path) -> None:
    table = interactions(
        tmp_path, HEADER + b"u,a,view,2020-01-01,1,x,more\nu,b,view,2020-01-01\n\nu,c,view,2020-01-01,1,x\n"
    )
    assert table.rows["row"].to_list() == [1, 2, 3]
    assert table.rows[REASON].to_list() == ["the line has more fields than the header", None, None]
    assert "more" in table.given.collect()["content"][0]


def test_bytes_that_are_not_utf8_are_replaced_and_counted(tmp_path: Path) -> None:
    table = interactions(tmp_path, HEADER + b"u,a,view,2020-01-01,1,h\xffi \xed\xa0\x80\n")
    assert table.rows["text"].to_list() == ["h\ufffdi \ufffd\ufffd\ufffd"]
    assert counted(table.findings) == {"text holds U+FFFD, which stands for bytes that are not valid text": 1}


def test_numbers_that_are_none_mark_the_row(tmp_path: Path) -> None:
    rows = b"".join(b"u,a,view,2020-01-01,%s,\n" % value for value in (b"x", b"NAN", b"inf", b"", b" 2 "))
    table = interactions(tmp_path, HEADER + rows)
    wrong = ["value is not a number", "value is NaN or infinite", "value is NaN or infinite", None, None]
    assert table.rows[REASON].to_list() == wrong


def test_a_price_that_is_none_leaves_the_item(tmp_path: Path) -> None:
    table = items(tmp_path, b"item_id,price\na,x\nb,inf\nc,2\n")
    assert table.rows["price"].to_list() == [None, None, 2.0]
    assert table.rows[REASON].null_count() == 3
    assert sum(finding.count for finding in table.findings) == 2


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("i.csv", b"", {}, r"i\.csv is empty \(0 bytes\)"),
        ("i.csv", HEADER, {}, r"i\.csv has no rows"),
        ("i.csv", b"user,item\n1,2\n", {}, r"nothing is mapped to user_id.* the file has 'user', 'item'"),
        ("i.csv", HEADER + LINE, {"columns": {"user_id": "uid"}}, "no column 'uid' for user_id; the file"),
        ("i.csv", HEADER + b'u,a,view,2020-01-01,1,"open\n' + LINE, {}, r"line 3: a quotation mark"),
        ("i.csv", HEADER.decode().encode("utf-16"), {}, r"begins as UTF-16 does; set `encoding: utf-16`"),
        ("i.csv", b"PK\x03\x04\xff\x00\n\x00", {}, r"is not UTF-8 text"),
        ("i.xls", b"x", {}, r"the ending '\.xls' names no format"),
        ("i.xlsx", b"x", {}, r"is not a readable workbook"),
        ("i.parquet", b"PAR1 and nothing else", {}, r"is not a readable Parquet file"),
        ("i.jsonl", b'"user_id"\n', {}, r"no line is a JSON object; write one object a line"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_serve_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        interactions(tmp_path, content, name, **options)
    assert name in str(caught.value)


def test_wrong_column_types_are_a_clear_error(tmp_path: Path) -> None:
    good = {"user_id": ["u"], "item_id": ["a"], "behaviour": ["view"], "timestamp": [1]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, r"column 'timestamp', mapped to timestamp, holds Int64; set `time_unit`"),
        ({"user_id": [["u"]]}, r"column 'user_id', mapped to user_id, holds List\(String\), not text"),
        ({"timestamp": ["2020-01-01"], "value": [datetime(2020, 1, 1)]}, r"column 'value', .* not numbers"),
    ]
    for change, message in wrong:
        pl.DataFrame({**good, **change}).write_parquet(tmp_path / "i.parquet")
        with pytest.raises(SourceError, match=message):
            read_table(tmp_path, InteractionsSettings(file=Path("i.parquet")))


def test_missing_file_and_folder_say_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("x")
    with pytest.raises(SourceError, match=r"i\.csv does not exist.*the folder holds 'other\.csv'"):
        read_table(tmp_path, InteractionsSettings(file=Path("i.csv")))
    gone = SourceSettings(
        folder=tmp_path / "gone",
        interactions=InteractionsSettings(file=Path("i.csv")),
        items=ItemsSettings(file=Path("t.csv")),
    )
    with pytest.raises(SourceError, match=r"gone is no folder; fetch the data"):
        read_source(gone)


def test_a_source_has_either_an_adapter_or_a_map(tmp_path: Path) -> None:
    mapped = {"items": ItemsSettings(file=Path("t.csv"))}
    with pytest.raises(SettingsError, match="the adapter stack-exchange maps no columns; keep one of the two"):
        read_source(SourceSettings(folder=tmp_path, adapter="stack-exchange", **mapped))
    with pytest.raises(SettingsError, match=r"or name an adapter \(complete-journey, stack-exchange\)"):
        read_source(SourceSettings(folder=tmp_path, **mapped))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"colour": "c"}}, "unknown column colour; there is: behaviour"),
        ({"columns": {"value": "c"}, "constants": {"value": 1}}, "both in columns and in constants"),
        ({"separator": ""}, "separator is empty"),
        ({"time_unit": "days"}, "time_unit"),
        ({"attributes": {"age": "age"}}, "interactions have no attributes"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        InteractionsSettings(file=Path("i.csv"), **options)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
ROW_OF_CELLS = st.fixed_dictionaries(
    {name: st.none() | CELL for name in ("user_id", "item_id", "behaviour", "timestamp", "value")}
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(ROW_OF_CELLS, min_size=1, max_size=6))
def test_any_text_in_any_format_is_read_the_same(tmp_path: Path, records: list[dict[str, str | None]]) -> None:
    frame = pl.DataFrame(records, schema=dict.fromkeys(records[0], pl.String))
    frame.write_parquet(tmp_path / "i.parquet")
    frame.write_ndjson(tmp_path / "i.jsonl")
    (tmp_path / "ascii.jsonl").write_bytes(jsonl(*records))
    names = ("i.parquet", "i.jsonl", "ascii.jsonl")
    tables = [read_table(tmp_path, InteractionsSettings(file=Path(name))).rows for name in names]
    assert tables[0].height == len(records)
    assert all(table.equals(tables[0]) for table in tables[1:])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200), name=st.sampled_from(["i.csv", "i.tsv", "i.jsonl", "i.parquet"]))
def test_junk_never_ends_in_a_traceback(tmp_path: Path, junk: bytes, name: str) -> None:
    content = jsonl({"user_id": 1}) if name == "i.jsonl" else HEADER.replace(b",", b"\t") if name == "i.tsv" else HEADER
    try:
        table = interactions(
            tmp_path,
            content + junk,
            name,
            constants={"behaviour": "view"},
            columns={"user_id": "user_id", "item_id": "user_id", "timestamp": "user_id"},
        )
    except SourceError:
        return
    assert table.given.collect()["row"].to_list() == table.rows["row"].to_list()


def test_equal_rows_have_equal_event_ids_and_others_do_not(tmp_path: Path) -> None:
    others = [LINE.replace(old, new) for old, new in ((b"u,", b"v,"), (b"1.5", b"1.6"), (b"1.5", b""), (b"hi", b""))]
    ids = interactions(tmp_path, HEADER + LINE + LINE + b"".join(others)).rows["event_id"].to_list()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
    assert ids[0] == "0Ec0nAcHYa97"  # what a later version must still give


def test_formulas_of_text_are_the_text_and_counted(tmp_path: Path) -> None:
    lines = b'="0044",="7",="view",2020-01-01,="1.5",="\n0044,7,view,2020-01-02,,hi\n'
    table = interactions(tmp_path, HEADER + lines)
    assert table.rows.select("user_id", "item_id", "behaviour", "value", "text").rows() == [
        ("0044", "7", "view", 1.5, '="'),
        ("0044", "7", "view", None, "hi"),
    ]
    told = {what: count for what, count in counted(table.findings).items() if "formula" in what}
    assert sorted(what.split()[0] for what in told) == ["behaviour", "item_id", "user_id", "value"]
    assert set(told.values()) == {1}


PAGE = {"status": {"ok": [1, 2], "pages": [{}]}, "result": {"count": 2, "rows": [{"user_id": "ü"}, {"user_id": 7}]}}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["i.json", "i.json.gz", "i.json.zst"])
def test_rows_within_an_object_are_read_where_records_says(tmp_path: Path, indent: int | None, name: str) -> None:
    page = json.dumps(PAGE, indent=indent, ensure_ascii=False).encode()
    packed = {".gz": gzip.compress, ".zst": lambda given: pa.compress(given, codec="zstd", asbytes=True)}
    content = packed.get(Path(name).suffix, bytes)(page)
    rest: dict[str, Any] = {"constants": {"item_id": "a", "behaviour": "view"}, "time": "none"}
    table = interactions(tmp_path, content, name, records="result.rows", **rest)
    assert table.rows["user_id"].to_list() == ["ü", "7"]
    with pytest.raises(SourceError, match="set `records: status.pages`"):
        interactions(tmp_path, content, name, **rest)
    for wrong in ("rows", "result.count", "result.rows.user_id"):
        with pytest.raises(SourceError, match=f"no array of rows at '{wrong}'"):
            interactions(tmp_path, content, name, records=wrong, **rest)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    above=st.recursive(st.none() | st.text() | st.integers() | st.lists(st.integers()), st.lists, max_leaves=5),
    ids=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1),
    indent=st.sampled_from([None, 0, 2]),
    block=st.sampled_from([1, 3, 50, 1 << 20]),
)
def test_rows_within_an_object_are_those_of_json(
    tmp_path: Path, above: Any, ids: list[str], indent: int | None, block: int
) -> None:
    page = {"[{": above, "at": {"x": above, "rows": [{"user_id": each} for each in ids]}, "end": above}
    path = tmp_path / "i.json"
    path.write_text(json.dumps(page, indent=indent), encoding="utf-8")
    with pytest.MonkeyPatch.context() as changed, path.open(encoding="utf-8") as text:
        changed.setattr(objects, "_BLOCK", block)
        assert [json.loads(row)["user_id"] for row in objects.rows(path, text, "at.rows")] == ids
    assert records_of(path, InteractionsSettings(file=path)) == "at.rows"


def test_lines_of_objects_are_no_object_that_holds_rows(tmp_path: Path) -> None:
    path = tmp_path / "i.jsonl"
    path.write_bytes(jsonl({"user_id": "u", "bought": [{"sku": 1}]}, {"user_id": "v", "bought": []}))
    assert records_of(path, InteractionsSettings(file=path)) is None
