"""Whether topics are what people pursue together: how much likelier two choices of a user share one."""

from typing import Final

import numpy as np
from scipy import sparse

from strata.data.history import DAY, History

WEEK: Final = 7 * DAY


def pair_shares(later: History, topics: np.ndarray) -> np.ndarray:
    """Chance that two of a user's choices share a topic, and that one shares it with others' of the same week.

    (n_users, 2); zeros for users with fewer than two choices. For each pair of choices the second is once the user's
    own, and once any other user's of its week, the first item apart: two choices of a user are never the same item.
    """
    week, topic = ((later.times - later.times.min(initial=0)) // WEEK).astype(np.int64), topics[later.items]
    n_weeks, n_topics = int(week.max(initial=0)) + 1, int(topics.max(initial=0)) + 1
    ones = np.ones(len(later))
    by_topic = sparse.csr_matrix((ones, (week, topic)), (n_weeks, n_topics)).toarray()
    by_item = sparse.csc_matrix((ones, (week, later.items)), (n_weeks, later.n_items))
    found = np.zeros((later.n_users, 2))
    for user in later.active_users():
        own = later.of(user)
        n = own.stop - own.start
        if n < 2:
            continue
        mine = np.zeros((n_weeks, n_topics))
        np.add.at(mine, (week[own], topic[own]), 1)
        others = by_topic - mine
        of_week = np.broadcast_to(mine.sum(1), (n, n_weeks)).copy()
        of_week[np.arange(n), week[own]] -= 1  # of the user's other choices, how many in each week
        same = by_item[:, later.items[own]].toarray().T
        same[np.arange(n), week[own]] -= 1  # others' choices of the very item
        chance = (others[:, topic[own]].T - same) / np.maximum(others.sum(1) - same, 1)
        shared = (mine.sum(0) * (mine.sum(0) - 1)).sum()
        found[user] = shared / (n * (n - 1)), (of_week * chance).sum() / (n * (n - 1))
    return found


def lift(sums: np.ndarray) -> np.ndarray:
    """The first of two sums (…, 2) over the second."""
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-12))
