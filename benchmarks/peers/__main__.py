"""Train RecBole's models on a split and write their rankings: python -m benchmarks.peers SPLIT --output FOLDER."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.peers.environment import ROOT, environment
from benchmarks.peers.grids import PEERS, SEEDS
from benchmarks.peers.split import Split
from strata.cli.terminal import clear_errors, console
from strata.errors import StrataError
from strata.storage import read_json, write_json, write_table


@clear_errors
def main(
    split: Annotated[Path, typer.Argument(help="Folder with train.parquet, validation.parquet and test.parquet.")],
    output: Annotated[Path, typer.Option(help="Folder of the rankings and of peers.json.")],
) -> None:
    """Write the 100 best new items of every test user by every peer, and what was tried to get there.

    PEER.parquet (user_id, item_id, place) is of the first seed, seed-N/PEER.parquet of seed N.
    """
    events = Split.read(split)
    compare(events, output, environment(say=console.print))


def compare(split: Split, output: Path, python: Path) -> None:
    """Run the peers with the interpreter of their own environment. Raises StrataError where they fail."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split.write(folder)
        console.print(f"Training {', '.join(PEERS)}: about 25 minutes on two cores, a line per setting")
        command = [python, "-W", "ignore", "-m", "benchmarks.peers.train"]
        done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        if done.returncode:
            raise StrataError(f"the peers stopped with exit code {done.returncode}; what they said stands above")
        users = np.array(read_json(folder / "queries.json")["test"]["user"])
        for peer in PEERS:
            for seed, ranked in zip(SEEDS, np.load(folder / f"{peer}.npy", allow_pickle=False), strict=False):
                target = output if seed == SEEDS[0] else output / f"seed-{seed}"
                write_table(split.rankings(users, ranked), target / f"{peer}.parquet")
        write_json(read_json(folder / "peers.json"), output / "peers.json")


if __name__ == "__main__":
    typer.run(main)
