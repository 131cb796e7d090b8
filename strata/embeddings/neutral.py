"""Takes out of vectors what tells languages apart, so that a text lies near what means the same in another language.

A multilingual model puts each language in a corner of its own: to a Chinese text every Chinese item is nearer than the
English one it speaks of. The directions between the languages' means hold most of that and little sense (Yang et al.
2021, arXiv 2109.04727).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from strata.embeddings.encoder import Encoder

FEWEST, LEAST_SHARE = 20, 0.05
"""Items, and share of those whose language is known, from which a language counts: fewer may be errors of detection."""
SAMPLE: Final = 1_000
"""Items of a language, at most, that its mean is taken of."""


def spoken(languages: pl.Series) -> list[str]:
    """The languages (ISO 639; null: unknown) that enough of the items are in, by code; none where it is one alone."""
    known = languages.drop_nulls()
    counts = known.value_counts().filter((pl.col("count") >= FEWEST) & (pl.col("count") >= LEAST_SHARE * len(known)))
    found = sorted(counts[counts.columns[0]].to_list())
    return found if len(found) > 1 else []


def directions(means: np.ndarray) -> np.ndarray:
    """Orthonormal directions (at most n − 1, d) between the means (n, d) of n languages."""
    _, size, axes = np.linalg.svd(means - means.mean(0), full_matrices=False)
    return np.asarray(axes[size > 1e-6][: len(means) - 1], np.float32)


def bring_together(encoder: Encoder, texts: Sequence[str], languages: pl.Series) -> list[str]:
    """Have `encoder` leave out, from now on and once saved, what tells the languages of the items' texts apart.

    `texts`, `languages` (n_items,). Returns these languages; the encoder of a catalogue in one stays as it is.
    """
    found = spoken(languages)
    if found:
        rng = np.random.default_rng(0)
        written = languages.to_numpy()
        rows = [rng.permutation(np.flatnonzero(written == language))[:SAMPLE] for language in found]
        means = [encoder.encode([texts[row] for row in of_language]).mean(0) for of_language in rows]
        encoder.leave_out(directions(np.stack(means)))
    return found
