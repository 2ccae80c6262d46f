"""A permutation test of how alike texts are: within one part of them, and within the other part or between both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Alike = Callable[[str, str], float]
Floats = NDArray[np.float64]


def same(one: str, other: str) -> float:
    """1 for equal texts, else 0."""
    return float(one == other)


def likeness_of(texts: Sequence[str], alike: Alike) -> Floats:
    """How alike each two texts are, as a symmetric matrix with zeros on its diagonal."""
    likeness = np.zeros((len(texts), len(texts)))
    for (row, one), (column, other) in combinations(enumerate(texts), 2):
        likeness[row, column] = likeness[column, row] = alike(one, other)
    return likeness


def permuted(
    likeness: Floats, count: int, resamples: int, rng: np.random.Generator, *, between: bool
) -> tuple[Floats, Floats]:
    """The likeness within the first ``count`` texts and the other one, and their differences when they are shuffled.

    ``between``: the first is the mean of that within each part, and the other one is between them (the energy
    distance; also of parts of different size, it finds texts that become more alike). Without it, the other one is
    within the other part. Each part has at least two texts.
    """
    others = len(likeness) - count
    pairs_first, pairs_other = count * (count - 1), others * (others - 1)

    def parts(first: Floats) -> tuple[Floats, Floats]:
        # Each row of ``first`` has 1 for the texts of the first part; the diagonal adds nothing.
        other = 1 - first
        within_first = ((first @ likeness) * first).sum(axis=1) / pairs_first
        within_other = ((other @ likeness) * other).sum(axis=1) / pairs_other
        if not between:
            return within_first, within_other
        across = ((first @ likeness) * other).sum(axis=1)
        return (within_first + within_other) / 2, across / (count * others)

    membership = np.zeros((1, len(likeness)))
    membership[0, :count] = 1
    observed = parts(membership)
    shuffled = parts(rng.permuted(np.repeat(membership, resamples, axis=0), axis=1))
    return np.array([observed[0][0], observed[1][0]]), shuffled[0] - shuffled[1]
