"""The registry holds whole releases only, and its pointer always leads to one of them."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from strata.cli.release import app
from strata.data.history import DAY, History
from strata.errors import ReleaseError
from strata.interests.anchors import Anchors
from strata.interests.themes import Themes
from strata.release.manifest import verify
from strata.release.registry import Pointer, Registry
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release
from tests.tiny_release import flip_a_byte, tiny_release


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "releases")


@pytest.fixture
def ids(registry: Registry, tmp_path: Path) -> list[str]:
    """Four releases in the registry, none promoted."""
    for n in range(4):
        tiny_release(tmp_path / f"release{n}", content=str(n))
    return [registry.add(tmp_path / f"release{n}") for n in range(4)]


@given(steps=st.lists(st.sampled_from(["a", "b", "c", "back"])))
def test_a_pointer_never_repeats_a_release_and_goes_back_the_way_it_came(steps: list[str]) -> None:
    pointer, way = Pointer(), []
    for step in steps:
        if step != "back":
            pointer, way = pointer.to(step), [*(each for each in way if each != step), step]
        elif pointer.former:
            pointer, way = pointer.back(), way[:-1]
        assert [*pointer.former, *([pointer.current] if pointer.current else [])] == way


def test_promote_and_roll_back(registry: Registry, ids: list[str]) -> None:
    assert registry.current() is None
    for release in ids[:3]:
        registry.promote(release)
    assert registry.current() == registry.folder / ids[2]
    assert json.loads((registry.folder / "current.json").read_text()) == {"current": ids[2], "former": ids[:2]}
    assert registry.rollback() == ids[1]
    assert registry.rollback() == ids[0]
    with pytest.raises(ReleaseError, match="no release served before"):
        registry.rollback()
    assert registry.current() == registry.folder / ids[0]


def test_what_comes_in_is_a_verified_copy_and_comes_in_once(registry: Registry, tmp_path: Path) -> None:
    release = tiny_release(tmp_path / "release")
    assert registry.add(tmp_path / "release") == registry.add(tmp_path / "release") == release
    assert verify(registry.folder / release).id == release
    assert [entry.id for entry in registry.list()] == [release]
    flip_a_byte(registry.folder / release / "content.txt")
    registry.add(tmp_path / "release")
    assert verify(registry.folder / release).id == release


@pytest.mark.parametrize("file", ["content.txt", "tables/users.parquet", "profiles/profiles.parquet"])
def test_a_flipped_byte_is_refused_by_name_and_leaves_the_store_as_it_was(
    registry: Registry, ids: list[str], tmp_path: Path, file: str
) -> None:
    registry.promote(ids[0])
    flip_a_byte(tmp_path / "release1" / file)
    flip_a_byte(registry.folder / ids[2] / file)
    before = sorted(registry.folder.rglob("*"))
    with pytest.raises(ReleaseError, match=file):
        registry.add(tmp_path / "release1")
    with pytest.raises(ReleaseError, match=file):
        registry.promote(ids[2])
    assert registry.current() == registry.folder / ids[0]
    assert sorted(registry.folder.rglob("*")) == before


def test_a_damaged_former_release_is_not_rolled_back_to(registry: Registry, ids: list[str]) -> None:
    registry.promote(ids[0])
    registry.promote(ids[1])
    flip_a_byte(registry.folder / ids[0] / "content.txt")
    with pytest.raises(ReleaseError, match="content.txt"):
        registry.rollback()
    assert registry.current() == registry.folder / ids[1]


def test_what_was_refused_is_no_step_back(registry: Registry, ids: list[str], tmp_path: Path) -> None:
    good, bad, worse, next_ = ids
    for release in (good, bad, worse):
        registry.promote(release)
    registry.refuse(bad, "items.faiss is damaged")
    registry.refuse(worse, "its encoder is damaged")
    assert registry.refused() == {bad: "items.faiss is damaged", worse: "its encoder is damaged"}
    states = {entry.id: (entry.current, entry.former, entry.refused) for entry in registry.list()}
    assert states[good] == (False, True, "")
    assert states[bad] == (False, False, "items.faiss is damaged")
    shown = CliRunner().invoke(app, ["list", "--store", str(registry.folder)], env={"COLUMNS": "200"}).output
    assert "items.faiss is damaged" in shown
    assert registry.rollback() == good
    with pytest.raises(ReleaseError, match="no release served before"):
        registry.rollback()
    registry.promote(bad)
    registry.accept(bad)  # it served after all
    registry.promote(next_)
    assert registry.rollback() == bad
    registry.add(tmp_path / "release2")  # as whole as before, so the fault is another
    assert registry.refused() == {worse: "its encoder is damaged"}
    flip_a_byte(registry.folder / worse / "content.txt")
    registry.add(tmp_path / "release2")
    assert registry.refused() == {}


def test_a_refusal_of_what_is_not_there_is_none_and_goes_with_its_release(registry: Registry, ids: list[str]) -> None:
    registry.refuse("?", "no pointer")
    registry.refuse("../../etc", "no")
    assert registry.refused() == {}
    registry.refuse(ids[0], "damaged")
    registry.promote(ids[3])
    assert ids[0] in registry.prune(1)
    assert registry.refused() == {}


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_prune_keeps_the_latest_the_current_and_the_one_before(registry: Registry, ids: list[str], keep: int) -> None:
    for release in (ids[2], ids[1], ids[0]):
        registry.promote(release)
    removed = registry.prune(keep)
    left = [entry.id for entry in registry.list()]
    assert set(left) == {ids[0], ids[1], *ids[-keep:]}
    assert sorted([*left, *removed]) == sorted(ids)
    former = json.loads((registry.folder / "current.json").read_text())["former"]
    assert set(former) <= set(left)
    assert registry.rollback() == ids[1]


def test_a_shadow_is_another_whole_release_until_it_serves_or_ends(registry: Registry, ids: list[str]) -> None:
    registry.promote(ids[0])
    assert registry.shadowed() is None
    with pytest.raises(ReleaseError, match="serves already"):
        registry.shadow(ids[0])
    with pytest.raises(ReleaseError, match="no release 'x'"):
        registry.shadow("x")
    registry.shadow(ids[1])
    assert registry.shadowed() == registry.folder / ids[1]
    assert [entry.id for entry in registry.list() if entry.shadow] == [ids[1]]
    registry.prune(1)
    assert {entry.id for entry in registry.list()} == {ids[0], ids[1], ids[3]}
    registry.promote(ids[1])
    assert registry.shadowed() is None
    registry.shadow(ids[3])
    registry.shadow(None)
    assert registry.shadowed() is None
    flip_a_byte(registry.folder / ids[3] / "content.txt")
    with pytest.raises(ReleaseError, match="content"):
        registry.shadow(ids[3])
    (registry.folder / "shadow.json").write_text("{")
    with pytest.raises(ReleaseError, match=r"shadow\.json names no release"):
        registry.shadowed()


def test_unknown_ids_and_a_damaged_pointer_are_said_clearly(registry: Registry, ids: list[str]) -> None:
    with pytest.raises(ReleaseError, match=f"no release '../release0'.*{ids[0]}"):
        registry.promote("../release0")
    (registry.folder / "current.json").write_text("{")
    with pytest.raises(ReleaseError, match=r"current\.json is not a pointer"):
        registry.current()
    with pytest.raises(ReleaseError, match="at least 1"):
        registry.prune(0)


def test_changes_at_the_same_time_lose_nothing(registry: Registry, ids: list[str]) -> None:
    threads = [threading.Thread(target=Registry(registry.folder).promote, args=[release]) for release in ids * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pointer = json.loads((registry.folder / "current.json").read_text())
    assert sorted([pointer["current"], *pointer["former"]]) == sorted(ids)


def test_the_command_adds_lists_promotes_and_rolls_back(tmp_path: Path) -> None:
    runner, registry = CliRunner(), str(tmp_path / "releases")
    first, second = (tiny_release(tmp_path / name, content=name) for name in ("first", "second"))

    def strata(*arguments: str) -> str:
        done = runner.invoke(app, [*arguments, "--store", registry], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    assert "no release yet" in strata("list")
    for name, release in (("first", first), ("second", second)):
        assert release in strata("add", str(tmp_path / name))
        assert "not remembered" in strata("promote", release, "--anchors", str(tmp_path / "nowhere"))
    lines = {line.split()[0]: line for line in strata("list").splitlines()}
    assert "current" in lines[second]
    assert "before" in lines[first]
    assert first in strata("rollback")
    assert f"{second} answers in the shadow" in strata("shadow", second)
    assert "shadow" in next(line for line in strata("list").splitlines() if second in line)
    assert "no release" in strata("shadow", "--off")
    assert runner.invoke(app, ["shadow", "--store", registry]).exit_code == 1
    refused = runner.invoke(app, ["rollback", "--store", registry])
    assert refused.exit_code == 1
    assert "promote one by its id" in refused.output
    (tmp_path / "releases" / second / "manifest.json").write_text("{}")
    assert "damaged" in strata("list")


def test_a_release_that_is_promoted_by_hand_leaves_its_themes_to_the_next(tmp_path: Path) -> None:
    users, items = np.nonzero(np.random.default_rng(1).random((N_USERS, N_ITEMS)) < 0.7)
    times = TIME - DAY * (1 + np.arange(len(users)))
    history = History.from_columns(users, items, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    folder, anchors, store = write_tiny_release(tmp_path, history), tmp_path / "anchors", tmp_path / "releases"
    anchors.mkdir()
    release = Registry(store).add(folder)
    done = CliRunner().invoke(app, ["promote", release, "--registry", str(store), "--anchors", str(anchors)])
    assert done.exit_code == 0, done.output
    themes = Themes.read(folder / "themes")
    assert Anchors.read(anchors).groups["name"].to_list() == themes.groups["name"].to_list()
