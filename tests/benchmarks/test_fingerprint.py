"""What a figure depends on is found in the code itself; only a change of what a module does makes figures stale."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.closure import closure, files_here, upstream
from benchmarks.evidence.sections import SECTIONS, Section
from benchmarks.fingerprint import LEFT_OUT, PARAMS, body, changes, fingerprint
from tests.places import ROOT

FILES = files_here(ROOT)
LISTED = {f"{command}-{name}": section for command, found in SECTIONS.items() for name, section in found.items()}


@cache
def kept(section: Section) -> dict[str, str]:
    return fingerprint(section, FILES)


def stale(section: Section, files: dict[str, str]) -> list[str]:
    return changes(kept(section), fingerprint(section, files))


@st.composite
def sections_and_modules(draw: st.DrawFn) -> tuple[Section, str]:
    """A section of docs/evidence, and a module of the library that it depends on."""
    section = draw(st.sampled_from(list(LISTED.values())))
    modules = [path for path in kept(section) if re.fullmatch(r"strata/.*(?<!__init__)\.py", path)]
    return section, draw(st.sampled_from(modules))


@given(sections_and_modules())
def test_a_change_of_a_dependency_is_found_and_named(chosen: tuple[Section, str]) -> None:
    section, module = chosen
    assert stale(section, {**FILES, module: FILES[module] + "\nCHANGED = 1\n"}) == [module]


@given(sections_and_modules(), st.data())
def test_another_name_is_a_change(chosen: tuple[Section, str], data: st.DataObject) -> None:
    section, module = chosen
    tree = ast.parse(FILES[module])
    named = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assume(named)  # the schema defines no more than constants
    data.draw(st.sampled_from(named)).name = "renamed"
    assert stale(section, {**FILES, module: ast.unparse(tree)}) == [module]


@given(sections_and_modules())
def test_a_comment_a_docstring_or_another_layout_is_none(chosen: tuple[Section, str]) -> None:
    section, module = chosen
    tree = ast.parse(FILES[module])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body.insert(0, ast.Expr(ast.Constant("Says something else.")))
    text = "# Written anew.\n" + ast.unparse(ast.fix_missing_locations(tree))
    assert text != FILES[module]
    assert stale(section, {**FILES, module: text}) == []


@settings(max_examples=10)
@given(sections_and_modules())
def test_a_module_that_moves_as_it_is_changes_nothing(chosen: tuple[Section, str]) -> None:
    section, module = chosen
    files = moved(module, f"strata/kernels/inner/{Path(module).name}")
    assert stale(section, files) == []
    assert module not in fingerprint(section, files)


def moved(old: str, new: str) -> dict[str, str]:
    """All files with one module at another place, and every import of it changed accordingly."""
    before, after = (path.removesuffix(".py").replace("/", ".") for path in (old, new))
    files = {path: text for path, text in FILES.items() if path != old} | {new: FILES[old]}
    package, _, name = before.rpartition(".")
    return {
        path: redirected(text, before, after) if path.endswith(".py") and package in text and name in text else text
        for path, text in files.items()
    }


def redirected(text: str, before: str, after: str) -> str:
    package, _, name = before.rpartition(".")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            if isinstance(statements := getattr(node, field, None), list):
                setattr(node, field, [new for old in statements for new in imports(old, before, after, package, name)])
    return ast.unparse(ast.fix_missing_locations(tree))


def imports(node: ast.AST, before: str, after: str, package: str, name: str) -> Iterator[ast.AST]:
    if isinstance(node, ast.ImportFrom) and node.module == before:
        yield ast.ImportFrom(after, node.names, 0)
    elif isinstance(node, ast.ImportFrom) and node.module == package:
        own = [alias for alias in node.names if alias.name == name]
        others = [alias for alias in node.names if alias.name != name]
        if own:
            yield ast.ImportFrom(after.rpartition(".")[0], own, 0)
        if others:
            yield ast.ImportFrom(package, others, 0)
    else:
        yield node


@given(sections_and_modules(), st.sampled_from(["strata/cli/app.py", "strata/release/gate.py", *LEFT_OUT]))
def test_what_a_section_does_not_depend_on_may_change(chosen: tuple[Section, str], other: str) -> None:
    section, _ = chosen
    assert stale(section, {**FILES, other: "CHANGED = 1\n"}) == []


def test_a_setting_counts_where_a_module_reads_it() -> None:
    tiers, recommended = LISTED["evidence-planted"], LISTED["quality-films"]
    cut = {**FILES, PARAMS: FILES[PARAMS].replace("  cut: ", "  cut: 1")}
    assert stale(tiers, cut) == stale(recommended, cut) == ["params.yaml: tier"]
    trees = {**FILES, PARAMS: FILES[PARAMS].replace("  negatives: ", "  negatives: 1")}
    assert stale(tiers, trees) == []
    assert stale(recommended, trees) == ["params.yaml: rank"]


def test_of_a_large_file_only_what_a_section_reads_counts() -> None:
    journey, main = LISTED["quality-journey"], "benchmarks/quality/__main__.py"
    assert stale(journey, {**FILES, main: FILES[main] + "\nMORE = 1\n"}) == []
    assert stale(journey, {**FILES, main: FILES[main].replace('"horizon": 1', '"horizon": 2')}) == [f"{main}: MONTHS"]


def test_data_that_changes_is_named() -> None:
    assert stale(LISTED["quality-films"], {**FILES, "data.dvc": "outs: []"}) == ["data.dvc"]
    preset = "strata/data/sources/presets/complete-journey.yaml"
    assert stale(LISTED["quality-cold"], {**FILES, preset: FILES[preset].replace("1.0", "2.0")}) == [preset]


def test_a_module_that_only_passes_names_on_has_no_body() -> None:
    assert body('"""Says."""\nfrom strata.ward import groups\n\n__all__ = ["groups"]\n') == ""
    assert body("from strata.ward import groups\nX = groups\n") == body("from numpy import groups\nX = groups\n") != ""


def test_a_closure_holds_what_is_imported_by_what_is_imported() -> None:
    files = {
        "strata/a.py": "from strata.b import f\n",
        "strata/b.py": "def f():\n    from strata.pack import c\n",
        "strata/pack/__init__.py": "",
        "strata/pack/c.py": "import numpy, tasks.d\n",
        "tasks/d.py": "from strata.a import x\n",
        "strata/other.py": "",
    }
    assert closure(["strata/a.py"], files) == set(files) - {"strata/other.py"}
    assert closure(["strata/a.py"], files, packages=("strata",)) == set(files) - {"strata/other.py", "tasks/d.py"}
    assert closure(["strata/a.py"], files, without=["strata/b.py"]) == {"strata/a.py"}


def test_stages_before_a_stage_are_those_that_dvc_runs_before_it() -> None:
    command = [sys.executable, "-m", "dvc", "dag", "--dot"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pairs = {tuple(name.split("@")[0] for name in pair) for pair in re.findall(r'"(.+)" -> "(.+)";', graph)}
    stages = {stage for pair in pairs for stage in pair} - {"data.dvc"}
    assert {"validate", "package"} <= stages
    for stage in stages:
        before, size = {stage}, 0
        while len(before) > size:
            size = len(before)
            before |= {first for first, then in pairs if then in before} - {"data.dvc"}
        assert upstream([stage], FILES["dvc.yaml"]) == before, stage


@pytest.mark.parametrize("name", LISTED)
def test_all_that_a_section_names_is_there(name: str) -> None:
    section = LISTED[name]
    assert {*section.modules, *section.files, *LEFT_OUT} <= set(FILES)
    assert set(section.stages) <= upstream(["package"], FILES["dvc.yaml"])
    assert all(body(FILES[path], part) for path, part in section.parts)
