"""Unique names of groups and points, each made of a few phrases."""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from scipy import sparse

from strata.interests.phrases import Phrases


def distinct_names(
    phrases: list[list[str]], taken: set[str] | None = None, *, length: int = 2
) -> list[tuple[str, list[str]]]:
    """A unique name of `length` phrases for each list; if taken, of other phrases, then of more, then with a number."""
    taken = set(taken or ())
    named = []
    for found in phrases:
        name = next((option for option in _options(found, length) if option not in taken), None)
        number = 2
        while name is None:
            numbered = f"{next(_options(found, length))} ({number})"
            name = numbered if numbered not in taken else None
            number += 1
        taken.add(name)
        named.append((name, found))
    return named


def _options(phrases: list[str], length: int) -> Iterator[str]:
    """Names that these phrases can make, the best first."""
    found = phrases or ["Unnamed"]
    for count in range(min(length, len(found)), len(found) + 1):
        for chosen in combinations(found, count):
            name = " · ".join(chosen)
            first = name.split(maxsplit=1)[0]
            yield name[0].upper() + name[1:] if first.islower() else name


def name_points(
    membership: sparse.csr_matrix, owners: np.ndarray, phrases: Phrases, topics: list[list[str]]
) -> list[tuple[str, list[str]]]:
    """A name and key phrases for each of P points, from its own items or, where they share none, from its topic.

    `membership` (P, n_items): weights of each point's items; `owners` (P,): row of each point's user, ascending. No
    two points of one user share a name. `topics`: key phrases of each point's topic.
    """
    found = phrases.of_groups(membership, n=5, least_share=0.3)
    found = [own or general for own, general in zip(found, topics, strict=True)]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    named: list[tuple[str, list[str]]] = []
    for start, end in pairwise([*starts, len(owners)]):
        named.extend(distinct_names(found[start:end], length=3))
    return named
