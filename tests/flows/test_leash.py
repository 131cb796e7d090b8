"""Programs on the leash: their output arrives line by line, their failure is told, their group ends with us."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.leash import CommandFailed, leashed, stream
from tests.flows.conftest import ROOT, all_ended, wait_until

# A program that starts another one, which does not end when asked to.
FAMILY = """\
import os, signal, subprocess, sys, time
from pathlib import Path
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn])
Path("new").write_text(f"{os.getpid()} {child.pid}")
Path("new").rename("pids")
time.sleep(600)
"""
OWNER = """\
import sys
from pathlib import Path
from flows.leash import stream
stream([sys.executable, "-c", sys.argv[1]], Path(), print)
"""


def family(folder: Path) -> list[psutil.Process]:
    wait_until((folder / "pids").exists)
    return [psutil.Process(int(pid)) for pid in (folder / "pids").read_text().split()]


def test_lines_arrive_as_they_are_printed(tmp_path: Path) -> None:
    times: list[float] = []
    program = "import time; print('one'); time.sleep(.5); print('two')"
    stream(["python", "-c", program], tmp_path, lambda line: times.append(time.monotonic()))
    assert len(times) == 2
    assert times[1] - times[0] > 0.4


def test_a_failure_tells_the_exit_code_and_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="exit code 3:\nread this"):
        stream(["python", "-c", "print('read this'); raise SystemExit(3)"], tmp_path, str)
    with pytest.raises(CommandFailed, match="no-such-program is not installed"):
        stream(["no-such-program"], tmp_path, str)


def test_the_whole_group_ends_when_we_stop_caring(tmp_path: Path) -> None:
    with leashed([sys.executable, "-c", FAMILY], tmp_path):
        members = family(tmp_path)
    assert all_ended(members)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_whole_group_ends_with_us(tmp_path: Path, number: int) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, FAMILY], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    members = family(tmp_path)
    owner.send_signal(number)
    assert owner.wait(30) != 0
    assert all_ended(members)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_the_program_ends_with_what_holds_it(tmp_path: Path) -> None:
    with leashed([sys.executable, "-c", FAMILY], tmp_path) as process:
        program, _ = members = family(tmp_path)
        process.kill()
        assert all_ended([program])
    members[1].kill()
