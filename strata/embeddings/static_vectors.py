"""Texts as means of static word vectors: the language model's own table of tokens, without reading them in context."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from strata.embeddings.encoder import Encoder
from strata.embeddings.vectors import unit

FREQUENT: Final = 1e-3
"""Share of all tokens at which a token counts half: a of Arora et al."""


def static_vectors(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """Unit vectors (n, d) of texts: smooth inverse frequency (Arora, Liang and Ma 2017).

    Each token of a text, special ones left out, counts a / (a + its share of all tokens of the texts); of the means
    the direction that they have in common, their first singular vector, is taken away. No token: a zero vector.
    """
    special = set(encoder.model.tokenizer.all_special_ids)
    lines = [[token for token in line if token not in special] for line in encoder.tokens(texts)]
    counts = Counter(chain.from_iterable(lines))
    total = max(sum(counts.values()), 1)
    table = _token_vectors(encoder)
    means = np.zeros((len(lines), table.shape[1]), np.float32)
    for row, line in enumerate(lines):
        if line:
            weights = np.array([FREQUENT / (FREQUENT + counts[token] / total) for token in line], np.float32)
            means[row] = weights @ table[line] / len(line)
    if len(means):
        common = np.linalg.svd(means.T @ means, hermitian=True)[0][:, 0]
        means -= np.outer(means @ common, common)
    return unit(means)


def _token_vectors(encoder: Encoder) -> np.ndarray:
    """The model's input vector of every token: (n_tokens, d)."""
    body: Any = encoder.model[0]
    return np.asarray(body.model.get_input_embeddings().weight.detach().float().cpu().numpy())
