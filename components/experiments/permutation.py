"""A permutation test of the similarity of texts: within one part of them, and within the other part or between both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Similarity = Callable[[str, str], float]
Floats = NDArray[np.float64]


def same(first: str, second: str) -> float:
    """1 for equal texts, else 0."""
    return float(first == second)


def similarity_matrix(texts: Sequence[str], similarity: Similarity) -> Floats:
    """The similarity of each two texts, as a symmetric matrix. Its diagonal is 0: a text forms no pair with itself."""
    matrix = np.zeros((len(texts), len(texts)))
    for (row, first), (column, second) in combinations(enumerate(texts), 2):
        matrix[row, column] = matrix[column, row] = similarity(first, second)
    return matrix


def permuted(
    matrix: Floats, count: int, resamples: int, rng: np.random.Generator, *, between: bool
) -> tuple[Floats, Floats]:
    """The similarity within the first ``count`` texts and the other one, and their differences when they are shuffled.

    ``between``: the first is the mean of that within each part, and the other one is between them (the energy
    distance; also of parts of different size, it finds texts that become more similarity). Without it, the other one is
    within the other part. Each part has at least two texts.
    """
    others = len(matrix) - count
    pairs_first, pairs_other = count * (count - 1), others * (others - 1)

    def parts(first: Floats) -> tuple[Floats, Floats]:
        # Each row of ``first`` has 1 for the texts of the first part; the diagonal adds nothing.
        other = 1 - first
        within_first = ((first @ matrix) * first).sum(axis=1) / pairs_first
        within_other = ((other @ matrix) * other).sum(axis=1) / pairs_other
        if not between:
            return within_first, within_other
        across = ((first @ matrix) * other).sum(axis=1)
        return (within_first + within_other) / 2, across / (count * others)

    membership = np.zeros((1, len(matrix)))
    membership[0, :count] = 1
    observed = parts(membership)
    shuffled = parts(rng.permuted(np.repeat(membership, resamples, axis=0), axis=1))
    return np.array([observed[0][0], observed[1][0]]), shuffled[0] - shuffled[1]
