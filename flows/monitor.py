"""The flow monitor: how the platform does just now, as a page, as Prefect artifacts, and as alerts that are events."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from pydantic import Field

from flows.drift import drift_report
from flows.monitor_page import markdown, write_page
from flows.publish import publish_link
from flows.release import FOLDER, STORE
from strata.data.cleaning import CleaningSettings
from strata.errors import StrataError
from strata.online.addresses import resolved
from strata.online.alerting import Alert, Watch, alerts
from strata.online.clock import Clock
from strata.online.drift_tables import drift_tables
from strata.online.opening import open_journal
from strata.online.watching import MonitorSettings, bursts, by_release, cold, late, late_share
from strata.online.window import Window, window
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.release.layout import Part
from strata.release.registry import Registry
from strata.settings import read_settings

REPORTS = Path("reports/monitor")
PAGE, DRIFT = "index.html", "drift.html"
ALERT = "strata.monitor.alert"


@task(task_run_name="read the journal", cache_policy=NO_CACHE)
def read_window(journal: str | None, hours: float) -> Window:
    """The last hours of the journal."""
    with closing(open_journal(resolved(journal))) as opened:
        now = Clock.known_to(opened).now()
        return window(opened, now - hours * 3600, now)


@task(task_run_name="drift", cache_policy=NO_CACHE)
def look_for_drift(seen: Window, release: Recommender, settings: MonitorSettings, page: Path) -> dict[str, float]:
    """How far events and vectors lie from those that the release learned from; nothing of few events."""
    tables = drift_tables(seen, release)
    if tables.current.height < settings.fewest:
        page.unlink(missing_ok=True)
        get_run_logger().info(f"{tables.current.height:,} events on known items are too few to speak of drift")
        return {}
    return drift_report(tables.reference, tables.current, tables.kinds, settings.drift, page)


@task(task_run_name="publish", cache_policy=NO_CACHE)
def publish(watch: Watch, found: Sequence[Alert], folder: Path) -> None:
    """The page and the artifacts."""
    write_page(watch, found, folder / PAGE, drift=DRIFT if (folder / DRIFT).exists() else None)
    create_markdown_artifact(markdown(watch, found), "monitor", "How the platform does")
    if watch.releases.height:
        rows = watch.releases.drop("first").to_dicts()
        create_table_artifact(rows, "monitor-releases", "Clicks and satisfaction by release")
    publish_link(Path(), folder / PAGE, "monitor-page")


@task(task_run_name="alert", cache_policy=NO_CACHE)
def raise_alerts(found: Sequence[Alert]) -> None:
    """Each alert as an event, which automations can act on."""
    for alert in found:
        get_run_logger().warning(f"{alert.what}: {alert.told} (limit {alert.limit:g})")
        emit_event(
            event=ALERT,
            resource={"prefect.resource.id": f"strata.monitor.{alert.what}", "prefect.resource.name": alert.told},
            payload={"what": alert.what, "told": alert.told, "value": alert.value, "limit": alert.limit},
        )


@flow(name="monitor")
def monitor(
    journal: str | None = None,
    store: Path = STORE,
    release: Path = FOLDER,
    reports: Path = REPORTS,
    hours: Annotated[float, Field(gt=0)] | None = None,
) -> None:
    """Look at the last hours of the journal, beside what the release learned from.

    Args:
        journal: Address of the journal, secrets as ${NAME} of the environment; by default what STRATA_JOURNAL holds
            there, else the file that the service has by default.
        store: The release registry; its current release is looked at.
        release: A release folder, where the registry has none.
        reports: Folder of the page.
        hours: How far to look back; by default `monitor.hours` of params.yaml.
    """
    settings = read_settings(MonitorSettings, "monitor")
    folder = Registry(store).current() or release
    suspicion = read_settings(CleaningSettings, "cleaning", folder / Part.PARAMS).suspicion
    seen, serving = read_window(journal, hours or settings.hours), load_recommender(folder)
    watch = Watch(
        late(seen),
        late_share(seen, settings.late_minutes),
        by_release(seen),
        cold(seen, serving),
        bursts(seen, suspicion),
        look_for_drift(seen, serving, settings, reports / DRIFT),
    )
    found = alerts(watch, settings)
    publish(watch, found, reports)
    raise_alerts(found)


def main() -> None:
    """Run the flow from a shell."""
    parser = argparse.ArgumentParser(prog="python -m flows.monitor", description=__doc__)
    parser.add_argument("--journal", metavar="ADDRESS", help="address of the journal (default: as the service has it)")
    parser.add_argument("--registry", "--store", dest="store", type=Path, default=STORE, help="release registry")
    parser.add_argument("--release", type=Path, default=FOLDER, help="release folder, where the registry has none")
    parser.add_argument("--reports", type=Path, default=REPORTS, help=f"folder of the page (default: {REPORTS})")
    parser.add_argument("--hours", type=float, help="how far to look back (default: monitor.hours of params.yaml)")
    try:
        monitor(**vars(parser.parse_args()))
    except StrataError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
