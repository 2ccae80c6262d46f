"""The similarity of two texts."""

from __future__ import annotations

from rapidfuzz.distance import Indel

_LONGEST_COMPARED = 20_000
"""Characters of an answer. The time is quadratic: two answers of this length take 10 ms."""


def similarity(first: str, second: str) -> float:
    """The similarity of two texts, from 0 to 1: the share of characters common to both in the same order.

    It is twice the length of the longest common subsequence over the length of both texts, and 1 for two empty ones.
    Of longer texts the first 20,000 characters are compared.
    """
    return Indel.normalized_similarity(first[:_LONGEST_COMPARED], second[:_LONGEST_COMPARED])
