"""Each stage's dependencies in dvc.yaml cover the modules it imports, and dvc.lock belongs to the committed code."""

import ast
import hashlib
import subprocess
import sys
from functools import reduce

import pytest
import yaml
from ruamel.yaml import YAML

import benchmarks.closure
from tasks.collaborate import SETTINGS_OF
from tasks.tune import TUNED
from tests.places import ROOT

FIRST_PARTY = ("strata", "tasks")
FILES = benchmarks.closure.files_here(ROOT)


def closure(path: str) -> set[str]:
    """All first-party files that running `path` may load, as paths from the root."""
    return benchmarks.closure.closure((path, "tasks/__init__.py"), FILES, FIRST_PARTY)


def stages() -> dict[str, dict]:
    """Stages of dvc.yaml, a foreach stage as its `do` part."""
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in listed.items()}


@pytest.mark.parametrize("name", stages())
def test_dependencies_cover_what_a_stage_imports(name: str) -> None:
    listed = {dep for dep in stages()[name]["deps"] if dep.endswith(".py")}
    needed = closure(f"tasks/{name}.py")
    assert listed == needed, f"dvc.yaml, {name}: add {sorted(needed - listed)}, drop {sorted(listed - needed)}"


@pytest.mark.parametrize("name", ["finetune", "embed"])
def test_stages_that_load_the_base_model_depend_on_its_weights(name: str) -> None:
    assert "${encoder.weights}" in stages()[name]["deps"]


def test_the_command_writes_what_stages_import_into_dvc_yaml() -> None:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert benchmarks.closure.with_code(text, FILES) == text
    without = text.replace("    - strata/ranking/rankers.py\n", "").replace("    - tasks/rank.py\n", "")
    assert without != text
    assert benchmarks.closure.with_code(without, FILES) == text


def test_the_peers_own_environment_holds_all_that_they_import() -> None:
    folder = ROOT / "benchmarks" / "peers"
    pinned = {line.split("==")[0].lower() for line in (folder / "requirements.txt").read_text("utf-8").splitlines()}
    needed = set()
    for file in (*closure("benchmarks/peers/train.py"), "benchmarks/peers/grids.py"):
        for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                needed |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                needed.add(node.module.split(".")[0])
    needed -= {*sys.stdlib_module_names, *FIRST_PARTY, "benchmarks"}
    assert needed >= {"recbole", "torch", "numpy"}
    assert needed <= pinned, f"benchmarks/peers/requirements.txt: pin {sorted(needed - pinned)}"


def test_every_stage_has_a_module_of_its_name_and_says_so_in_its_command() -> None:
    for name, stage in stages().items():
        assert f"python -m tasks.{name}" in stage["cmd"]


def test_models_are_fitted_with_the_tuning_that_dvc_made_them_wait_for() -> None:
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {key: item["tuned"] for key, item in listed["collaborate"]["foreach"].items()} == SETTINGS_OF
    assert set(listed["tune"]["foreach"]) == set(TUNED) == set(SETTINGS_OF.values())


def test_the_packages_themselves_hold_no_code_that_a_stage_could_miss() -> None:
    packages = sorted((ROOT / "strata").rglob("__init__.py"))
    assert len(packages) > 10
    for package in packages:
        body = ast.parse(package.read_text(encoding="utf-8")).body
        assert len(body) == 1, f"{package.relative_to(ROOT)}: a docstring and nothing else may stand here"
        assert isinstance(body[0], ast.Expr), (
            f"{package.relative_to(ROOT)}: a docstring and nothing else may stand here"
        )


@pytest.mark.skipif(not (ROOT / "dvc.lock").exists(), reason="no dvc.lock yet")
def test_lock_belongs_to_the_committed_code_and_parameters() -> None:
    read = YAML(typ="safe").load  # as DVC reads and writes: PyYAML takes 5e-05 for a text
    lock = read(ROOT / "dvc.lock")["stages"]
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(listed) == sorted(lock), "dvc.lock holds other stages than dvc.yaml; run dvc repro"
    params = read(ROOT / "params.yaml")
    for name, entry in lock.items():
        for dep in entry["deps"]:
            file = ROOT / dep["path"]
            if dep["path"].endswith(".py"):
                digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
                assert digest == dep["md5"], f"{name}: {dep['path']} changed after its last run; run dvc repro"
        for key, value in entry.get("params", {}).get("params.yaml", {}).items():
            current = reduce(lambda section, part: section[part], key.split("."), params)
            assert current == value, f"{name}: parameter '{key}' changed after its last run; run dvc repro"
