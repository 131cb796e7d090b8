"""Fills in what README and docs show: outputs of commands and tables of the pipeline, each between its marks.

A block begins with <!-- shown: COMMAND --> and ends with <!-- /shown -->. COMMAND is one of `strata …`, run on the
release of this clone at 80 columns; `cat FILE`, a table that the pipeline wrote; or `ask PATH BODY`, what the service
answers to a JSON body; of long lists the first entries. `… | from "A" until "B"` shows the lines from the first
that begins with A to the one before the first that begins with B. docs/shown.json says of which pipeline (its code,
parameters and data, as processors round differently) and of which code of the command line and the service the blocks
are; a test compares it with dvc.lock, strata/cli and services.

python -m benchmarks.shown
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from benchmarks.closure import files_here
from benchmarks.fingerprint import body
from benchmarks.serve import serving
from strata.errors import StrataError
from strata.storage import read_json, write_json, write_text

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- shown: (?P<command>.*?) -->\n).*?(<!-- /shown -->)", re.DOTALL)
RECORD = "docs/shown.json"
CODE: Final = ("strata/cli/", "services/")
WIDTH, MOST, INDENT = 118, 3, 2
"""Letters of a line of an answer; entries of a list that are shown; spaces that show what lies in what."""
STRATA: Final = [sys.executable, "-c", "from strata.cli.app import app; app(prog_name='strata')"]


def pages(root: Path) -> list[Path]:
    """The pages that may hold blocks."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def state(root: Path) -> dict[str, str]:
    """What all blocks depend on: all that goes into the pipeline, and the code of the command line and the service."""
    files = files_here(root)
    stages: dict[str, Any] = YAML(typ="safe").load(root / "dvc.lock")["stages"]
    made = {out["path"] for stage in stages.values() for out in stage["outs"]}
    inputs: list[Any] = []
    for stage in stages.values():
        read = [dep for dep in stage["deps"] if dep["path"] not in made and dep["path"] != "params.yaml"]
        inputs += [body(files[d["path"]]) if d["path"].endswith(".py") else d["md5"] for d in read]
    inputs.append(YAML(typ="safe").load(root / "params.yaml"))
    code = [body(text) for path, text in sorted(files.items()) if path.startswith(CODE)]
    return {"pipeline": _hash(json.dumps(inputs)), "code": _hash("".join(code))}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def filled(text: str, root: Path) -> str:
    """A page with each block's content as it is now. Raises StrataError where a command fails."""
    with ExitStack() as running:

        @cache
        def url() -> str:
            """Of a service that starts with the first question."""
            return running.enter_context(
                serving("services.recommender:Recommender", root / "artifacts" / "release", root)
            )

        return BLOCK.sub(lambda found: found[1] + _shown(found["command"], root, url) + found[3], text)


def _shown(command: str, root: Path, url: Callable[[], str]) -> str:
    command, _, part = command.partition(" | ")
    name, *arguments = shlex.split(command)
    if name == "ask":
        return _answer(*arguments, url())
    if name == "cat":
        return (root / arguments[0]).read_text(encoding="utf-8").strip("\n") + "\n"
    if name != "strata":
        raise StrataError(f"a block shows '{command}'; only strata, ask and cat may be shown")
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run([*STRATA, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StrataError(f"{command}: {done.stderr.strip() or done.returncode}; run `make demo` first")
    lines = [line.rstrip() for line in done.stdout.strip("\n").split("\n")]
    return "\n".join(["```text", *(_between(lines, part) if part else lines), "```", ""])


def _answer(path: str, sent: str, url: str) -> str:
    """The request as people would type it, and the answer, shortened."""
    request = urllib.request.Request(url + path, sent.encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        content = json.load(error)
    headers = "-H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'"
    shown = [f"$ curl -s localhost:3000{path} {headers} \\"]
    return "\n".join(["```console", *shown, f"    -d '{sent}'", *compact(content), "```", ""])


def compact(content: Any, indent: int = 0, before: str = "", after: str = "") -> list[str]:
    """JSON as lines of at most WIDTH letters where that can be, `…` for what a long list has beyond MOST entries."""
    if isinstance(content, list) and len(content) > MOST:
        content = [*content[:MOST], ...]
    flat = before + _flat(content) + after
    if len(flat) + indent <= WIDTH or not isinstance(content, dict | list) or not content:
        return [" " * indent + flat]
    named = isinstance(content, dict)
    entries = list(content.items()) if isinstance(content, dict) else [("", each) for each in content]
    lines: list[str] = [" " * indent + before + ("{" if named else "[")]
    for place, (name, value) in enumerate(entries):
        comma = "," if place < len(entries) - 1 else ""
        made = compact(value, indent + INDENT, f"{json.dumps(name)}: " if named else "", comma)
        joined = f"{lines[-1]} {made[0].strip()}"
        short = len(made) == 1 and len(lines) > 1 and len(joined) <= WIDTH and not lines[-1].endswith(("{", "["))
        lines[-1:] = [joined] if short else [lines[-1], *made]
    return [*lines[:-1], lines[-1] + ("}" if named else "]") + after]


def _flat(content: Any) -> str:
    if content is ...:
        return "…"
    if isinstance(content, list):
        most = content if len(content) <= MOST or ... in content else [*content[:MOST], ...]
        return f"[{', '.join(map(_flat, most))}]"
    if isinstance(content, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_flat(value)}" for name, value in content.items()) + "}"
    return json.dumps(content, ensure_ascii=False)


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
    """What changed since the blocks were filled in: of `pipeline` and `code`."""
    recorded, now = read_json(root / RECORD), state(root)
    return [name for name in now if recorded.get(name) != now[name]]


if __name__ == "__main__":
    main()
