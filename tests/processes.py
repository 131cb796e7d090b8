"""Processes for tests that kill them: started within milliseconds, with no thread or connection of this one."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["pytest", "strata.online.redis", "strata.release.registry", "tests.online.writing", "tests.online.test_draining"]
)


def killed(work: Callable[..., None], *given: Any, begun: Callable[[], bool], after: float) -> None:
    """Run `work` in a process and kill it some seconds after it has `begun`."""
    process = PROCESSES.Process(target=work, args=given)
    process.start()
    while not begun():
        assert process.is_alive()
        time.sleep(0.001)
    time.sleep(after)
    assert process.is_alive()  # or nothing was killed
    process.kill()
    process.join()
