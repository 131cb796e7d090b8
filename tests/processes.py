"""Processes for tests that kill them: started within milliseconds, with no thread or connection of this one."""

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["pytest", "strata.online.redis", "strata.release.registry", "tests.online.writing", "tests.online.test_draining"]
)
