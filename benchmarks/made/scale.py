"""The whole pipeline on a made data set: seconds and peak memory of each stage, until there is a release.

python -m benchmarks.made.scale --users 2000 --items 1000 --events 40000
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import networkx as nx
import typer
import yaml
from dvc.repo import Repo
from dvc.stage import PipelineStage

from benchmarks.evidence.files import Row, write_evidence
from benchmarks.made.dataset import SOURCE, MadeSettings
from benchmarks.memory import Usage, measured
from benchmarks.workspaces import ROOT, dvc, environment, prepare
from strata.cli.terminal import clear_errors, console
from strata.data.sources import presets
from strata.errors import SettingsError
from strata.storage import read_json, write_json

DEFAULT = MadeSettings()
PROMISED: Final = 12.0
"""GB that no stage may need at the default sizes."""
MAKE: Final = "make the data"


@dataclass(frozen=True)
class Bench:
    """A workspace of a made data set and what each stage took there, kept from call to call."""

    folder: Path
    settings: MadeSettings
    changes: Mapping[str, Any]
    """Settings other than those of params.yaml, mappings within mappings."""
    limit: float
    """Bytes at which a stage is ended."""

    @property
    def record(self) -> Path:
        """Where figures are kept."""
        return self.folder / "reports" / "scale.json"

    def taken(self) -> dict[str, Usage]:
        """What has been measured so far, by stage."""
        kept = read_json(self.record) if self.record.exists() else {}
        return {stage: Usage(**usage) for stage, usage in kept.items()}

    def ready(self) -> None:
        """Bring the project up to date, and make the data unless an earlier call has."""
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) | {"source": SOURCE}
        prepare(self.folder, presets.merge(yaml.safe_dump(params, sort_keys=False), self.changes))
        if not (self.folder / SOURCE["folder"] / "items.parquet").exists():  # written last
            sizes = [f"--{name}={getattr(self.settings, name)}" for name in ("users", "items", "events", "seed")]
            self._measure(MAKE, "-m", "benchmarks.made", SOURCE["folder"], *sizes)
        dvc(self.folder, "add", "-q", "data")

    def reproduce(self, stage: str) -> None:
        """Run a stage, unless nothing changed since it ran."""
        asked = [sys.executable, "-m", "dvc", "status", "--json", stage]
        found = subprocess.run(asked, cwd=self.folder, env=environment(self.folder), stdout=subprocess.PIPE, check=True)
        changed = bool(json.loads(found.stdout))
        if changed or stage not in self.taken():
            forced = [] if changed else ["--force"]
            self._measure(stage, "-m", "dvc", "repro", "--single-item", "--no-run-cache", *forced, stage)

    def _measure(self, stage: str, *arguments: str) -> None:
        env = environment(self.folder)
        usage = measured([sys.executable, *arguments], limit=self.limit, cwd=self.folder, env=env)
        write_json({name: asdict(one) for name, one in (self.taken() | {stage: usage}).items()}, self.record)
        console.print(f"[bold]{stage}: {usage.seconds:,.0f} s, {usage.peak / 1e9:.2f} GB[/]")


def stages(folder: Path) -> list[str]:
    """All stages of the pipeline, each after those it needs, else as dvc.yaml has them."""
    with Repo(str(folder)) as repo:
        place = {stage: nth for nth, stage in enumerate(repo.index.stages)}
        order = nx.lexicographical_topological_sort(repo.index.graph.reverse(), key=place.__getitem__)
        return [stage.name for stage in order if isinstance(stage, PipelineStage)]


def changed(settings: list[str]) -> dict[str, Any]:
    """Settings given as a.b=value, as mappings within mappings."""
    text = "{}"
    for one in settings:
        path, found, value = one.partition("=")
        if not found:
            raise SettingsError(f"--set {one}: give section.name=value")
        inner: Any = yaml.safe_load(value)
        for key in reversed(path.split(".")):
            inner = {key: inner}
        text = presets.merge(text, inner)
    return dict(yaml.safe_load(text))


def as_table(taken: Mapping[str, Usage], order: list[str]) -> str:
    """Markdown: a line for each stage that was measured, and the sum."""
    each = {stage: taken[stage] for stage in [MAKE, *order] if stage in taken}
    whole = Usage(
        sum(usage.seconds for usage in each.values()),
        sum(usage.core_seconds for usage in each.values()),
        max(usage.peak for usage in each.values()),
    )
    head = ["| stage | seconds | seconds of one core | peak memory, GB |", "|---|---:|---:|---:|"]
    return "\n".join(
        head
        + [
            f"| {stage} | {usage.seconds:,.0f} | {usage.core_seconds:,.0f} | {usage.peak / 1e9:.2f} |"
            for stage, usage in (each | {"all": whole}).items()
        ]
    )


def row(taken: Mapping[str, Usage], settings: MadeSettings) -> Row:
    """The stage that needs most, as evidence."""
    largest = max(taken, key=lambda stage: taken[stage].peak)
    figure = taken[largest].peak / 1e9
    promise: dict[str, Any] = {"reference": PROMISED, "reference_name": "most it may need"}
    promised = settings == DEFAULT
    return Row(
        f"made-{settings.users // 1000}k-memory",
        f"Peak resident memory of the stage that needs most, {largest}, of all its processes together and DVC's.",
        figure, *(figure - (PROMISED if promised else 0),) * 2, "GB", settings.users, seeds=(settings.seed,),
        **(promise if promised else {}),
    )  # fmt: skip


@clear_errors
def main(
    users: Annotated[int, typer.Option(min=1)] = DEFAULT.users,
    items: Annotated[int, typer.Option(min=1)] = DEFAULT.items,
    events: Annotated[int, typer.Option(min=1)] = DEFAULT.events,
    seed: Annotated[int, typer.Option()] = DEFAULT.seed,
    root: Annotated[Path, typer.Option(help="Folder of the workspaces.")] = Path(".workspaces/made"),
    until: Annotated[str, typer.Option(help="The last stage to run; all if left out.")] = "",
    change: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as finetune.steps=4.")] = None,
    limit: Annotated[float, typer.Option(help="GB at which a stage is ended.")] = 14.0,
    cores: Annotated[int, typer.Option(help="Cores that may be used.")] = 2,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run stage by stage in a workspace of its own; a second call goes on where the last one ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # as an exception, so that stages end too
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    settings = MadeSettings(users=users, items=items, events=events, seed=seed)
    folder = root.absolute() / f"{users}-{items}-{events}-{seed}"
    bench = Bench(folder, settings, changed(change or []), limit * 1e9)
    bench.ready()
    order = stages(bench.folder)
    if until and until not in order:
        raise typer.BadParameter(f"no stage {until}; there are {', '.join(order)}")
    for stage in order[: order.index(until) + 1] if until else order:
        bench.reproduce(stage)
    taken, table = bench.taken(), as_table(bench.taken(), order)
    print(table)
    if not until:
        sizes = f"made of {users:,} users, {items:,} items, {events:,} events (seed {seed})"
        sizes += "".join(f", {one}" for one in change or [])
        write_evidence("scale", f"made-{users // 1000}k", [row(taken, settings)], sizes, output, table)


if __name__ == "__main__":
    typer.run(main)
