"""One module per DVC stage: read artefacts, call the library, write artefacts."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from strata.errors import StrataError

# Threads that wait should sleep: spinning, OpenMP's default, makes training several times slower as soon as something
# else runs on the machine. It is read when the first library with OpenMP is loaded; stages import those after this.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ARTIFACTS = Path("artifacts")
TABLES = ARTIFACTS / "tables"
HISTORY = ARTIFACTS / "history"
ADAPTED = ARTIFACTS / "adapted"
ENCODER = ARTIFACTS / "encoder"
FINETUNE = ARTIFACTS / "finetune"
VALIDATION = ARTIFACTS / "validation"
VECTORS = ARTIFACTS / "vectors"
SHARE = ARTIFACTS / "behaviour_share.json"
TEXT_INDEX = ARTIFACTS / "texts.faiss"
WORDS = ARTIFACTS / "words"
WORD_INDEX = ARTIFACTS / "word_index"
RANKER = ARTIFACTS / "ranker"
EVALUATION = ARTIFACTS / "evaluation"
PICTURES = ARTIFACTS / "pictures"
RELEASE = ARTIFACTS / "release"
TEXT_CACHE = Path("checkpoints") / "texts"
"""Generated texts by the content of their evidence: never removed by DVC, so that a run goes on where one ended."""
CORRECTIONS = Path("corrections") / "corrections.jsonl"
"""What people corrected: an input, in git."""

PR_SET_PDEATHSIG = 1


def run(stage: Callable[..., None], one_of: Sequence[str] = ()) -> None:
    """Run a stage as a program: an expected error becomes one clear line, and no orphan outlives `dvc repro`.

    With `one_of`, the program takes one argument, which must be among them.
    """
    arguments = sys.argv[1:]
    if (one_of and (len(arguments) != 1 or arguments[0] not in one_of)) or (arguments and not one_of):
        sys.exit(f"usage: python -m tasks.{Path(sys.argv[0]).stem}" + (f" {{{','.join(one_of)}}}" if one_of else ""))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # the parent died before the call above
            sys.exit("the process that started this stage is gone")
    try:
        stage(*arguments)
    except StrataError as error:
        sys.exit(f"{type(error).__name__}: {error}")
