"""Fidelity: an item loses by the point it is near to, and every recommended item is counted as citing one or not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.evidence import explanation
from benchmarks.evidence.explanation import drops, without_each
from strata.data.history import DAY, History
from strata.ranking.weighted_sum import WeightedSum
from tests.benchmarks.test_evidence_context import CONTEXT
from tests.strategies import N_ITEMS, TIME, vectors
from tests.tiny_recommender import tiny_recommender, write_tiny_release


def history() -> History:
    """Eighty events of four users over the last 300 days."""
    rng = np.random.default_rng(5)
    users, items = rng.integers(4, size=80), rng.integers(N_ITEMS, size=80)
    times = TIME - rng.uniform(1, 300, 80) * DAY
    return History.from_columns(users, items, times, np.ones(80), n_users=4, n_items=N_ITEMS)


RECOMMENDER = tiny_recommender(history())


@pytest.mark.parametrize("user", sorted(RECOMMENDER.users))
def test_an_item_loses_most_by_the_point_that_gives_it_most(user: str) -> None:
    by_interests = replace(RECOMMENDER, ranker=WeightedSum({"interests": 1.0}))
    person = by_interests.user(user)
    own = person.profiles.of(person.row)
    points, table = person.profiles.vectors[own], person.profiles.table[own]
    item_ids = by_interests.catalogue.ids.tolist()
    lost = without_each(by_interests, person, item_ids)
    assert lost.shape == (len(points), N_ITEMS)
    assert lost.max() > 0
    given = np.sqrt(table["share"].to_numpy())[:, None] * (points @ vectors().T)
    best = given.sum(0).argmax()
    if len(points) > 1:
        assert lost[:, best].argmax() == given[:, best].argmax()


def test_every_recommended_item_is_counted() -> None:
    for user in RECOMMENDER.users:
        cited, other, n_cited, n_others = drops(RECOMMENDER, user)
        reasons = [each.reason for each in RECOMMENDER.recommend(user, explanation.LISTED)]
        assert n_cited == sum(reason is not None and reason.moved for reason in reasons)
        assert n_cited + n_others == len(reasons) > 0
        assert cited > other or not n_cited


def test_the_row_is_of_a_release_where_there_is_one(tmp_path: Path) -> None:
    said: list[str] = []
    context = replace(CONTEXT, folder=tmp_path, say=said.append)
    assert explanation.rows(context) == []
    assert "does not exist" in said[0]
    write_tiny_release(tmp_path / "artifacts", history())
    (row,) = explanation.rows(context)
    assert row.id == "explanation-fidelity"
    cited, other = row.per_user["cited"].sum(), row.per_user["other"].sum()
    assert cited > other
    assert row.value == pytest.approx(cited / other if other > 0 else 0)
    assert row.inconclusive, "four users are too few"
