"""A snapshot of a database is a version of the data: DVC runs again only what changed, and holds no password."""

import sys
from collections.abc import Callable

import psycopg
import pytest

from tests.conftest import Workspace
from tests.data.sources.databases.conftest import PASSWORD, Server


@pytest.mark.slow
def test_validate_runs_again_only_when_the_snapshot_changed_and_no_file_holds_the_password(
    postgres: Server, new_workspace: Callable[[str], Workspace]
) -> None:
    place = {"host": "127.0.0.1", "port": postgres.port, "user": "strata", "password": PASSWORD, "dbname": "postgres"}
    with psycopg.connect(**place) as opened:
        opened.execute(
            "CREATE TABLE films AS SELECT 'f' || n AS item_id, 'Film ' || n AS title FROM generate_series(0, 9) n"
        )
        opened.execute(
            "CREATE TABLE seen AS SELECT n % 7 AS user_id, 'f' || n % 10 AS item_id, 'view' AS behaviour, "
            "timestamp '2020-01-01' + n * interval '1 hour' AS timestamp FROM generate_series(1, 500) n"
        )
    made = new_workspace("database")
    made.environment["SHOP_PASSWORD"] = PASSWORD
    seen = {"query": "SELECT * FROM seen ORDER BY timestamp"}
    source = {"folder": "data/shop", "database": postgres.url("${SHOP_PASSWORD}"), "interactions": seen}
    made.set_params({"source": {**source, "items": {"table": "films"}}})
    pull = (sys.executable, "-c", "from strata.cli.app import app; app()", "data", "pull")
    said = [made.run(*pull), made.run("dvc", "add", "-q", "data"), made.run("dvc", "repro", "validate")]
    assert PASSWORD not in (made.folder / "dvc.lock").read_text()
    said += [made.run(*pull), made.run("dvc", "status", "validate")]
    assert "up to date" in said[-1].stdout
    with psycopg.connect(**place) as opened:
        opened.execute("INSERT INTO seen VALUES (1, 'f1', 'view', '2021-01-01')")
    said += [made.run(*pull), made.run("dvc", "status", "validate")]
    assert "data/shop" in said[-1].stdout
    made.environment["SHOP_PASSWORD"] = wrong = "wr0ng/p@ss word%"
    said.append(made.run(*pull, check=False))
    assert said[-1].returncode == 1
    assert "password authentication failed" in said[-1].stderr
    ours = [path for path in made.folder.rglob("*") if path.is_file() and not {".git", "tests"} & set(path.parts)]
    shown = "".join(done.stdout + done.stderr for done in said).encode()
    everything = b"".join([shown, *(path.read_bytes() for path in ours)])
    assert not any(password.encode() in everything for password in (PASSWORD, wrong))
