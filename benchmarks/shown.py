"""Fills in what README and docs show: outputs of commands and tables of the pipeline, each between its marks.

A block begins with <!-- shown: COMMAND --> and ends with <!-- /shown -->. COMMAND is one of `strata …`, run on the
release of this clone at 80 columns, or `cat FILE`, a table that the pipeline wrote; `… | from "A" until "B"` shows the
lines from the first that begins with A to the one before the first that begins with B. docs/shown.json says of which
release and of which code of the command line the blocks are; a test compares it with dvc.lock and strata/cli.

python -m benchmarks.shown
"""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from benchmarks.closure import files_here
from benchmarks.fingerprint import body
from strata.errors import StrataError
from strata.storage import read_json, write_json, write_text

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- shown: (?P<command>.*?) -->\n).*?(<!-- /shown -->)", re.DOTALL)
RECORD = "docs/shown.json"
STRATA: Final = [sys.executable, "-c", "from strata.cli.app import app; app(prog_name='strata')"]


def pages(root: Path) -> list[Path]:
    """The pages that may hold blocks."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def state(root: Path) -> dict[str, str]:
    """What all blocks depend on: the release of dvc.lock, and the code of the command line."""
    lock: dict[str, Any] = YAML(typ="safe").load(root / "dvc.lock")
    release = next(out["md5"] for out in lock["stages"]["package"]["outs"] if out["path"] == "artifacts/release")
    code = [body(text) for path, text in sorted(files_here(root).items()) if path.startswith("strata/cli/")]
    return {"release": release, "code": hashlib.sha256("".join(code).encode()).hexdigest()}


def filled(text: str, root: Path) -> str:
    """A page with each block's content as it is now. Raises StrataError where a command fails."""
    return BLOCK.sub(lambda found: found[1] + _shown(found["command"], root) + found[3], text)


def _shown(command: str, root: Path) -> str:
    command, _, part = command.partition(" | ")
    name, *arguments = shlex.split(command)
    if name == "cat":
        return (root / arguments[0]).read_text(encoding="utf-8").strip("\n") + "\n"
    if name != "strata":
        raise StrataError(f"a block shows '{command}'; only strata and cat may be shown")
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run([*STRATA, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StrataError(f"{command}: {done.stderr.strip() or done.returncode}; run `make demo` first")
    lines = [line.rstrip() for line in done.stdout.strip("\n").split("\n")]
    return "\n".join(["```text", *(_between(lines, part) if part else lines), "```", ""])


def _between(lines: list[str], part: str) -> list[str]:
    """What `from "A" until "B"` asks for."""
    _, first, _, end = shlex.split(part)
    start = next(place for place, line in enumerate(lines) if line.startswith(first))
    stop = next((place for place in range(start, len(lines)) if lines[place].startswith(end)), len(lines))
    return "\n".join(lines[start:stop]).rstrip("\n").split("\n")


def main() -> None:
    """Fill in all blocks of README and docs."""
    try:
        for page in pages(ROOT):
            before = page.read_text(encoding="utf-8")
            after = filled(before, ROOT)
            if after != before:
                write_text(after, page)
                print(f"{page.relative_to(ROOT)}: filled in anew")
    except StrataError as error:
        sys.exit(str(error))
    write_json(state(ROOT), ROOT / RECORD)


def stale(root: Path) -> list[str]:
    """What changed since the blocks were filled in: of `release` and `code`."""
    recorded, now = read_json(root / RECORD), state(root)
    return [name for name in now if recorded.get(name) != now[name]]


if __name__ == "__main__":
    main()
