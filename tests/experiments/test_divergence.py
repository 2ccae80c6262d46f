"""The tree of answers: each answer is a path, and shared text occurs once."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.divergence import Branch, divergence, first_difference, token_at

TEXTS = st.text("ab é😀", max_size=8)
ANSWERS = st.lists(TEXTS, max_size=8).map(lambda texts: {f"answer {n}": text for n, text in enumerate(texts)})


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ("", "", None),
        ("same", "same", None),
        ("abc", "abd", 2),
        ("abc", "xbc", 0),
        ("ab", "abc", 2),
        ("", "a", 0),
        ("😀é漢x", "😀é漢y", 3),
    ],
)
def test_the_first_difference_is_a_zero_based_character_index(one: str, other: str, place: int | None) -> None:
    assert first_difference(one, other) == place
    assert first_difference(other, one) == place


@given(TEXTS, TEXTS)
def test_texts_are_equal_before_their_first_difference_only(one: str, other: str) -> None:
    place = first_difference(one, other)
    if place is None:
        assert one == other
    else:
        assert one[:place] == other[:place]
        assert one[place : place + 1] != other[place : place + 1]


def test_answers_branch_at_their_first_difference() -> None:
    tree = divergence({"1": "The sky is blue.", "2": "The sea is blue.", "3": "The sky is grey."})
    sky = Branch(("1", "3"), 5, "ky is ", (Branch(("1",), 11, "blue."), Branch(("3",), 11, "grey.")))
    assert tree == Branch(("1", "2", "3"), 0, "The s", (sky, Branch(("2",), 5, "ea is blue.")))


def test_identical_answers_end_in_one_leaf() -> None:
    assert divergence({"1": "yes", "2": "no", "3": "yes"}).branches == (
        Branch(("1", "3"), 0, "yes"),
        Branch(("2",), 0, "no"),
    )


def test_answers_that_are_all_identical_are_one_leaf() -> None:
    assert divergence({"1": "yes", "2": "yes"}) == Branch(("1", "2"), 0, "yes")


def test_an_answer_that_ends_where_others_continue_is_a_leaf_without_text() -> None:
    assert divergence({"1": "yes, indeed", "2": "yes"}) == Branch(
        ("1", "2"), 0, "yes", (Branch(("1",), 3, ", indeed"), Branch(("2",), 3, ""))
    )


def test_no_answers_are_an_empty_leaf() -> None:
    assert divergence({}) == Branch((), 0, "")


def test_long_answers_do_not_make_a_deep_tree() -> None:
    tree = divergence({"1": "a" * 50_000 + "b", "2": "a" * 50_000 + "c"})
    assert [branch.begins_at for branch in tree.branches] == [50_000, 50_000]


def test_nested_prefixes_are_no_deeper_than_their_number() -> None:
    tree = divergence({str(n): "a" * n for n in range(300)})
    assert max(len(path) for path in paths(tree)) == 300


def paths(branch: Branch) -> Iterator[list[Branch]]:
    """Every path from a branch to a leaf."""
    if not branch.branches:
        yield [branch]
    for following in branch.branches:
        yield from ([branch, *path] for path in paths(following))


@given(ANSWERS)
def test_each_answer_is_the_text_along_its_path(answers: dict[str, str]) -> None:
    found = {}
    for path in paths(divergence(answers)):
        text = ""
        for branch in path:
            assert branch.begins_at == len(text)
            text += branch.text
        found.update(dict.fromkeys(path[-1].names, text))
    assert found == answers


@given(ANSWERS)
def test_branches_begin_with_different_characters_and_divide_the_names(answers: dict[str, str]) -> None:
    order = list(answers)
    for path in paths(divergence(answers)):
        for branch in path:
            assert list(branch.names) == sorted(branch.names, key=order.index)
            if branch.branches:
                first_characters = [following.text[:1] for following in branch.branches]
                assert len(set(first_characters)) == len(first_characters) > 1
                assert sorted(name for following in branch.branches for name in following.names) == sorted(branch.names)


@pytest.mark.parametrize(
    ("tokens", "character", "number"),
    [
        (["The", " sky"], 0, 1),
        (["The", " sky"], 2, 1),
        (["The", " sky"], 3, 2),
        (["The", " sky"], 7, None),
        (["", "The", "", " sky"], 0, 2),
        (["", "The", "", " sky"], 3, 4),
        ([], 0, None),
    ],
)
def test_tokens_are_counted_from_1_and_empty_ones_contain_no_character(
    tokens: list[str], character: int, number: int | None
) -> None:
    assert token_at(tokens, character) == number


@given(st.lists(TEXTS, max_size=6), st.integers(0, 50))
def test_the_found_token_contains_the_character(tokens: list[str], character: int) -> None:
    number = token_at(tokens, character)
    if number is None:
        assert character >= len("".join(tokens))
    else:
        begin = len("".join(tokens[: number - 1]))
        assert begin <= character < begin + len(tokens[number - 1])
