"""An index with more vectors finds what one that was built of all of them finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.vectors import unit
from strata.errors import ReleaseError
from strata.online.widened.index import WidenedIndex

D = 6
FLAT, GRAPH = IndexSettings(), IndexSettings(flat_up_to=1, search_breadth=256)


@pytest.mark.parametrize("kind", [FLAT, GRAPH], ids=["flat", "HNSW"])
@given(
    seed=st.integers(0, 999),
    n=st.integers(2, 60),
    more=st.integers(1, 9),
    k=st.integers(1, 30),
    again=st.integers(0, 3),
)
def test_it_finds_what_one_of_all_vectors_finds(
    kind: IndexSettings, seed: int, n: int, more: int, k: int, again: int
) -> None:
    rng = np.random.default_rng(seed)
    every = unit(rng.normal(size=(n + more, D)))
    wider: ItemIndex = ItemIndex.build(every[:n], kind)
    for first in range(n, n + more, 2):  # two at a time, and some of its own with other vectors
        rows = np.arange(first, min(first + 2, n + more))
        others = rng.choice(first, min(again, first), replace=False)
        every[others] = unit(rng.normal(size=(len(others), D)))
        rows = np.concatenate([others, rows])
        wider = WidenedIndex.of(wider, rows, every[rows], int(rows.max()) + 1)
    whole = ItemIndex.build(every, FLAT)
    asked = unit(rng.normal(size=(3, D)))
    allowed = rng.random(n + more) < rng.choice([0.2, 1.0])
    assert len(wider) == n + more
    assert wider.vectors(np.arange(n + more)) == pytest.approx(every)
    for mask in (None, allowed):
        expected = whole.search(asked, k, mask)
        rows, cosines = wider.search(asked, k, mask)
        assert np.array_equal(rows, expected[0])
        assert cosines[rows >= 0] == pytest.approx(expected[1][expected[0] >= 0], abs=1e-5)
    if kind is FLAT:
        assert wider.cosines(asked) == pytest.approx(whole.cosines(asked), abs=1e-6)
    else:
        assert wider.cosines(asked) is None


def test_a_vector_that_is_not_finite_is_refused() -> None:
    index = ItemIndex.build(unit(np.ones((2, D))), FLAT)
    with pytest.raises(ReleaseError, match="not finite"):
        WidenedIndex.of(index, np.array([2]), np.full((1, D), np.nan), 3)
