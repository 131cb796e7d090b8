"""Ablation: profiles know what came before and no more, all kinds of them see the same users and choices."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.evidence.profiles_before import HALF_LIVES, VARIANTS, Before
from strata.data.history import DAY
from tests.benchmarks.test_evidence_context import small_context

CONTEXT = small_context()
TIMES = CONTEXT.history.times
MIDDLE, END = (float(np.quantile(TIMES, share)) for share in (0.6, 0.9))


@pytest.fixture(scope="module", params=[True, False])
def before(request: pytest.FixtureRequest) -> Before:
    found = Before.at(CONTEXT, MIDDLE, END, repeats=request.param)
    assert len(found.users) > 3
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_known_of_what_comes_after(before: Before, variant: str) -> None:
    past = CONTEXT.history.before(MIDDLE)
    known = replace(before, context=replace(CONTEXT, history=past), past=past)
    everybody = slice(0, len(before.users))
    assert np.array_equal(known.of_topics(variant), before.of_topics(variant))
    assert np.array_equal(known.own(everybody), before.own(everybody))
    assert (before.past.times < MIDDLE).all()
    assert before.of_topics(variant).shape[:2] == before.wanted.shape == (len(before.users), before.n_topics)


def test_wants_and_choices_are_the_same_events(before: Before) -> None:
    assert before.wanted.sum() == before.relevant.sum() > 0
    user = 0
    topics = before.topics[before.items[before.relevant[user].indices]]
    assert np.array_equal(before.wanted[user], np.bincount(topics, minlength=before.n_topics))


def test_own_history_counts_what_was_chosen_or_forbids_it(before: Before) -> None:
    user = int(before.users[0])
    mine = before.past.items[before.past.of(user)]
    own, seen = before.own(slice(0, 1))[0], np.isin(before.items, mine)
    if not before.repeats:
        assert np.isneginf(own[seen, 0]).all()
        assert np.isfinite(own[~seen, 0]).all()
        return
    ever = HALF_LIVES.index(1e9)
    assert own[:, ever] == pytest.approx([np.sum(mine == item) for item in before.items], abs=1e-3)
    latest = before.past.times[before.past.of(user)][-1]
    assert own[:, -1].min() == pytest.approx((MIDDLE - latest) / DAY, abs=1e-3) or not seen.any()
