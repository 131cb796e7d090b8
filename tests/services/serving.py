"""A real server for tests: `bentoml serve` on a free port of the loopback, with a home of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.places import ROOT

TOKEN = "only-for-these-tests"
ANALYST = {"Authorization": f"Bearer {TOKEN}"}
SERVICE = ("services.recommender:Recommender", "--working-dir", str(ROOT))


class Server(httpx.Client):
    """A client of a running server that knows its process."""

    def __init__(self, port: int, process: subprocess.Popen, log: Path) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.process, self.log = process, log

    def wait(self, path: str, until, seconds: float = 300) -> httpx.Response:
        """Ask until the answer satisfies `until`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                answer = self.get(path)
                if until(answer):
                    return answer
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"{path} did not come to be as expected:\n{self.log.read_text()[-5_000:]}")

    def metric(self, name: str, **labels: str) -> float:
        """Sum of a metric's samples that carry these labels."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def worker(self, service: str) -> psutil.Process:
        """The worker process of a service."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(child for child in children if ["--service-name", service] in _pairs(child.cmdline()))


def _pairs(words: list[str]) -> list[list[str]]:
    return [list(pair) for pair in zip(words, words[1:], strict=False)]


@contextmanager
def serving(
    home: Path,
    *target: str,
    python: str | Path = sys.executable,
    folder: Path | None = None,
    environment: Mapping[str, str | Path] | None = None,
) -> Iterator[Server]:
    """Serve `target` from `folder` until the block ends; ready when /readyz says so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STRATA_", "PYTHON"))}
    # Slow machines run these tests: a time-out is tested on its own.
    settings = {"STRATA_TIME_OUT": "30", "STRATA_ENCODER_TIME_OUT": "20", "STRATA_POLL_SECONDS": "0.2"}
    settings["STRATA_JOURNAL"] = str(home / "journal.sqlite")
    home.mkdir(parents=True, exist_ok=True)
    log = home / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(python), "-m", "bentoml", "serve", *target, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder or home,
            env={
                **inherited,
                **settings,
                "BENTOML_HOME": str(home),
                "BENTOML_DO_NOT_TRACK": "true",
                **{name: str(value) for name, value in (environment or {}).items()},
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with Server(port, process, log) as server:
            server.wait("/readyz", lambda answer: answer.status_code == 200)
            yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
