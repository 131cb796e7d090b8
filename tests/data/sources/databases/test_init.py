"""`strata init` looks at SQLite, DuckDB and PostgreSQL as at files, and shows and keeps no password."""

import shlex
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import yaml
from typer.testing import CliRunner, Result

from strata.cli.app import app
from strata.data.guess import database
from strata.data.guess.database import name_of, samples
from strata.data.sources.adapters import SourceSettings, read_source
from strata.errors import SourceError
from tests.data.sources.databases.conftest import PASSWORD, Server
from tests.places import ROOT

PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def strata(*arguments: str, answers: str = "", **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, input=answers, env={"COLUMNS": "80", **environment})


def source() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["source"]
    return found


def rated(path: str, rows: int = 300) -> str:
    """A SQLite file of ratings and films, whose last third of ratings alone has the highest value."""
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE ratings(user_id int, movie_id int, rating int, created_at int)")
        opened.execute("CREATE TABLE movies(id integer primary key, title text, genres text)")
        opened.execute("CREATE TABLE migrations(version text)")
        opened.execute("CREATE TABLE waiting(x int)")
        opened.execute("CREATE VIEW broken AS SELECT * FROM gone")
        opened.executemany(
            "INSERT INTO ratings VALUES (?, ?, ?, ?)",
            ((n % 7, n * n % 23, n % 4 + 1 if n < rows * 2 // 3 else n % 5 + 1, 1260759144 + 977 * n)
             for n in range(rows)),
        )  # fmt: skip
        opened.executemany(
            "INSERT INTO movies VALUES (?, ?, ?)", ((n, f"Film number {n}", f"Drama|{'Sea' * n}") for n in range(23))
        )
        opened.execute("INSERT INTO migrations VALUES ('7')")
    opened.close()
    return f"sqlite:///{path}"


def shop(opened: Any) -> None:
    """Customers, orders, their lines, and products, as shops have them."""
    opened.execute("CREATE TABLE customers(id int PRIMARY KEY, name text)")
    opened.execute('CREATE TABLE "order"(id int PRIMARY KEY, customer_id int, created_at timestamp)')
    opened.execute("CREATE TABLE order_items(id int PRIMARY KEY, order_id int, product_id int, quantity int)")
    opened.execute("CREATE TABLE products(id int PRIMARY KEY, name text, description text)")
    lists = {
        "customers": [f"({n}, 'C{n}')" for n in range(1, 41)],
        '"order"': [f"({n}, {n % 40 + 1}, '2021-{n % 12 + 1:02}-{n % 28 + 1:02} 10:00:00')" for n in range(100, 500)],
        "order_items": [f"({n}, {100 + n // 3}, {1000 + n * n % 67}, {n % 3 + 1})" for n in range(1200)],
        "products": [f"({n}, 'Thing {n}', 'About the thing {n}')" for n in range(1000, 1067)],
    }
    for table, rows in lists.items():
        opened.execute(f"INSERT INTO {table} VALUES {', '.join(rows)}")


BOUGHT = {
    "query": 'SELECT l.*, h."customer_id", h."created_at" FROM "order_items" l JOIN "order" h '
    'ON l."order_id" = h."id" ORDER BY l."id"',
    "columns": {"user_id": "customer_id", "item_id": "product_id", "timestamp": "created_at", "value": "quantity"},
    "constants": {"behaviour": "purchase"},
}


def test_tables_of_sqlite_are_understood_and_taken_next() -> None:
    url = rated("films.sqlite")
    done = strata("init", url, "--yes")
    assert done.exit_code == 0, done.output
    assert source() == {
        "folder": "data/films",
        "database": url,
        "interactions": {
            "table": "ratings",
            "columns": {"user_id": "user_id", "item_id": "movie_id", "timestamp": "created_at", "value": "rating"},
            "constants": {"behaviour": "rate"},
            "time_unit": {"timestamp": "s"},
        },
        "items": {
            "table": "movies",
            "columns": {"item_id": "id", "title": "title", "categories": "genres"},
            "separator": "|",
        },
    }
    said = " ".join(done.output.split())
    assert "waiting (it has no rows)" in said
    assert "broken (broken: sqlite:///films.sqlite: no such table" in said
    assert "migrations (it is none of the three tables" in said
    assert "Next: strata data pull" in said
    assert strata("data", "pull").exit_code == 0
    assert "params.yaml: nothing changed" in strata("init", "films.sqlite", "--yes").output


def test_with_yes_what_is_unsure_ends_with_two_and_writes_nothing() -> None:
    url = rated("films.sqlite")
    with sqlite3.connect("films.sqlite") as opened:
        opened.execute("DROP VIEW broken")
        opened.execute("ALTER TABLE ratings RENAME COLUMN created_at TO noted")
    opened.close()
    refused = strata("init", url, "--yes")
    assert refused.exit_code == 2
    assert "interactions.columns.timestamp" in refused.output
    assert Path("params.yaml").read_text(encoding="utf-8") == PARAMS
    assert strata("init", url, "--yes", "--column", "timestamp=noted").exit_code == 0
    assert source()["interactions"]["columns"]["timestamp"] == "noted"


def test_the_end_of_a_large_table_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ROWS", 30)
    looked = {sample.file: sample for sample in samples(rated("films.sqlite", 3_000), {})[0]}
    ratings = looked["ratings"]
    assert ratings.frame.height == 90
    assert not ratings.whole
    assert ratings.frame["rating"].max() == 5
    assert looked["movies"].whole
    assert looked["movies"].frame.height == 23


def test_lines_and_orders_of_duckdb_are_joined() -> None:
    with duckdb.connect("shop.duckdb") as opened:
        shop(opened)
    done = strata("init", "duckdb:///shop.duckdb", "--yes")
    assert done.exit_code == 0, done.output
    assert source()["interactions"] == BOUGHT
    assert source()["items"]["table"] == "products"
    assert source()["users"] == {"table": "customers", "columns": {"user_id": "id"}}
    assert strata("data", "pull").exit_code == 0


def test_tables_and_queries_that_a_person_names_are_taken() -> None:
    url = rated("films.sqlite")
    query = "SELECT user_id, movie_id, rating, created_at FROM ratings WHERE rating > 1 ORDER BY created_at"
    done = strata("init", url, "--yes", "--interactions", query, "--items", "movies", "--name", "mine")
    assert done.exit_code == 0, done.output
    assert (source()["folder"], source()["interactions"]["query"]) == ("data/mine", query)
    assert source()["items"]["table"] == "movies"
    wrong = strata("init", url, "--interactions", "rating")
    assert wrong.exit_code == 1
    assert "has no table 'rating'; correct `table`: there is broken, migrations, movies" in wrong.output
    assert strata("init", url, "films.sqlite").exit_code == 1


def test_a_database_among_files_is_pointed_at(project: Path) -> None:
    (project / "mine").mkdir()
    rated("mine/films.sqlite")
    refused = strata("init", "mine")
    assert refused.exit_code == 1
    assert "look at it alone: strata init sqlite:///mine/films.sqlite" in refused.output


def test_postgresql_shows_and_keeps_no_password(postgres: Server, project: Path) -> None:
    with psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="strata", password=PASSWORD, dbname="postgres"
    ) as opened:
        opened.execute("CREATE SCHEMA till")
        opened.execute("SET search_path TO till")
        shop(opened)
        opened.execute("CREATE TABLE secrets(id int)")
        opened.execute("INSERT INTO secrets VALUES (1)")
        opened.execute("CREATE VIEW failing AS SELECT 1 / (id - 1) AS x FROM secrets")
    url = postgres.url("${SHOP_PASSWORD}")
    unset = strata("init", url, "--yes")
    assert unset.exit_code == 1
    assert "SHOP_PASSWORD" in unset.output
    done = strata("init", url, "--yes", SHOP_PASSWORD=PASSWORD)
    assert done.exit_code == 0, done.output
    assert source()["database"] == url
    assert source()["interactions"]["query"] == BOUGHT["query"].replace(
        '"order_items"', '"till"."order_items"'
    ).replace('"order" h', '"till"."order" h')  # type: ignore[attr-defined]
    assert "till.failing (till.failing: " in " ".join(done.output.split())
    wrong = strata("init", url, "--yes", SHOP_PASSWORD="wr0ng/one")
    assert wrong.exit_code == 1
    written = strata("init", postgres.url("wr0ng%2Fone"), "--yes")
    assert written.exit_code == 1
    assert "write ${NAME} in its place" in " ".join(written.output.split())
    as_json = strata("init", url, "--dry-run", "--json", SHOP_PASSWORD=PASSWORD)
    texts = [each.output for each in (done, wrong, written, as_json)]
    texts += [path.read_text(encoding="utf-8") for path in project.rglob("*") if path.is_file()]
    assert not [text for text in texts if any(word in text for word in (PASSWORD, "s3cr3t", "wr0ng"))]


def test_a_database_is_named_by_itself_and_not_by_the_environment() -> None:
    assert name_of("sqlite:///data/raw/shop.sqlite") == "shop"
    assert name_of("postgresql://me:${P}@db.example.org:5432/till?sslmode=require") == "till"
    assert name_of("postgresql://me@db.example.org/${D}") == name_of("duckdb:///:memory:") == "database"
    with pytest.raises(SourceError, match="is no file"):
        samples("sqlite:///none.sqlite", {})


def commanded(after: str) -> list[str]:
    """The arguments of the first `strata init` of a database that the manual shows after some words."""
    manual = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").partition(after)[2]
    _, name, *arguments = shlex.split("strata init" + manual.partition("$ strata init")[2].partition("\n$")[0])
    return [name, *arguments]


def test_what_is_known_of_items_in_several_files_is_joined_by_the_query_of_the_manual() -> None:
    Path("data/raw").mkdir(parents=True)
    rows = "".join(f"u{n % 7};{n % 9 + 1};{n % 5 + 1};2024-01-{n % 28 + 1:02}\n" for n in range(90))
    Path("data/raw/ratings.csv").write_text(f"user;place;rating;date\n{rows}", encoding="utf-8")
    places = "".join(f"{n},Place number {n},town\n" for n in range(1, 10))
    Path("data/raw/places.csv").write_text(f"place,name,region\n{places}", encoding="utf-8")
    Path("data/raw/cuisines.csv").write_text("place,cuisine\n1,Thai\n1,Bar\n2,Thai\n", encoding="utf-8")
    said = strata(*commanded("may lie in several files"), "--column", "items.item_id=place", "--yes")
    assert said.exit_code == 0, said.output
    assert strata("data", "pull").exit_code == 0
    items = read_source(SourceSettings.model_validate(source())).items.rows.sort("item_id")
    assert items.select("title", "categories").rows()[:3] == [
        ("Place number 1", ["Thai", "Bar"]), ("Place number 2", ["Thai"]), ("Place number 3", []),
    ]  # fmt: skip


def test_columns_of_each_query_that_are_not_used_are_told() -> None:
    Path("r.csv").write_text("user,item,rating,date,odd\n" + "u,1,5,2024-01-01,x\nv,2,1,2024-01-02,x\n" * 30)
    Path("t.csv").write_text("item,title,even\n1,One,y\n2,Two,y\n")
    said = strata(
        "init", "duckdb:///:memory:", "--dry-run", "--interactions", "FROM 'r.csv'", "--items", "FROM 't.csv'"
    )
    told = " ".join(said.output.partition("Not used:")[2].split())
    assert "FROM 'r.csv': columns odd" in told
    assert "FROM 't.csv': columns even" in told


def test_baskets_become_rows_by_the_query_of_the_manual() -> None:
    Path("data/raw").mkdir(parents=True)
    lines = [["milk", "rolls", "fruit", "soda"][: n % 4 + 1] for n in range(40)]
    Path("data/raw/groceries.csv").write_text("\n".join(map(",".join, lines)) + "\n", encoding="utf-8")
    done = strata(*commanded("### Baskets"), "--set", "interactions.constants.behaviour=purchase", "--yes")
    assert done.exit_code == 0, done.output
    pulled = strata("data", "pull")
    assert pulled.exit_code == 0, pulled.output
    rows = read_source(SourceSettings.model_validate(source())).interactions.rows
    assert rows.select("user_id", "item_id").rows() == [
        (str(number), thing) for number, things in enumerate(lines, start=1) for thing in things
    ]
