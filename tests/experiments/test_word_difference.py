"""Word diffs: both texts are complete, and common words are found."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.word_difference import Kind, Piece, changed_share, word_differences

TEXTS = st.lists(st.sampled_from(["a", "bb", "c_1", " ", "\n", "  ", ".", "-", "é", "漢", "😀"]), max_size=30).map(
    "".join
)


def joined(pieces: list[Piece], *kinds: Kind) -> str:
    return "".join(piece.text for piece in pieces if piece.kind in kinds)


def marked(before: str, after: str) -> str:
    signs = {Kind.SAME: "{}", Kind.ADDED: "[+{}]", Kind.REMOVED: "[-{}]"}
    return "".join(signs[piece.kind].format(piece.text) for piece in word_differences(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("the red fox", "the grey fox", "the [-red][+grey] fox"),
        ("the fox", "the old fox", "the [+old ]fox"),
        ("the old fox", "the fox", "the [-old ]fox"),
        ("Yes.", "Yes!", "Yes[-.][+!]"),
        ("a  b", "a\nb", "a[-  ][+\n]b"),
        ("cats", "cat", "[-cats][+cat]"),
        ("a?!", "a!", "a[-?]!"),
        ("", "new", "[+new]"),
        ("old", "", "[-old]"),
        ("", "", ""),
    ],
)
def test_words_stay_whole_and_removals_come_first(before: str, after: str, expected: str) -> None:
    assert marked(before, after) == expected


@given(st.one_of(st.text(), TEXTS), st.one_of(st.text(), TEXTS))
def test_the_pieces_contain_both_texts_exactly(before: str, after: str) -> None:
    pieces = word_differences(before, after)
    assert joined(pieces, Kind.SAME, Kind.REMOVED) == before
    assert joined(pieces, Kind.SAME, Kind.ADDED) == after
    assert all(piece.text for piece in pieces)


@given(TEXTS, TEXTS)
def test_neighbours_differ_in_kind_and_nothing_is_added_right_before_a_removal(before: str, after: str) -> None:
    kinds = [piece.kind for piece in word_differences(before, after)]
    neighbours = list(pairwise(kinds))
    assert all(one is not other for one, other in neighbours)
    assert (Kind.ADDED, Kind.REMOVED) not in neighbours


@given(TEXTS)
def test_identical_texts_are_one_piece_at_most(text: str) -> None:
    assert word_differences(text, text) == ([Piece(Kind.SAME, text)] if text else [])


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [("", "", 0), ("a b", "a b!", 0), ("a b", "a c", 0.5), ("a", "b", 1), ("a b c", "", 1)],
)
def test_the_changed_share_counts_words_and_ignores_punctuation(before: str, after: str, share: float) -> None:
    assert changed_share(word_differences(before, after) or []) == share


def test_words_that_were_replaced_one_after_the_other_stay_together() -> None:
    assert word_differences("As the last rays fell", "As the sun dipped fell") == [
        Piece(Kind.SAME, "As the "),
        Piece(Kind.REMOVED, "last rays"),
        Piece(Kind.ADDED, "sun dipped"),
        Piece(Kind.SAME, " fell"),
    ]


@given(TEXTS, TEXTS)
def test_the_longest_common_subsequence_is_kept(before: str, after: str) -> None:
    # White space between changes goes with them.
    before, after = (re.sub(r"\s", ".", text) for text in (before, after))
    stayed = [piece.text for piece in word_differences(before, after) if piece.kind is Kind.SAME]
    assert sum(map(len, map(words, stayed))) == longest_common(words(before), words(after))


def words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def longest_common(one: list[str], other: list[str]) -> int:
    """The textbook table of common subsequences."""
    row = [0] * (len(other) + 1)
    for word in one:
        above = row.copy()
        for place, candidate in enumerate(other):
            row[place + 1] = above[place] + 1 if word == candidate else max(above[place + 1], row[place])
    return row[-1]


def test_eight_thousand_words_are_compared_within_the_limit_of_one_test() -> None:
    before = " ".join(f"word{number}" for number in range(8_000))
    after = " ".join(f"word{number if number % 7 else -number}" for number in range(8_000))
    removed = [piece for piece in word_differences(before, after) if piece.kind is Kind.REMOVED]
    assert len(removed) == 1_142


def test_far_more_words_than_a_page_shows_are_not_compared() -> None:
    assert word_differences("a " * 10_000, "b") is not None
    assert word_differences("a " * 10_001, "b") is None
    assert word_differences("b", "." * 1_000_000) is None
