"""Evidence says which of its rows are of older code, and by which command each is measured again."""

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

import benchmarks.evidence.__main__ as evidence
import benchmarks.kernels.__main__ as kernels
import benchmarks.language.__main__ as language
import benchmarks.quality.__main__ as quality
from benchmarks.evidence import again, files
from benchmarks.evidence.files import renew, write_evidence
from benchmarks.evidence.sections import DATA, FILMS, MADE, SECTIONS, SITE
from benchmarks.evidence.stale import stale_sections
from strata.errors import StrataError
from tests.benchmarks.test_evidence_files import run_command, shares
from tests.places import ROOT
from tests.tiny_project import FILES, commit, write_project

MEASURED = [path for path in (ROOT / "docs" / "evidence" / f"{command}.json" for command in SECTIONS) if path.exists()]
COMMITTED = {path.stem: json.loads(path.read_text("utf-8")) for path in MEASURED}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in the place of ours, with the evidence of two sections in `out`."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    write_project(tmp_path)
    for section in ("planted", "promise"):
        write_evidence("evidence", section, [shares(section)], "abc", tmp_path / "out", seconds=120)
    return tmp_path


def changed(clone: Path, name: str, text: str) -> dict[str, str]:
    """What is said of each stale section after a commit that changes one file."""
    (clone / name).write_text(text)
    commit(clone)
    return {section: stale.told() for section, stale in renew(clone / "out")["evidence"].items()}


def content(clone: Path) -> dict:
    return json.loads((clone / "out" / "evidence.json").read_text())


def test_rows_of_sections_whose_code_changed_are_stale_and_others_are_not(clone: Path) -> None:
    assert renew(clone / "out") == {"evidence": {}}
    assert changed(clone, "strata/unused.py", "x = 1\n") == {}
    assert changed(clone, "strata/data/history.py", '"""Reads."""\n' + FILES["strata/data/history.py"]) == {}
    assert changed(clone, "strata/data/history.py", "def read():\n    return 3\n") == {
        "promise": "changed: strata/data/history.py"
    }
    both = "changed: strata/data/history.py, strata/interests/tiers.py"
    assert changed(clone, "strata/interests/tiers.py", "x = 1\n") == {
        "planted": "changed: strata/interests/tiers.py",
        "promise": both,
    }
    write_evidence("evidence", "planted", [shares("planted")], "abc", clone / "out")
    assert set(renew(clone / "out")["evidence"]) == {"promise"}


def test_a_stage_whose_results_are_read_counts(clone: Path) -> None:
    assert set(changed(clone, "tasks/themes.py", "TOPICS = 4\n")) == {"planted", "promise"}


def test_the_table_says_so_of_every_row_once_it_is_renewed(clone: Path) -> None:
    changed(clone, "strata/data/history.py", "x = 1\n")
    lines = (clone / "out" / "evidence.md").read_text().splitlines()
    assert next(line for line in lines if line.startswith("| promise |")).split("|")[6] == " changed "
    assert next(line for line in lines if line.startswith("| planted |")).split("|")[6] == " as measured "
    assert next(line for line in lines if line.startswith("| [Promise]")).endswith(
        "| changed: strata/data/history.py |"
    )
    commit(clone)
    write_evidence("evidence", "promise", [shares("promise")], "abc", clone / "out")
    assert "| changed" not in (clone / "out" / "evidence.md").read_text()


def test_what_was_measured_with_uncommitted_changes_is_always_stale(clone: Path) -> None:
    (clone / "strata" / "unused.py").write_text("x = 1\n")
    write_evidence("evidence", "planted", [shares("planted")], "abc", clone / "out")
    commit(clone)
    assert renew(clone / "out")["evidence"]["planted"].told() == "unknown: measured with uncommitted changes"


def test_sections_from_before_fingerprints_get_that_of_their_commit(clone: Path) -> None:
    kept = content(clone)
    bare = {
        name: {k: v for k, v in each.items() if k not in ("code", "date")} for name, each in kept["sections"].items()
    }
    (clone / "out" / "evidence.json").write_text(json.dumps(kept | {"sections": bare}))
    assert changed(clone, "strata/data/history.py", "x = 1\n") == {"promise": "changed: strata/data/history.py"}
    assert content(clone)["sections"] == kept["sections"]


def test_a_commit_that_the_clone_lacks_is_said_so(clone: Path) -> None:
    kept = content(clone)
    del kept["sections"]["planted"]["code"]
    kept["sections"]["planted"]["commit"] = "0" * 40
    assert stale_sections(kept, clone)["planted"].told() == "unknown: measured at a commit that this clone lacks"
    kept["sections"]["old"] = kept["sections"]["promise"]
    assert stale_sections(kept, clone)["old"].told() == "unknown: no command makes it any more"


def test_the_list_names_reason_and_command_and_measures_nothing(clone: Path) -> None:
    changed(clone, "strata/data/history.py", "x = 1\n")
    before = content(clone)
    said = run_command("--stale", "--list", f"--output={clone / 'out'}")
    assert said.startswith("0 evidence.json, promise, measured at "), said
    assert "; took 2 min" in said
    assert "changed: strata/data/history.py" in said
    assert "python -m benchmarks.evidence --only promise --data complete-journey" in said
    assert "evidence.json: 1 sections to measure again" in said
    assert "planted" not in said
    assert content(clone) == before


def test_nothing_is_measured_with_uncommitted_changes(clone: Path) -> None:
    (clone / "strata" / "history.py").write_text("x = 1\n")
    with pytest.raises(StrataError, match="uncommitted changes.*commit them first"):
        again.measure(clone / "out", {})


def test_a_command_that_fails_is_named_at_the_end(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    section = "stability-stack-exchange"
    kept = content(clone)
    kept |= {"sections": {section: kept["sections"]["planted"] | {"dirty": True}}, "rows": []}
    (clone / "out" / "evidence.json").write_text(json.dumps(kept))
    monkeypatch.chdir(clone)  # where the first program of the command does not exist
    with pytest.raises(StrataError, match=re.escape(SECTIONS["evidence"][section].command)):
        again.measure(clone / "out", {})
    said = capfd.readouterr()
    assert "No module named benchmarks.workspaces" in said.err
    assert "1 sections are still to measure again" in said.out


def test_programs_run_in_order_and_the_last_gets_the_folder() -> None:
    split, peers, compared = again.programs(SECTIONS["quality"]["leave-one-out"], Path("out"), {})
    assert [program[2] for program in (split, peers, compared)] == [
        "benchmarks.quality.split", "benchmarks.peers", "benchmarks.quality",
    ]  # fmt: skip
    assert compared[-2:] == ["--output", "out"]


def test_a_workspace_given_is_not_made() -> None:
    made, given = SECTIONS["evidence"], {SITE: "a b"}
    assert [each[2] for each in again.programs(made["promise-stack-exchange"], Path("out"), {})] == [
        "benchmarks.workspaces", "benchmarks.evidence",
    ]  # fmt: skip
    (program,) = again.programs(made["promise-stack-exchange"], Path("out"), given)
    assert program[-2:] == ["--workspace", f"{SITE}=a b"]
    assert "--workspace" not in again.programs(made["promise"], Path("out"), given)[0]


def test_every_section_that_a_command_measures_is_known_with_its_data() -> None:
    found = {
        (f"{name}{'' if data == section.data[0] else f'-{data}'}", data)
        for name, section in evidence.SECTIONS.items()
        for data in section.data
    }
    assert {(name, each.data) for name, each in SECTIONS["evidence"].items()} == found | {("tiering", FILMS)}
    assert set(SECTIONS["quality"]) == set(quality.SECTIONS)
    assert set(SECTIONS["language"]) == set(language.SECTIONS)
    assert set(SECTIONS["kernels"]) == set(kernels.RACES)
    assert {each.data for made in SECTIONS.values() for each in made.values()} == {*DATA, MADE}


@pytest.mark.parametrize(("command", "name"), [(c, name) for c in COMMITTED for name in COMMITTED[c]["sections"]])
def test_every_section_of_the_committed_evidence_names_a_command_that_exists(command: str, name: str) -> None:
    section = SECTIONS[command][name]
    for step in section.command.split(" && "):
        python, flag, module, *arguments = shlex.split(step)
        assert (python, flag) == ("python", "-m")
        found = importlib.import_module(module)
        assert Path(found.__file__).stem != "__init__" or importlib.import_module(f"{module}.__main__").main
        if "--only" in arguments:
            main = importlib.import_module(f"{module}.__main__")
            known = main.RACES if main is kernels else main.SECTIONS
            assert arguments[arguments.index("--only") + 1] in known
            assert main is not evidence or arguments[arguments.index("--data") + 1] in DATA


def test_leave_one_out_is_measured_as_make_peers_does() -> None:
    target = re.search(r"^peers:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    steps = SECTIONS["quality"]["leave-one-out"].command.split(" && ")
    assert target is not None
    assert [line.strip() for line in target[1].splitlines()] == steps
