"""The code a result depends on: the files that a program imports, and those of the pipeline's stages before it.

python -m benchmarks.closure    # writes the code that each stage imports among its dependencies in dvc.yaml
"""

import ast
import io
import re
import subprocess
import tarfile
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PACKAGES = ("strata", "tasks", "benchmarks")
STAGES_IMPORT = ("strata", "tasks")
TEXTS = (".py", ".yaml", ".txt", ".dvc")
Files = Mapping[str, str]
"""Path from the root, with slashes → text."""


def files_here(root: Path) -> Files:
    """The files of the working tree as they are now, changes that are not committed among them."""
    below = [path for package in PACKAGES for path in (root / package).rglob("*")]
    found = [path for path in (*root.glob("*"), *below) if path.suffix in TEXTS and path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in found}


def files_at(commit: str, root: Path) -> Files | None:
    """The files of a commit, None where the clone at `root` does not hold it."""
    command = ["git", "archive", "--format=tar", commit]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if done.returncode:
        return None
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            path = Path(member.name)
            wanted = path.suffix in TEXTS and (len(path.parts) == 1 or path.parts[0] in PACKAGES)
            if wanted and (file := archive.extractfile(member)) is not None:
                found[member.name] = file.read().decode("utf-8")
    return found


def imported(text: str, files: Files, packages: Collection[str] = PACKAGES) -> set[str]:
    """Files of `packages` that a module imports, at its top or inside functions, and its packages' own."""
    found = set()
    for name in _names(text):
        parts = name.split(".")
        if parts[0] in packages:
            parents = ("/".join(parts[:n]) for n in range(1, len(parts) + 1))
            may_be = (f"{'/'.join(parts)}.py", *(f"{parent}/__init__.py" for parent in parents))
            found |= {file for file in may_be if file in files}
    return found


@cache
def _names(text: str) -> frozenset[str]:
    """Everything that stands in import statements, with dots; of `from a import b` a and a.b, for b may be a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return frozenset(found)


def closure(
    start: Iterable[str], files: Files, packages: Collection[str] = PACKAGES, without: Collection[str] = ()
) -> set[str]:
    """All files of `packages` that running the modules `start` may load, themselves among them.

    Those `without` are left out, with what they alone import; so are modules of `start` that `files` lack.
    """
    seen: set[str] = set()
    waiting = {path for path in start if path in files} - set(without)
    while waiting:
        module = waiting.pop()
        seen.add(module)
        waiting |= imported(files[module], files, packages) - seen - set(without)
    return seen


def upstream(stages: Iterable[str], description: str) -> set[str]:
    """The named stages of a dvc.yaml and all stages whose results they read, directly or not."""
    before = _before(description)
    seen: set[str] = set()
    waiting = set(stages)
    while waiting:
        stage = waiting.pop()
        seen.add(stage)
        waiting |= before[stage] - seen
    return seen


@cache
def _before(description: str) -> dict[str, set[str]]:
    """Of each stage, those whose results it reads itself."""
    described: dict[str, Any] = yaml.safe_load(description)["stages"]
    parts = {name: stage.get("do", stage) for name, stage in described.items()}
    outs = {name: [_segments(out) for out in _outputs(part)] for name, part in parts.items()}
    deps = {name: [_segments(dep) for dep in part.get("deps", ())] for name, part in parts.items()}
    return {
        name: {other for other in parts if any(_meet(dep, out) for dep in deps[name] for out in outs[other])}
        for name in parts
    }


def _outputs(stage: Mapping[str, Any]) -> list[str]:
    listed = [*stage.get("outs", ()), *stage.get("metrics", ())]
    return [next(iter(each)) if isinstance(each, dict) else each for each in listed]


def _segments(path: str) -> list[str]:
    """The parts of a path, * for what a `foreach` or a parameter fills in."""
    return ["*" if "${" in part else part for part in path.split("/")]


def _meet(dep: list[str], out: list[str]) -> bool:
    """Whether one path is, or may be, the other or lies in it."""
    return dep[0] == out[0] and all(a == b or "*" in (a, b) for a, b in zip(dep, out, strict=False))


def with_code(description: str, files: Files) -> str:
    """A dvc.yaml whose stages depend on exactly the code that they import; all else stays as it is."""
    lines, found, stage = description.split("\n"), [], ""
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        found.append(line)
        named = re.fullmatch(r"  (\w+):", line)
        stage = named[1] if named else stage
        if line.strip() != "deps:":
            continue
        start = line[: line.index("deps:")] + "- "
        others = []
        while place < len(lines) and lines[place].startswith(start):
            others += [] if lines[place].endswith(".py") else [lines[place]]
            place += 1
        code = closure((f"tasks/{stage}.py", "tasks/__init__.py"), files, STAGES_IMPORT)
        found += [start + path for path in sorted(code, key=lambda path: (not path.startswith("tasks/"), path))]
        found += others
    return "\n".join(found)


def main() -> None:
    """Write dvc.yaml of this clone anew."""
    root = Path(__file__).parent.parent
    path = root / "dvc.yaml"
    before = path.read_text(encoding="utf-8")
    after = with_code(before, files_here(root))
    path.write_text(after, encoding="utf-8")
    print("dvc.yaml: dependencies written anew" if after != before else "dvc.yaml: nothing to change")


if __name__ == "__main__":
    main()
