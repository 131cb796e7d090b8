"""Make a data set of any size, with planted interests, in the form that `source` in params.yaml reads.

python -m benchmarks.made data/made --users 2000 --items 1000 --events 40000
"""

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.made.dataset import SOURCE, MadeSettings, make
from strata.cli.terminal import clear_errors, console

DEFAULT = MadeSettings()


@clear_errors
def main(
    folder: Annotated[Path, typer.Argument(help="Where interactions, items, users and what was planted are written.")],
    users: Annotated[int, typer.Option(min=1)] = DEFAULT.users,
    items: Annotated[int, typer.Option(min=1)] = DEFAULT.items,
    events: Annotated[int, typer.Option(min=1)] = DEFAULT.events,
    seed: Annotated[int, typer.Option(help="The same seed and sizes give the same bytes.")] = DEFAULT.seed,
) -> None:
    """Make users with interests of all tiers, a catalogue with texts, and a year of events."""
    settings = MadeSettings(users=users, items=items, events=events, seed=seed)
    with Progress(TextColumn("users"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("users", total=users)
        make(folder, settings, lambda made: bar.advance(task, made))
    console.print(
        f"In params.yaml:\n{yaml.safe_dump({'source': SOURCE | {'folder': str(folder)}}, sort_keys=False)}",
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
