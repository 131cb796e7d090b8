"""A little exploration: now and then a place goes to an item further down that few have chosen, to learn of it.

With the propensity of each item at its place, the effect of showing it can be estimated (inverse propensity scoring).
"""

from hashlib import blake2b
from typing import Final

import numpy as np

from strata.ranking.settings import ExploreSettings

FIRST: Final = 1
"""Places at the top that are never given away."""


def explored(
    listed: np.ndarray, stop: int, settings: ExploreSettings, chosen_by: np.ndarray, seed: str
) -> tuple[np.ndarray, np.ndarray]:
    """A list of item rows (n,), best first, in which places below `stop` may have changed, and the propensities (n,).

    Each explored place swaps with one of those after it, drawn with the weight 1 / √(1 + choosers): the fewer chose an
    item, the less is known of it. A place depends on those before it and on `seed`, not on how many are shown.
    `chosen_by` (n_items,).
    """
    listed, propensity = listed.copy(), np.ones(len(listed))
    if not settings.share:
        return listed, propensity
    digest = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    luck = rng.random((stop, 2))
    for place in range(FIRST, min(stop, len(listed) - 1)):
        pool = slice(place + 1, place + 1 + settings.among)
        if luck[place, 0] >= settings.share:
            propensity[place] = 1 - settings.share
            continue
        weights = 1 / np.sqrt(1.0 + chosen_by[listed[pool]])
        weights /= weights.sum()
        drawn = min(int(np.searchsorted(np.cumsum(weights), luck[place, 1])), len(weights) - 1)
        propensity[place] = settings.share * weights[drawn]
        other = place + 1 + drawn
        listed[place], listed[other] = listed[other], listed[place]
    return listed, propensity
