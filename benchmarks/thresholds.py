"""Learn the thresholds that sort points into tiers: python -m benchmarks.thresholds.

They are chosen on users with planted interests, of other seeds than the evidence has, and on whether tiers keep their
promise before the validation cut-off; the choice is then held against today's on users that had no part in it. It
takes a catalogue whose own categories are narrow, such as Complete Journey's: interests are planted in these.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import optuna
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.evidence.context import Context
from benchmarks.judging import FEWEST, PARTS, Bench, Points, gains, parts, worth
from strata.cli.terminal import clear_errors, console
from strata.errors import SettingsError
from strata.interests.settings import TierSettings
from strata.storage import write_text

LEARN_SEEDS, CHECK_SEEDS = (11, 12), (13, 14, 15, 16)
"""Simulated users that choose, and others that judge the choice."""
DIGITS: Final = {
    "core_persistence": 2, "stable_persistence": 2, "doubt": 3, "recent_days": 0, "momentary_events": 0,
    "over_after": 1,
}  # fmt: skip
"""The thresholds that are learned, and the decimals people write them with."""
SEED: Final = 7


def suggest(trial: optuna.Trial) -> None:
    """Thresholds that a trial tries, within what can be meant by them."""
    trial.suggest_float("core_persistence", 0.2, 0.6)
    trial.suggest_float("stable_persistence", 0.04, 0.2)
    trial.suggest_float("doubt", 0.001, 0.3, log=True)
    trial.suggest_int("recent_days", 7, 28)
    trial.suggest_int("momentary_events", 1, 4)
    trial.suggest_float("over_after", 0.8, 4.0)


def changed(settings: TierSettings, values: Mapping[str, float]) -> TierSettings:
    """The settings with thresholds as fine as people write them."""
    return settings.model_copy(update={name: round(value, DIGITS[name]) for name, value in values.items()})


def learn(bench: Bench, *, trials: int, seconds: float) -> tuple[TierSettings, int]:
    """The settings worth most against today's, which are the first tried, and how many were tried.

    Tree-structured Parzen estimators (Bergstra et al., 2011), as Optuna has them.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    today = bench.context.settings
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial({name: getattr(today, name) for name in DIGITS})
    before = parts(bench.counts(today))

    def score(trial: optuna.Trial) -> float:
        suggest(trial)
        return worth(parts(bench.counts(changed(today, trial.params))), before)

    columns = (TextColumn("searching"), BarColumn(), MofNCompleteColumn(), TextColumn("trials"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=trials)
        study.optimize(score, n_trials=trials, timeout=seconds, callbacks=[lambda *_: bar.advance(task)])
    return changed(today, study.best_params), len(study.trials)


def rewritten(text: str, settings: TierSettings) -> str:
    """A params file with the thresholds of its section `tier` replaced and everything else as it was.

    Raises SettingsError where the section lacks one of them.
    """
    start = re.search(r"^tier:.*\n", text, re.MULTILINE)
    if start is None:
        raise SettingsError("params.yaml: section 'tier' is missing; add it, or restore it from the repository")
    stop = re.compile(r"^\S", re.MULTILINE).search(text, start.end())
    end = stop.start() if stop else len(text)
    head, section, tail = text[: start.end()], text[start.end() : end], text[end:]
    for name in DIGITS:
        section, found = re.subn(
            rf"^(\s+{name}:\s*)[^\s#]+", rf"\g<1>{getattr(settings, name):g}", section, flags=re.MULTILINE
        )
        if not found:
            raise SettingsError(f"params.yaml: tier.{name} is missing; add it, or restore it from the repository")
    return head + section + tail


def as_table(today: TierSettings, best: TierSettings, scores: Mapping[str, Sequence[np.ndarray]]) -> Table:
    """Values and figures of today's settings and of the best; `scores`: the parts of each, by who was judged."""
    table = Table("", "today", "best", title="Thresholds of the tiers")
    for name in DIGITS:
        table.add_row(name, f"{getattr(today, name):g}", f"{getattr(best, name):g}")
    for who, both in scores.items():
        table.add_section()
        for part, ours, theirs in zip(PARTS, *both, strict=False):
            table.add_row(f"{part}, {who}", f"{ours:.3f}", f"{theirs:.3f}")
        table.add_row(f"mean, {who}", *(f"{found.mean():.4f}" for found in both))
    return table


@clear_errors
def main(
    workspace: Annotated[Path, typer.Option(help="Whose catalogue, behaviour and params.yaml are taken.")] = Path(),
    trials: Annotated[int, typer.Option(help="Settings tried, at most.")] = 200,
    minutes: Annotated[float, typer.Option(help="How long they are tried, at most.")] = 4.0,
    write: Annotated[bool, typer.Option("--write", help="Put the best into the workspace's params.yaml.")] = False,
) -> None:
    """Search, show today's and the best settings with their figures, and write the best where asked to."""
    context = Context.read(workspace, console.print)
    points = Points(context)
    even = np.arange(context.history.n_users) % 2 == 0
    learning = Bench.of(context, points, LEARN_SEEDS, even)
    if learning.past is None:
        console.print(f"promise left out: before the validation cut-off a tier has fewer than {FEWEST} points to judge")
    best, tried = learn(learning, trials=trials, seconds=60 * minutes)
    checking = Bench.of(context, points, CHECK_SEEDS, ~even)
    today = context.settings
    found = {
        name: [bench.counts(settings) for settings in (today, best)]
        for name, bench in (("searched", learning), ("checked", checking))
    }
    console.print(as_table(today, best, {name: [parts(counts) for counts in both] for name, both in found.items()}))
    for what, gain in zip(("planted interests", "promise"), gains(*found["checked"]), strict=False):
        console.print(f"{what}, checked: {gain.mean:+.4f} ({gain.low:+.4f} … {gain.high:+.4f}) after {tried} trials")
    if write:
        path = workspace / "params.yaml"
        write_text(rewritten(path.read_text(encoding="utf-8"), best), path)
        console.print(f"{path}: thresholds written")


if __name__ == "__main__":
    typer.run(main)
