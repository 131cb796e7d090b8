"""Names of given groups of texts by BERTopic (Grootendorst 2022), made in an environment of its own.

Between the two, in a folder: asked.json (encoder, texts, halvings: rows of texts and their groups), and words.json (for
each halving the words of each group, by how texts become words and by the way they are ranked).
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.virtualenv import holds, install
from strata.errors import StrataError
from strata.storage import read_json, write_json

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("topics-requirements.txt")
FOLDER = ROOT / ".workspaces" / "topics-env"
Words = dict[str, dict[str, list[list[str]]]]
"""Words of each group, the best first, by how texts become words and by the way they are ranked."""


def ready(folder: Path = FOLDER) -> bool:
    """Whether the environment in `folder` holds the versions pinned now."""
    return holds(folder, REQUIREMENTS)


def words_by_bertopic(
    texts: Sequence[str],
    halvings: Sequence[Sequence[np.ndarray]],
    encoder: Path,
    *,
    say: Callable[[str], None],
    folder: Path = FOLDER,
) -> list[Words]:
    """BERTopic's words for each group of each halving: lists of rows of `texts`, none of them empty.

    `encoder`: folder of the sentence-transformers model that reads texts and words. The environment is made first
    where it is not ready. Raises FetchError where pip cannot install, StrataError where BERTopic fails.
    """
    if not ready(folder):
        say(f"Installing {REQUIREMENTS.name} of the peers into {folder} (about two minutes, 2 GB) ...")
        install(folder, REQUIREMENTS)
    asked = [
        {
            "rows": [int(row) for group in groups for row in group],
            "groups": [number for number, group in enumerate(groups) for _ in group],
        }
        for groups in halvings
    ]
    with tempfile.TemporaryDirectory() as name:
        between = Path(name)
        content = {"encoder": str(encoder.absolute()), "texts": list(texts), "halvings": asked}
        write_json(content, between / "asked.json")
        command = [(folder / "bin" / "python").absolute(), "-W", "ignore", "-m", "benchmarks.peers.topic_words"]
        # one thread: sums are the same on every machine, and nothing waits for a core that others use
        alone = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=between, env=alone, check=False)
        if done.returncode:
            raise StrataError(f"BERTopic stopped with exit code {done.returncode}; what it said stands above")
        found: list[Words] = read_json(between / "words.json")
    return found
