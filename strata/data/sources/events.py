"""Ids of interactions from what they say: equal rows, equal ids."""

import base64
import hashlib

import numpy as np
import polars as pl

from strata.data.schema import BEHAVIOUR, EVENT, ITEM, TEXT, TIMESTAMP, USER, VALUE


def event_ids(rows: pl.DataFrame) -> pl.Series:
    """An id for each interaction from its user, item, behaviour, time, value and text: equal rows, equal ids.

    72 bits of BLAKE2b as twelve URL-safe characters.
    """
    bits = pl.Series(VALUE, rows[VALUE].to_numpy().astype(np.float64).view(np.int64))  # exact, however floats print
    value = pl.when(pl.col(VALUE).is_not_null()).then(bits.cast(pl.String))
    time = pl.col(TIMESTAMP).dt.epoch("us").cast(pl.String)
    parts = [pl.col(USER), pl.col(ITEM), pl.col(BEHAVIOUR), time, value, pl.col(TEXT)]
    keys = rows.select(pl.concat_str([part.fill_null("\0") for part in parts], separator="\x1f")).to_series()
    slices = (keys.slice(start, 1_000_000) for start in range(0, max(len(keys), 1), 1_000_000))
    return pl.concat([pl.Series(EVENT, [_digest(key) for key in part], pl.String) for part in slices])


def _digest(key: str) -> str:
    return base64.urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=9).digest()).decode()
