"""One read-only connection to a database: its tables, and the rows of a query as frames, batch by batch.

DuckDB is asked in its own way, for it gives columns; every other database through SQLAlchemy, whose rows become columns
here: exact decimals, JSON, arrays and what databases alone have (UUIDs, ranges) become text.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import polars as pl

from strata.data.sources.databases.url import INSTALL, FilledURL, filled
from strata.errors import SourceError

BATCH = 50_000
"""Rows held at once."""
CONNECT_SECONDS = 10
_OURS = ("sqlalchemy", "duckdb", "psycopg")
_ALIKE: tuple[frozenset[type], ...] = tuple(
    frozenset(kinds) for kinds in ({bool}, {int}, {float}, {int, float}, {str}, {bytes}, {datetime}, {date})
)
"""Types of Python that one column of polars holds as they are."""
_OF_THE_SERVER = {"information_schema", "mysql", "performance_schema", "sys"}
"""Schemas that hold nobody's data."""


class Connection(Protocol):
    """What can be asked of any database."""

    def tables(self) -> list[str]:
        """Names of its tables and views, sorted; those outside its usual schema as SCHEMA.NAME."""

    def all_of(self, table: str) -> str:
        """A query for the whole of a table, in the order of its primary key where it has one."""

    def quoted(self, *names: str) -> str:
        """Names as a query writes them, dots between them."""

    def parts(self, table: str) -> list[str]:
        """A table's schema, where `tables` has it, and its name. Raises SourceError when there is no such table."""

    def frames(self, query: str, batch: int = BATCH) -> Iterator[pl.DataFrame]:
        """The rows of a query, at most `batch` at a time, at least one frame; types may differ between frames."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection within one read-only transaction, so that all queries see the same state where a database can.

    Raises SourceError, without passwords, when the database cannot be reached, lacks something or refuses a query.
    """
    place = filled(url)
    with clear_errors(url), _duckdb(place) if place.url.drivername == "duckdb" else _sqlalchemy(place) as connection:
        yield connection


@contextmanager
def clear_errors(url: str, asked_for: str = "") -> Iterator[None]:
    """Turn what drivers raise into SourceError that names `url` and what was `asked_for`, and shows no password."""
    subject = f"{asked_for}: " if asked_for else ""
    try:
        yield
    except SourceError as error:
        raise SourceError(f"{subject}{error}") from None
    except ModuleNotFoundError as error:
        how = INSTALL if error.name in _OURS else f"python -m pip install {error.name}"
        raise SourceError(f"{subject}{url} needs the package {error.name}; install it: {how}") from None
    except Exception as error:  # every driver has its own
        if not _of_a_driver(error):
            raise
        cause = filled(url).without_secrets(str(getattr(error, "orig", None) or error))
        raise SourceError(f"{subject}{url}: {cause}; correct source.database, or what is asked of it") from None


def _of_a_driver(error: Exception) -> bool:
    return any(
        kind.__module__.split(".")[0] in (*_OURS, "_duckdb", "sqlite3", "polars") for kind in type(error).__mro__
    )


@contextmanager
def _duckdb(place: FilledURL) -> Iterator[Connection]:
    import duckdb

    beside = place.url.database in (None, ":memory:")  # for queries of files: SELECT … FROM 'data/x/*.parquet'
    path = ":memory:" if beside else str(_file(place, place.url.database))
    with closing(duckdb.connect(path, read_only=not beside)) as opened:  # nobody writes to a file that is open
        yield _DuckDB(opened)


@contextmanager
def _sqlalchemy(place: FilledURL) -> Iterator[Connection]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    url = place.url
    options: dict[str, Any] = {}
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    if url.get_backend_name() == "sqlite":
        address = f"file:{quote(str(_file(place, url.database)))}?mode=ro"
        url = url.set(database=None, query={})
        options["creator"] = lambda: sqlite3.connect(address, uri=True, check_same_thread=False)
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    try:
        with engine.connect() as opened:
            if engine.dialect.name == "postgresql":
                opened = opened.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if engine.dialect.name == "sqlite":
                opened.exec_driver_sql("BEGIN")
            yield _SQLAlchemy(opened)
    finally:
        engine.dispose()


def _file(place: FilledURL, name: str | None) -> Path:
    path = Path(name or "")
    if not path.is_file():
        raise SourceError(
            f"{place.shown}: {path.absolute()} is no file; correct source.database (three slashes and a path from "
            "the project's root, or four and one from the machine's)"
        )
    return path


class _DuckDB:
    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def tables(self) -> list[str]:
        found = self._opened.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        return sorted(name if schema == "main" else f"{schema}.{name}" for schema, name in found)

    def all_of(self, table: str) -> str:
        parts = self.parts(table)
        return _whole(self.quoted(*parts), self._key(*["main", *parts][-2:]), self.quoted)

    def quoted(self, *names: str) -> str:
        return ".".join(map(_quoted, names))

    def parts(self, table: str) -> list[str]:
        return _parts(table, self.tables())

    def frames(self, query: str, batch: int = BATCH) -> Iterator[pl.DataFrame]:
        relation = self._opened.cursor().sql(query)  # of its own: a reader may stop before the end
        _check_names(relation.columns if relation is not None else [])
        empty = True
        for rows in relation.to_arrow_reader(batch):
            frame = pl.from_arrow(rows)
            assert isinstance(frame, pl.DataFrame)
            empty = False
            yield frame.with_columns(pl.selectors.decimal().cast(pl.String))
        if empty:
            yield pl.DataFrame(schema=dict.fromkeys(relation.columns, pl.String))

    def _key(self, schema: str, table: str) -> list[str]:
        found = self._opened.execute(
            "SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' "
            "AND schema_name = ? AND table_name = ?",
            [schema, table],
        ).fetchall()
        return list(found[0][0]) if found else []


class _SQLAlchemy:
    def __init__(self, opened: Any) -> None:
        from sqlalchemy import inspect

        self._opened = opened
        self._inspector = inspect(opened)

    def tables(self) -> list[str]:
        usual = self._inspector.default_schema_name
        found = []
        for schema in self._inspector.get_schema_names():
            if schema in _OF_THE_SERVER or schema.startswith("pg_"):
                continue
            names = [*self._inspector.get_table_names(schema), *self._inspector.get_view_names(schema)]
            found += [name if schema == usual else f"{schema}.{name}" for name in names]
        return sorted(found)

    def all_of(self, table: str) -> str:
        *schema, name = self.parts(table)
        key = self._inspector.get_pk_constraint(name, *schema)["constrained_columns"]
        return _whole(self.quoted(*schema, name), key, self.quoted)

    def quoted(self, *names: str) -> str:
        return ".".join(map(self._opened.dialect.identifier_preparer.quote_identifier, names))

    def parts(self, table: str) -> list[str]:
        return _parts(table, self.tables())

    def frames(self, query: str, batch: int = BATCH) -> Iterator[pl.DataFrame]:
        ways = {"stream_results": True, "max_row_buffer": batch, "no_parameters": True}  # % in a query means itself
        with self._opened.exec_driver_sql(query, execution_options=ways) as result:
            if not result.returns_rows:
                raise SourceError(f"the query '{query}' gives no rows; write a SELECT")
            names = list(result.keys())
            _check_names(names)
            empty = True
            for rows in result.partitions(batch):
                empty = False
                columns = zip(names, zip(*rows, strict=True), strict=True)
                yield pl.DataFrame([_column(name, values) for name, values in columns])
            if empty:
                yield pl.DataFrame(schema=dict.fromkeys(names, pl.String))


def _parts(table: str, known: Sequence[str]) -> list[str]:
    """A table's schema, where it is given, and its name."""
    if table not in known:
        listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
        raise SourceError(f"source.database has no table '{table}'; correct `table`: there is {listed or 'none'}")
    schema, _, name = table.rpartition(".")
    return [schema, name] if schema and schema in {each.rpartition(".")[0] for each in known} else [table]


def _whole(table: str, key: Sequence[str], quoted: Callable[[str], str]) -> str:
    return f"SELECT * FROM {table}" + (f" ORDER BY {', '.join(map(quoted, key))}" if key else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_names(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"the query gives the column {', '.join(twice)} twice; name each once, with AS")


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pl.Series(name, values, pl.Null)
    if kinds == {memoryview}:
        values, kinds = [value and bytes(value) for value in values], {bytes}
    if kinds == {datetime}:
        values = [value and (value.astimezone(UTC) if value.tzinfo else value) for value in values]
    if kinds in _ALIKE:
        try:
            return pl.Series(name, values, pl.Float64 if kinds == {int, float} else None)
        except (pl.exceptions.PolarsError, OverflowError, TypeError):  # such as whole numbers beyond 64 bits
            pass
    return pl.Series(name, [_text(value) for value in values], pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)
