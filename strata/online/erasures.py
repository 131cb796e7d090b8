"""Forgotten users: known by a keyed hash alone, so that nothing that is kept names them."""

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np

BYTES: Final = 16


def erased(user_id: str, journal: str) -> str:
    """What stands for a forgotten user: BLAKE2b of the id, keyed by the journal's name, in hexadecimal digits."""
    return blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=BYTES, key=journal.encode()[:64]).hexdigest()


def forgotten(user_ids: Sequence[str], hashes: Collection[str], journal: str) -> np.ndarray:
    """Which of some users (n,) are among the forgotten: bool (n,)."""
    if not hashes:
        return np.zeros(len(user_ids), bool)
    return np.array([erased(user_id, journal) in hashes for user_id in user_ids], bool)
