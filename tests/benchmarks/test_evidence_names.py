"""Names: what names a point is never what it is tested on, and words of a category find it."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import names
from benchmarks.evidence.context import Context
from benchmarks.evidence.names import FEWEST, Members, categories_of, halved, members_of
from strata.embeddings.encoder import Encoder, EncoderSettings
from tests.benchmarks.test_evidence_context import GROUPS, NOW, ROOT, small_context
from tests.strategies import text_space

CONTEXT = small_context()


@st.composite
def members(draw: st.DrawFn) -> Members:
    """Up to 5 users with up to 4 points of 4 to 9 items."""
    sizes = draw(st.lists(st.lists(st.integers(FEWEST, 9), min_size=1, max_size=4), min_size=1, max_size=5))
    owners = np.repeat(np.arange(len(sizes)), list(map(len, sizes)))
    point = np.repeat(np.arange(len(owners)), np.concatenate(sizes))
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    return halved(owners, point, np.arange(len(point)), rng)


@given(members())
def test_half_is_shown_and_the_other_half_is_what_is_asked_for(found: Members) -> None:
    size = np.bincount(found.point)
    assert (np.bincount(found.point, found.shown) == size // 2).all()
    of_item = dict(zip(found.item, found.point, strict=True))
    shown = set(found.item[found.shown])
    for point, (held, odd) in enumerate(zip(found.held, found.odd, strict=True)):
        assert of_item[held] == point
        assert held not in shown
        alone = (found.owners == found.owners[point]).sum() == 1
        assert (odd < 0) == alone
        if not alone:
            assert of_item[odd] != point
            assert found.owners[of_item[odd]] == found.owners[point]
    drawn = [found.owners[of_item[item]] for item in found.drawn]
    assert drawn == found.owners[found.point].tolist()


def test_points_of_too_few_items_are_left_out() -> None:
    found = members_of(CONTEXT, NOW)
    assert np.bincount(found.point).min() >= FEWEST
    pairs = np.stack([found.point, found.item])
    assert np.unique(pairs, axis=1).shape == pairs.shape
    assert (np.diff(found.owners) >= 0).all()


def test_a_name_finds_its_category_but_not_by_the_points_own_items() -> None:
    titles, groups = np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2]], np.array([0, 0, 1, 1, 2])
    one = Members(np.array([0]), np.array([0, 0]), np.array([2, 4]), *(np.zeros(2, int),) * 4)
    assert categories_of(titles[:1], titles, groups, one).tolist() == [0]
    assert categories_of(titles[2:3], titles, groups, one).tolist() == [1], "item 3 is of the category too"
    name = titles[4:] + 0.1 * titles[:1]
    assert categories_of(name, titles, groups, one).tolist() == [0], "nothing but the point's own item is of category 2"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """The small context with a language model."""
    folder = tmp_path_factory.mktemp("workspace")
    encoder, context = Encoder.load("all-minilm-l6-v2", EncoderSettings()), small_context(folder=folder)
    encoder.save(folder / "artifacts" / "encoder")
    space = text_space(encoder.encode(context.catalogue.titles))
    space.write(folder / "artifacts" / "models" / "backtest" / "space")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    return context


def test_names_find_categories_that_names_of_other_items_do_not(workspace: Context) -> None:
    rows = {row.id: row for row in names.rows(workspace)}
    assert set(rows) == {
        "names-category", "names-category-random", "names-category-majority", "names-odd-one-out",
    }  # fmt: skip
    ours = rows["names-category"]
    assert ours.value > 0.8
    assert ours.low > 0.4
    assert ours.reference == max(rows["names-category-random"].value, rows["names-category-majority"].value)
    assert rows["names-odd-one-out"].value > 0.9
    sums = ours.per_user.sum()
    assert ours.value == pytest.approx((sums["name"] / sums["cases"]).item())


def test_items_without_categories_have_nothing_to_find() -> None:
    bare = replace(CONTEXT.catalogue, items=CONTEXT.catalogue.items.with_columns(categories=[]))
    context = replace(CONTEXT, catalogue=bare)
    assert context.groups.tolist() == [-1] * len(GROUPS)
    assert names.rows(context) == []
