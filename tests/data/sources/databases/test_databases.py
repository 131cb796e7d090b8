"""Tables of SQLite, DuckDB and PostgreSQL become a snapshot and then our tables; no password is ever shown."""

import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psycopg
import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from strata.cli.app import app
from strata.data.sources.adapters import SourceSettings, read_source
from strata.data.sources.databases.connections import connected
from strata.data.sources.databases.snapshot import REPEATED_NAMES, Taken, take
from strata.errors import SettingsError, SourceError
from strata.settings import read_settings
from tests.data.findings import counted
from tests.data.sources.databases.conftest import PASSWORD, Server

RATINGS: dict[str, Any] = {
    "table": "ratings",
    "columns": {"user_id": "userId", "item_id": "movieId", "value": "rating", "timestamp": "time_stamp"},
    "constants": {"behaviour": "rate"},
    "time_unit": "s",
}
MOVIES: dict[str, Any] = {
    "query": "SELECT movieId, title, genres FROM movies WHERE title LIKE '%a%' ORDER BY movieId -- at 12:30",
    "columns": {"item_id": "movieId", "title": "title", "categories": "genres"},
    "separator": "|",
}


def settings(folder: Path, database: str, **tables: Any) -> SourceSettings:
    return SourceSettings.model_validate({"folder": folder / "snapshot", "database": database, **tables})


def taken(source: SourceSettings) -> list[Taken]:
    return take(source.folder, source.database, {"interactions": source.interactions, "items": source.items})


def sqlite(path: Path, *, header: bool = False) -> str:
    """Three tables; those of `header` were loaded with the names of their columns as a row."""
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE ratings(userId integer, movieId integer, rating real, time_stamp text)")
        opened.execute("CREATE TABLE movies(movieId integer, title text, genres text)")
        if header:
            opened.execute("INSERT INTO ratings VALUES ('userId', 'movieId', 'rating', 'timestamp')")
        opened.executemany(
            "INSERT INTO ratings VALUES (?, ?, ?, ?)", [(1, 1, 2.5, "1260759144"), (2, 3, 5, "1260759182")]
        )
        movies = [(1, "Harbour lights", "Drama|Sea"), (3, "Paper lanterns", None), (2, "Winter", "Comedy")]
        opened.executemany("INSERT INTO movies VALUES (?, ?, ?)", movies)
    opened.close()
    return f"sqlite:///{path}"


def test_tables_and_queries_of_sqlite_become_ours(tmp_path: Path) -> None:
    source = settings(tmp_path, sqlite(tmp_path / "shop.sqlite"), interactions=RATINGS, items=MOVIES)
    assert [(each.name, each.rows, each.changed) for each in taken(source)] == [
        ("interactions", 2, True),
        ("items", 2, True),
    ]
    read = read_source(source)
    rated = read.interactions.rows.select("user_id", "item_id", "behaviour", "value", "timestamp").rows()
    assert rated[0] == ("1", "1", "rate", 2.5, datetime(2009, 12, 14, 2, 52, 24, tzinfo=UTC))
    assert read.items.rows.select("item_id", "title", "categories").rows() == [
        ("1", "Harbour lights", ["Drama", "Sea"]),
        ("3", "Paper lanterns", []),
    ]


def test_a_header_that_was_loaded_as_a_row_is_left_out_and_said(tmp_path: Path) -> None:
    source = settings(tmp_path, sqlite(tmp_path / "shop.sqlite", header=True), interactions=RATINGS, items=MOVIES)
    taken(source)
    read = read_source(source)
    assert read.interactions.rows["user_id"].to_list() == ["1", "2"]
    assert counted(read.interactions.findings) == {REPEATED_NAMES: 1}


def test_the_same_rows_leave_the_snapshot_as_it_is_and_other_rows_change_it(tmp_path: Path) -> None:
    source = settings(tmp_path, sqlite(tmp_path / "shop.sqlite"), interactions=RATINGS, items=MOVIES)
    taken(source)
    before = {path.name: path.read_bytes() for path in source.folder.iterdir()}
    assert not any(each.changed for each in taken(source))
    assert {path.name: path.read_bytes() for path in source.folder.iterdir()} == before
    with sqlite3.connect(tmp_path / "shop.sqlite") as opened:
        opened.execute("INSERT INTO ratings VALUES (2, 1, 1.0, '1260759199')")
    opened.close()
    assert [each.changed for each in taken(source)] == [True, False]


def test_another_query_than_the_snapshot_s_is_refused_until_it_is_taken_again(tmp_path: Path) -> None:
    database = sqlite(tmp_path / "shop.sqlite")
    with pytest.raises(SourceError, match="take it from the database: strata data pull"):
        read_source(settings(tmp_path, database, interactions=RATINGS, items=MOVIES))
    taken(settings(tmp_path, database, interactions=RATINGS, items=MOVIES))
    other = settings(tmp_path, database, interactions=RATINGS, items={**MOVIES, "query": "SELECT * FROM movies"})
    with pytest.raises(SourceError, match=r"source\.items names now; take a new snapshot: strata data pull"):
        read_source(other)
    with pytest.raises(SettingsError, match=r"source\.interactions: .* set source\.database"):
        read_source(other.model_copy(update={"database": None}))


def test_a_refusal_leaves_the_snapshot_and_names_what_was_asked(tmp_path: Path) -> None:
    database = sqlite(tmp_path / "shop.sqlite")
    source = settings(tmp_path, database, interactions=RATINGS, items=MOVIES)
    taken(source)
    before = (source.folder / "snapshot.json").read_bytes()
    for wrong, said in (
        (
            {"table": "film"},
            "source.items: source.database has no table 'film'; correct `table`: there is movies, ratings",
        ),
        ({"query": "SELECT nope FROM movies"}, "source.items: .*no such column: nope; correct"),
        ({"query": "DROP TABLE movies"}, "source.items: .*readonly"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "the query gives the column a twice"),
        ({"query": "SELECT * FROM movies WHERE 0"}, "gives no rows"),
    ):
        with pytest.raises(SourceError, match=said):
            taken(settings(tmp_path, database, interactions=RATINGS, items=wrong))
    with pytest.raises(SourceError, match=r"no\.sqlite is no file"):
        taken(settings(tmp_path, f"sqlite:///{tmp_path}/no.sqlite", interactions=RATINGS, items=MOVIES))
    assert not (tmp_path / "no.sqlite").exists()
    assert (source.folder / "snapshot.json").read_bytes() == before
    assert {path.name for path in source.folder.iterdir()} == {"snapshot.json", "interactions.parquet", "items.parquet"}


def test_a_file_that_no_snapshot_wrote_is_not_overwritten(tmp_path: Path) -> None:
    source = settings(tmp_path, sqlite(tmp_path / "shop.sqlite"), interactions=RATINGS, items=MOVIES)
    source.folder.mkdir()
    (source.folder / "items.parquet").write_text("mine")
    with pytest.raises(SourceError, match=r"items\.parquet is from no snapshot"):
        taken(source)
    assert (source.folder / "items.parquet").read_text() == "mine"


@pytest.mark.parametrize("given", [{}, {"file": "a.csv", "table": "a"}, {"table": "a", "query": "SELECT 1"}])
def test_rows_come_from_one_place(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="give one of file, table and query"):
        settings(tmp_path, "sqlite:///x", items=given)


def test_values_of_any_kind_in_one_column_become_text(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mixed.sqlite") as opened:
        opened.execute("CREATE TABLE t(id, price, long, late)")
        opened.execute("INSERT INTO t VALUES (1, 1, 1, NULL), ('a1', 2.5, 2, NULL), (x'c3a9', 3, 3, NULL)")
        opened.execute("INSERT INTO t VALUES (4, 4, 4, 'x')")
    opened.close()
    with connected(f"sqlite:///{tmp_path}/mixed.sqlite") as connection:
        first, second = connection.frames("SELECT * FROM t", batch=3)
    assert first["id"].to_list() == ["1", "a1", "é"]
    assert first["price"].to_list() == [1.0, 2.5, 3.0]
    source = settings(tmp_path, f"sqlite:///{tmp_path}/mixed.sqlite", items={"table": "t"})
    taken(source)
    whole = pl.read_parquet(source.folder / "items.parquet")
    assert whole.dtypes == [pl.String, pl.Float64, pl.Int64, pl.String]


def test_duckdb_in_batches_with_schemas_and_types(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as opened:
        opened.execute("CREATE SCHEMA web")
        opened.execute("CREATE TABLE web.events AS SELECT range % 7 AS who, 'i' || (range % 3) AS item, "
                       "TIMESTAMPTZ '2020-01-01 00:00:00+02' + range * INTERVAL 1 MINUTE AS at, 'view' AS what "
                       "FROM range(120000)")  # fmt: skip
        opened.execute("CREATE TABLE items(id VARCHAR PRIMARY KEY, name VARCHAR, tags VARCHAR[], price DECIMAL(9, 2))")
        opened.execute("INSERT INTO items VALUES ('i2', 'Two', ['a', 'b'], 2.5), ('i0', 'Nought', NULL, NULL)")
        opened.execute("INSERT INTO items VALUES ('i1', 'One', [], 1)")
    events = {"user_id": "who", "item_id": "item", "timestamp": "at", "behaviour": "what"}
    items = {"item_id": "id", "title": "name", "tags": "tags", "price": "price"}
    source = settings(
        tmp_path, f"duckdb:///{path}", interactions={"table": "web.events", "columns": events},
        items={"table": "items", "columns": items},
    )  # fmt: skip
    told: list[tuple[str, int]] = []
    take(
        source.folder, source.database, {"interactions": source.interactions, "items": source.items},
        lambda name, rows: told.append((name, rows)),
    )  # fmt: skip
    assert len([rows for name, rows in told if name == "interactions"]) > 1
    assert ("interactions", 120_000) in told
    read = read_source(source)
    assert read.interactions.rows["timestamp"][0].astimezone(UTC) == datetime(2019, 12, 31, 22, tzinfo=UTC)
    assert read.items.rows.select("item_id", "title", "tags", "price").rows() == [
        ("i0", "Nought", [], None),
        ("i1", "One", [], 1.0),
        ("i2", "Two", ["a", "b"], 2.5),
    ]


def test_duckdb_asks_files_beside_any_database(tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a"], "title": ["A"]}).write_parquet(tmp_path / "x.parquet")
    source = settings(tmp_path, "duckdb:///:memory:", items={"query": f"SELECT * FROM '{tmp_path}/*.parquet'"})
    taken(source)
    assert pl.read_parquet(source.folder / "items.parquet").rows() == [("a", "A")]


@pytest.fixture(scope="module")
def shop(postgres: Server) -> Server:
    """A shop's tables in a real server."""
    with psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="strata", password=PASSWORD, dbname="postgres"
    ) as opened:
        opened.execute(
            "CREATE TABLE events(id uuid PRIMARY KEY, who bigint, item text, at timestamptz, amount numeric(9, 2))"
        )
        opened.execute(
            "INSERT INTO events SELECT gen_random_uuid(), n % 5, 'i' || n % 3, "
            "timestamptz '2020-01-01 00:00+02' + n * interval '1 hour', n / 4.0 FROM generate_series(1, 20000) n"
        )
        opened.execute("CREATE TABLE items(sku text, name text, tags text[], more jsonb, added date, weight real)")
        opened.execute("""INSERT INTO items VALUES
            ('i0', 'Kettle', '{kitchen,steel}', '{"colour": "red"}', '2019-05-06', 'NaN'),
            ('i1', '100 % cotton', NULL, NULL, NULL, 1.5), ('i2', 'Lamp', '{}', '{}', '2019-01-01', NULL)""")
    return postgres


EVENTS: dict[str, Any] = {
    "query": "SELECT *, 'purchase' AS what FROM events WHERE item LIKE 'i%' ORDER BY at",
    "columns": {
        "event_id": "id",
        "user_id": "who",
        "item_id": "item",
        "timestamp": "at",
        "value": "amount",
        "behaviour": "what",
    },
}
THINGS: dict[str, Any] = {
    "table": "items",
    "columns": {"item_id": "sku", "title": "name", "tags": "tags", "attributes": "more", "created_at": "added"},
}


def test_postgresql_with_a_password_from_the_environment(
    shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    source = settings(tmp_path, shop.url("${SHOP_PASSWORD}"), interactions=EVENTS, items=THINGS)
    assert [each.rows for each in taken(source)] == [20_000, 3]
    read = read_source(source)
    first = read.interactions.rows.row(0, named=True)
    assert (first["user_id"], first["item_id"], first["value"]) == ("1", "i1", 0.25)
    assert first["timestamp"].astimezone(UTC) == datetime(2019, 12, 31, 23, tzinfo=UTC)
    assert read.interactions.rows["event_id"].n_unique() == 20_000
    items = read.items.rows.sort("item_id").select("title", "tags", "attributes", "created_at").rows()
    assert items[0] == (
        "Kettle",
        ["kitchen", "steel"],
        [{"key": "colour", "value": "red"}],
        datetime(2019, 5, 6, tzinfo=UTC),
    )
    assert items[1] == ("100 % cotton", [], [], None)
    assert PASSWORD not in "".join(path.read_bytes().decode("latin-1") for path in source.folder.iterdir())
    monkeypatch.delenv("SHOP_PASSWORD")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    source = settings(
        tmp_path, f"postgresql://strata@127.0.0.1:{shop.port}/postgres", interactions=EVENTS, items=THINGS
    )
    assert [each.rows for each in taken(source)] == [20_000, 3]


def params(folder: Path, database: str) -> Path:
    path = folder / "params.yaml"
    source = {"folder": str(folder / "snapshot"), "database": database, "interactions": EVENTS, "items": THINGS}
    path.write_text(yaml.safe_dump({"source": source}))
    return path


def test_a_wrong_password_is_never_shown(shop: Server, tmp_path: Path) -> None:
    wrong = "wr0ng/p@ss word%"
    file = params(tmp_path, shop.url("${SHOP_PASSWORD}"))
    code = "import logging; logging.basicConfig(level=logging.DEBUG); from strata.cli.app import app; app()"
    command = [sys.executable, "-c", code, "data", "pull", "--params", str(file)]
    done = subprocess.run(
        command, env={**os.environ, "SHOP_PASSWORD": wrong}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert "password authentication failed" in done.stderr
    assert shop.url("${SHOP_PASSWORD}") in done.stderr
    assert "Traceback" not in done.stderr
    assert wrong not in done.stdout + done.stderr
    assert not list((tmp_path / "snapshot").glob("*"))


def test_a_variable_that_is_not_set_is_named(shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    with pytest.raises(SourceError, match="takes SHOP_PASSWORD from the environment, where it is not set"):
        taken(settings(tmp_path, shop.url("${SHOP_PASSWORD}"), interactions=EVENTS, items=THINGS))


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://strata:hunter22@127.0.0.1/shop",
        "postgresql://strata:hunter${X}@127.0.0.1/shop",
        "postgresql://strata@127.0.0.1/shop?password=hunter22",
        "mssql+pyodbc://?odbc_connect=DRIVER%3D1%3BPWD%3Dhunter22",
        "postgresql://strata:hunter22@127.0.0.1:port/shop",
    ],
)
def test_a_password_in_params_yaml_is_refused_and_not_repeated(database: str, tmp_path: Path) -> None:
    file = params(tmp_path, database)
    with pytest.raises(SettingsError, match=r"\$\{") as refused:
        read_settings(SourceSettings, "source", file)
    assert "hunter" not in str(refused.value)
    with pytest.raises(ValidationError) as refused_whole:
        SourceSettings(folder=tmp_path, database=database)
    assert "hunter" not in str(refused_whole.value)
    shown = CliRunner().invoke(app, ["data", "pull", "--params", str(file)])
    assert shown.exit_code == 1
    assert "hunter" not in shown.output


def test_the_command_says_what_it_took(shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    file = params(tmp_path, shop.url("${SHOP_PASSWORD}"))
    shown = CliRunner().invoke(app, ["data", "pull", "--params", str(file)])
    assert "interactions  rows 20,000  changed yes" in shown.stdout
    again = json.loads(CliRunner().invoke(app, ["data", "pull", "--params", str(file), "--json"]).stdout)
    assert [(each["name"], each["rows"], each["changed"]) for each in again["tables"]] == [
        ("interactions", 20_000, False),
        ("items", 3, False),
    ]
