"""`strata consume`, as an operator runs it: ended in order by a signal, clear about what it cannot reach."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from strata.online.sqlite import SqliteJournal
from tests.online.servers import RedisServer
from tests.online.stores import everything, ids
from tests.places import ROOT

EVENT = {"user_id": "ann", "item_id": "i1", "behaviour": "click", "event_id": "e1"}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from strata.cli.app import app; app()", "consume", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("ended", [signal.SIGINT, signal.SIGTERM])
def test_ends_in_order_and_says_what_it_did(redis_server: RedisServer, tmp_path: Path, ended: signal.Signals) -> None:
    name = f"events-of-{tmp_path.name}"
    with redis_server.client() as client:
        client.xadd(name, {"event": json.dumps(EVENT)})
        process = start("redis", redis_server.url, name, "--journal", str(tmp_path / "journal.sqlite"), "--json")
        with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
            end = time.monotonic() + 60
            while client.xlen(name) and not ids(everything(journal)):
                assert time.monotonic() < end
                time.sleep(0.05)
        process.send_signal(ended)
        told, errors = process.communicate(timeout=60)
    assert json.loads(told) == {"new": 1, "known": 0, "refused": 0}
    assert errors == ""
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["redis", "redis://:qzx@127.0.0.1:1/0", "s", "--journal", "j", "--once"],
            "StreamError: the stream 's' in Redis",
        ),
        (
            ["redis", "redis://:qzx@127.0.0.1:qzx/0", "s", "--journal", "j", "--once"],
            "SettingsError: the address of Redis",
        ),
        (["kafka", "127.0.0.1:1", "t", "--journal", "j", "--once"], "StreamError: the topic 't' of Kafka"),
        (["kafka", "127.0.0.1:1", "t", "--journal", "j", "--properties", "no"], "SettingsError: no cannot be read"),
        (
            ["kafka", "127.0.0.1:1", "t", "--journal", "j", "--properties", "bad"],
            "SettingsError: bad, line 2: write name",
        ),
    ],
)
def test_says_what_it_cannot_reach_or_read(tmp_path: Path, monkeypatch, arguments: list[str], told: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad").write_text("# passwords\nsasl.password qzx\n", "utf-8")
    process = start(*arguments)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert printed == ""
    assert errors.startswith(told)
    assert "qzx" not in errors
