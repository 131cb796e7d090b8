"""A real server for tests: `bentoml serve` on a free port of the loopback, with a home of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from strata.online.tokens import SCOPES, Scope, digest
from tests.places import ROOT

TOKEN = "strata_only-for-these-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ONLY = {scope: {"Authorization": f"Bearer strata_only-{scope}"} for scope in SCOPES}
"""Headers of tokens with one scope each."""
SERVICE = ("services.recommender:Recommender", "--working-dir", str(ROOT))


class Server(httpx.Client):
    """A client of a running server that knows its process."""

    def __init__(self, port: int, process: subprocess.Popen, log: Path) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", headers=BEARER, timeout=60)
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


def tokens(file: Path) -> Path:
    """A file of tokens whose values are known: TOKEN has all scopes, those of ONLY one each."""
    scopes: dict[str, Sequence[Scope]] = {TOKEN: SCOPES, **{f"strata_only-{scope}": [scope] for scope in SCOPES}}
    lines = (
        {"name": f"test-{number}", "scopes": [*of], "sha256": digest(value), "created": 0.0, "revoked": None}
        for number, (value, of) in enumerate(scopes.items())
    )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


@contextmanager
def serving(
    home: Path,
    *target: str,
    python: str | Path = sys.executable,
    folder: Path | None = None,
    environment: Mapping[str, str | Path] | None = None,
) -> Iterator[Server]:
    """Serve `target` from `folder` until the block ends; ready when /readyz says so. TOKEN may do everything."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STRATA_", "PYTHON"))}
    # Slow machines run these tests: a time-out is tested on its own.
    settings = {"STRATA_TIME_OUT": "30", "STRATA_ENCODER_TIME_OUT": "20", "STRATA_POLL_SECONDS": "0.2"}
    settings["STRATA_JOURNAL"] = str(home / "journal.sqlite")
    home.mkdir(parents=True, exist_ok=True)
    settings["STRATA_TOKENS"] = str(tokens(home / "tokens.jsonl"))
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
