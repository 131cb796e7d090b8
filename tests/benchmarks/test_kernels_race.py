"""Libraries that race against own code do the same work, and what is measured is what each of them took."""

import time
from functools import partial
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from benchmarks.kernels import forest, hierarchy, made, selection, sparse_products, threads, ward
from benchmarks.kernels.__main__ import RACES, verdict
from benchmarks.kernels.environment import FOLDER, environment, ready
from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Race, as_markdown, race
from benchmarks.kernels.swap import recorded, replays, swapped
from strata._kernels.forest import Forest
from strata._kernels.selection import Admission, best_of_groups, largest, top_k, top_of_groups
from strata._kernels.sparse_products import CsrParts, dense_product, sums_of_rows, top_products
from strata._kernels.threads import side_by_side
from strata._kernels.ward import ward_groups
from strata.interests.grouping import GROUPINGS
from strata.interests.hierarchy import cut, merge
from strata.ranking import candidates

ROOT = Path(__file__).parents[2]
needs_libraries = pytest.mark.skipif(not ready(FOLDER), reason="python -m benchmarks.kernels installs its libraries")
seeds = st.integers(0, 10_000)


def different(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """No two alike, so that no library may order them otherwise; some that must not come."""
    scores = rng.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32)
    scores[rng.random(shape) < 0.2] = -np.inf
    return scores


@given(seeds, st.integers(1, 6), st.integers(1, 30), st.integers(0, 12), st.sampled_from(sorted(selection.LIBRARIES)))
def test_selections_by_libraries_are_own_ones(seed: int, rows: int, n: int, k: int, name: str) -> None:
    rng, library = np.random.default_rng(seed), selection.LIBRARIES[name]
    scores = different(rng, rows, n)
    for own, other in zip(top_k(scores, k), library[top_k](scores, k), strict=True):
        np.testing.assert_array_equal(own, other)
    starts = np.append(0, np.sort(rng.integers(0, scores.size + 1, rows)))
    flat = scores.ravel()[: starts[-1]]
    for function in (top_of_groups, best_of_groups):
        np.testing.assert_array_equal(function(flat, starts, k), library[function](flat, starts, k))


@given(seeds, st.integers(1, 4), st.integers(2, 30), st.sampled_from(sorted(selection.LIBRARIES)))
def test_the_largest_by_libraries_are_own_ones(seed: int, users: int, n: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    scores = different(rng, 2 * users, n)
    columns = np.flatnonzero(rng.random(n) < rng.choice([0.6, 1.0]))
    barred = [np.flatnonzero(rng.random(len(columns)) < 0.3) for _ in range(users)]
    starts = np.append(0, np.cumsum([len(each) for each in barred]))
    admission = Admission(columns, starts, np.concatenate(barred))
    rows, owners = rng.permutation(2 * users)[:users], np.arange(users)
    asked = scores, rows, owners, rng.integers(0, 9, users), rng.choice([-np.inf, n / 2], users), admission
    for own, other in zip(largest(*asked), selection.LIBRARIES[name][largest](*asked), strict=True):
        np.testing.assert_array_equal(own, other)


@given(seeds, st.integers(1, 40), st.integers(1, 12))
def test_one_way_of_numpy_has_ties_as_own_code_has_them(seed: int, n: int, k: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 3, (5, n)).astype(np.float32)
    own, other = top_k(scores, k), selection.LIBRARIES[selection.IN_ORDER][top_k](scores, k)
    np.testing.assert_array_equal(own[0], other[0])


def _booster() -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2_000, 5)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    data = lightgbm.Dataset(features, np.nan_to_num(features).sum(1), params={"verbose": -1})
    return lightgbm.train({"num_leaves": 8, "verbose": -1, "num_threads": 1}, data, 20), features


def test_lightgbm_scores_as_own_trees_do() -> None:
    booster, features = _booster()
    for trees in (None, 7):
        found = forest.Made(forest.by_lightgbm).of(booster, booster, trees=trees).scores(features)
        np.testing.assert_allclose(found, Forest.of(booster, booster, trees=trees).scores(features), rtol=1e-12)


@needs_libraries
@pytest.mark.slow
def test_compiled_trees_score_as_own_trees_do(tmp_path: Path) -> None:
    booster, features = _booster()
    python = environment(say=print)
    for maker in (partial(forest.by_lleaves, tmp_path, python), partial(forest.by_tl2cgen, tmp_path)):
        found = forest.Made(maker).of(booster).scores(np.asfortranarray(features))
        np.testing.assert_allclose(found, Forest.of(booster).scores(features), rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in ward.LIBRARIES if "fastcluster" not in name or ready(FOLDER)])
def test_groups_by_libraries_are_own_ones(name: str) -> None:
    environment(say=print) if "fastcluster" in name else None
    rng = np.random.default_rng(3)
    offsets = np.cumsum([0, 0, 1, 2, 40, 9])
    vectors = rng.normal(size=(offsets[-1], 12)).astype(np.float32)
    own, found = ward_groups(vectors, offsets, 4.0), ward.LIBRARIES[name][ward_groups](vectors, offsets, 4.0)
    for start, end in zip(offsets[:-1], offsets[1:], strict=True):
        assert adjusted_rand_score(own[start:end], found[start:end]) == 1
        assert sorted(set(found[start:end])) == list(range(len(set(own[start:end]))))
    assert 1 < own.max() < 39


@pytest.mark.parametrize("name", [name for name in hierarchy.LIBRARIES if "fastcluster" not in name or ready(FOLDER)])
def test_trees_by_libraries_are_own_ones_where_all_weigh_the_same(name: str) -> None:
    environment(say=print) if "fastcluster" in name else None
    vectors, weights = np.random.default_rng(4).normal(size=(60, 8)).astype(np.float32), np.ones(60)
    merges = hierarchy.LIBRARIES[name][merge](vectors, weights)
    for n_groups in (1, 2, 7, 30, 60):
        assert adjusted_rand_score(cut(merges, n_groups), cut(merge(vectors, weights), n_groups)) == 1
    assert not len(hierarchy.LIBRARIES[name][merge](vectors[:1], weights[:1]))


@pytest.mark.parametrize("name", [name for name in sparse_products.LIBRARIES if "topn" not in name or ready(FOLDER)])
def test_products_by_libraries_are_own_ones(name: str) -> None:
    environment(say=print) if "topn" in name else None
    library, rng = sparse_products.LIBRARIES[name], np.random.default_rng(5)
    left = sparse.random(30, 40, 0.3, "csr", np.float32, rng=rng)
    rows, dense = CsrParts(left.indptr, left.indices, left.data), rng.random((40, 6)).astype(np.float32)
    for given_left in (left, rows):
        np.testing.assert_allclose(
            library[dense_product](given_left, left.T.tocsr()), dense_product(left, left.T.tocsr()), rtol=1e-5
        )
        np.testing.assert_allclose(library[sums_of_rows](given_left, dense), sums_of_rows(left, dense), rtol=1e-5)
    norms = np.sqrt(np.asarray(left.multiply(left).sum(1)).ravel())
    own, found = (
        function(left, left.T.tocsr(), norms, shrink=2.0, most=5) for function in (top_products, library[top_products])
    )
    np.testing.assert_allclose(found.toarray(), own.toarray(), rtol=1e-5)


@pytest.mark.parametrize("name", sorted(threads.LIBRARIES))
def test_parts_by_libraries_come_in_order(name: str) -> None:
    found = threads.LIBRARIES[name][side_by_side](lambda part: part**2, range(50))
    assert list(found) == [part**2 for part in range(50)]


def test_a_library_stands_in_wherever_own_code_is_held_and_no_longer() -> None:
    def other() -> None: ...

    held = candidates.largest
    with swapped({largest: other, ward_groups: other}):
        assert candidates.largest is other
        assert GROUPINGS["ward"] is other
    assert candidates.largest is held is largest
    assert GROUPINGS["ward"] is ward_groups


def test_calls_are_recorded_and_made_again_by_each_library() -> None:
    scores = np.array([3.0, 1.0, 2.0])
    calls = recorded([top_of_groups], lambda: candidates.top_of_groups(scores, np.array([0, 3]), k=2))
    assert [(each.function, each.named) for each in calls] == [(top_of_groups, {"k": 2})]
    ways = replays(calls, {"first": {top_of_groups: lambda scores, starts, k: scores[:k]}})
    assert ways[OWN]()[0].tolist() == [[0, 2]]
    assert ways["first"]()[0].tolist() == [3.0, 1.0]


def test_turns_alternate_and_tell_how_many_times_as_long_a_library_took(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    now = [0.0]

    def way(name: str, seconds: float) -> None:
        ran.append(name)
        now[0] += seconds * (1 + len(ran))  # a machine that gets ever busier

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    ways = {OWN: partial(way, "own", 1), "a": partial(way, "a", 3), "b": partial(way, "b", 5)}
    found = race("sleep", "Sleeping", 1, ways, 40, whole=True)
    assert ran == ["own", "a", "b"] + 20 * ["own", "a", "b", "b", "a", "own"]
    assert np.median(found.ratios("a")) == pytest.approx(3, rel=0.02)
    assert np.median(found.ratios("b")) == pytest.approx(5, rel=0.02)


def _raced(own: list[float], a: list[float], b: list[float], *, whole: bool = True) -> Race:
    seconds = {name: np.array(each) for name, each in {OWN: own, "a": a, "b": b}.items()}
    return Race("x-batch", "A batch", 10, seconds, seconds, whole, "c: does not install")


def test_evidence_names_the_fastest_library_and_how_far_turns_lie_apart() -> None:
    row = _raced([1, 2, 1], [2, 5, 3], [9, 9, 9]).row()
    assert (row.id, row.value, row.low, row.high) == ("kernel-x-batch", 2.5, 1.0, 2.0)
    assert (row.reference, row.reference_name, row.excluded) == (1.0, "a", "c: does not install")
    assert not row.inconclusive
    assert _raced([1, 2, 1], [2, 1, 3], [9, 9, 9]).row().inconclusive
    assert "| x-batch | b | 9000 | 9.00 | 4.50 … 9.00 | 9.00 |" in as_markdown([_raced([1, 2, 1], [2, 5, 3], [9] * 3)])


def test_own_code_stays_for_whole_calls_alone() -> None:
    slow, fast = _raced([1, 1], [1.4, 1.4], [9, 9]), _raced([1, 1], [8, 8], [9, 9], whole=False)
    assert verdict([slow, fast]).startswith("is not faster enough: a 1.40 ×")
    assert verdict([_raced([1, 1], [1.6, 1.6], [9, 9])]).startswith("stays: a 1.60 ×")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = made.workspace(tmp_path_factory.mktemp("made") / "small", ROOT / "params.yaml", items=1_500, users=40)
    return Ground("1,500 made items", "-small", folder)


@needs_libraries
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RACES))
def test_every_race_ends_with_a_row_for_each_call_batch_and_stage(ground: Ground, name: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in ground.folder.rglob("*")}
    rows = [each.row() for each in RACES[name](ground, 1)]
    assert {path: path.stat().st_mtime_ns for path in ground.folder.rglob("*")} == before, "a ground stays as it is"
    assert all(row.value > 0 and row.id.endswith("-small") for row in rows)
    assert any(row.id.startswith(f"kernel-{name}-") for row in rows)


@pytest.mark.slow
def test_what_is_pinned_is_what_the_environment_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.kernels import environment as module

    pinned = tmp_path / "requirements.txt"
    monkeypatch.setattr(module, "REQUIREMENTS", pinned)
    pinned.write_text("")
    environment(tmp_path / "env", say=print)
    assert ready(tmp_path / "env")
    pinned.write_text("# another")
    assert not ready(tmp_path / "env")
