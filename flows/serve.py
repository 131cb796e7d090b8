"""Prefect for one machine: server, UI, schedules and a worker, started and stopped together."""

import argparse
import os
import signal
import socket
import sys
import time
import urllib.request
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

from flows.leash import CommandFailed, leashed, output

POOL = "strata"
PATIENCE = 90  # seconds for the server's first start
BEATS_MISSED = 3
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SILENT_RUNS = "Runs that went silent have crashed"


class CannotServe(RuntimeError):
    """The server, the deployments or the worker did not start; the message says why and what to do."""


def settings(host: str, port: int, heartbeat: int) -> dict[str, str]:
    """The environment of server, worker and runs; what the caller has set for the server is kept."""
    password = os.environ.get("PREFECT_SERVER_API_AUTH_STRING")
    if host not in LOOPBACK and not password:
        raise CannotServe(f"{host} can be reached from elsewhere: set PREFECT_SERVER_API_AUTH_STRING=user:password")
    return {
        "PREFECT_API_URL": f"http://{host if host in LOOPBACK else '127.0.0.1'}:{port}/api",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(heartbeat),
        "PREFECT_LOGGING_SERVER_LEVEL": os.environ.get("PREFECT_LOGGING_SERVER_LEVEL", "ERROR"),
        **({"PREFECT_API_AUTH_STRING": password} if password else {}),
    }


def serve(host: str, port: int, heartbeat: int) -> None:
    """Run until interrupted. Schedules stay as they are: runs that fall due meanwhile start late."""
    os.environ |= settings(host, port, heartbeat)
    _check_free(host, port)
    with ExitStack() as stack:
        server = stack.enter_context(_prefect("server", "start", "--host", host, "--port", str(port)))
        _wait_for(server, f"{os.environ['PREFECT_API_URL']}/health")
        make_pool()
        worker = stack.enter_context(_prefect("worker", "start", "--pool", POOL, "--name", "local"))
        output(["prefect", "--no-prompt", "deploy", "--all"], Path())
        crash_silent_runs(timedelta(seconds=heartbeat * BEATS_MISSED))
        sys.stdout.write(f"Prefect UI: http://{host}:{port} (Ctrl-C stops server and worker)\n")
        sys.stdout.flush()
        try:
            while server.poll() is None and worker.poll() is None:
                time.sleep(1)
        except KeyboardInterrupt:
            cancel_runs()
            return
        raise CannotServe("the Prefect server or its worker ended; its last lines are above")


def make_pool() -> None:
    """Create the work pool that prefect.yaml names; an existing one keeps what was set in the UI."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    pool = WorkPoolCreate(name=POOL, type="process", base_job_template=ProcessWorker.get_default_base_job_template())
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(pool)


def crash_silent_runs(silence: timedelta) -> None:
    """Make the server mark runs without a heartbeat for `silence` as Crashed: killed, or their machine gone."""
    from prefect.automations import Automation, ChangeFlowRunState, EventTrigger, Posture, ResourceSpecification
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import StateType

    with get_client(sync_client=True) as client:
        former = client.read_automations_by_name(SILENT_RUNS)
        if [automation.trigger.within for automation in former] == [silence]:
            return  # a new one would not know runs that were killed together with the server
        for automation in former:
            client.delete_automation(automation.id)
    Automation(
        name=SILENT_RUNS,
        description=f"No heartbeat and no other event of a run for {silence.seconds} seconds.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[
            ChangeFlowRunState(state=StateType.CRASHED, message=f"No sign of life for {silence.seconds} seconds.")
        ],
    ).create()


def cancel_runs() -> None:
    """Make the worker cancel running runs, so that none goes on without a server."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
    from prefect.states import Cancelling

    ours = {"work_pool_filter": WorkPoolFilter(name={"any_": [POOL]})}
    with get_client(sync_client=True) as client:
        under_way = FlowRunFilter(state={"type": {"any_": ["PENDING", "RUNNING"]}})
        for run in client.read_flow_runs(flow_run_filter=under_way, **ours):
            client.set_flow_run_state(run.id, Cancelling(message="`make ui` was stopped"), force=True)
        cancelling = FlowRunFilter(state={"type": {"any_": ["CANCELLING"]}})
        for _ in range(PATIENCE):
            if not client.read_flow_runs(flow_run_filter=cancelling, **ours):
                return
            time.sleep(1)


def _prefect(*arguments: str) -> AbstractContextManager[Popen]:
    return leashed(["prefect", *arguments], Path())


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((host, port)) == 0:
            raise CannotServe(f"{host}:{port} is in use, perhaps by another `make ui`; stop that or pass --port")


def _wait_for(server: Popen, url: str) -> None:
    for _ in range(PATIENCE):
        with suppress(OSError), urllib.request.urlopen(url):
            return
        if server.poll() is not None:
            break
        time.sleep(1)
    raise CannotServe("the Prefect server does not answer; its last lines are above")


def main() -> None:
    """Serve from a shell."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address of server and UI (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=4200, help="port of server and UI (default: 4200)")
    parser.add_argument(
        "--heartbeat",
        type=int,
        default=180,
        metavar="SECONDS",
        help=f"runs give a sign of life this often (at least 30, default: 180); {BEATS_MISSED} missed mean Crashed",
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        serve(**vars(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)
    except (CannotServe, CommandFailed) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
