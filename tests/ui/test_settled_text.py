from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.ui.answer.settled_text import SettledText

LINES = st.lists(
    st.sampled_from(
        ["", "words", "```", "```python", "````", "~~~", "    ```", "- item", "1. one", "  more", "# head", " "]
    )
)
CUTS = st.lists(st.integers(0, 200))


@given(LINES, CUTS, st.integers(0, 60))
def test_whatever_the_pieces_nothing_is_lost_and_settled_text_never_changes(
    lines: list[str], cuts: list[int], piece_size: int
) -> None:
    text = "\n".join(lines)
    view = SettledText(piece_size)
    before: list[str] = []
    for cut in sorted(min(cut, len(text)) for cut in [*cuts, len(text)]):
        view.update(text[:cut])
        assert "".join(view.pieces) + view.open_end == text[:cut]
        assert view.pieces[: len(before)] == before
        before = list(view.pieces)


@given(LINES, CUTS)
def test_how_the_text_arrives_does_not_matter(lines: list[str], cuts: list[int]) -> None:
    text = "\n".join(lines)
    whole, bit_by_bit = SettledText(0), SettledText(0)
    whole.update(text)
    for cut in sorted(min(cut, len(text)) for cut in [*cuts, len(text)]):
        bit_by_bit.update(text[:cut])
    assert (whole.pieces, whole.open_end) == (bit_by_bit.pieces, bit_by_bit.open_end)


def pieces_of(text: str, piece_size: int = 0) -> list[str]:
    view = SettledText(piece_size)
    view.update(text)
    return [*view.pieces, view.open_end]


def test_a_blank_line_in_a_code_block_settles_nothing() -> None:
    code = "```python\na = 1\n\nb = 2\n```\n\n"
    assert pieces_of("One.\n\n" + code[:-5]) == ["One.\n\n", code[:-5]]
    assert pieces_of("One.\n\n" + code + "Two\n") == ["One.\n\n", code, "Two\n"]


def test_a_longer_fence_is_closed_only_by_one_as_long() -> None:
    code = "````\n```\n\nstill code\n````\n\n"
    assert pieces_of(code + "out\n") == [code, "out\n"]


def test_a_list_stays_whole_with_all_that_stands_in_it() -> None:
    steps = "1. Step\n\n    Detail with **bold**.\n\n    ```sh\n    ls\n\n    pwd\n    ```\n\n2. Next\n\n- other\n\n"
    assert pieces_of("Do this:\n\n" + steps + "Done.\n") == ["Do this:\n\n" + steps, "Done.\n"]


def test_a_line_that_is_not_finished_settles_nothing() -> None:
    assert pieces_of("One.\n\nTwo") == ["One.\n\nTwo"]


def test_small_blocks_are_gathered_into_few_pieces() -> None:
    assert len(pieces_of("word\n\n" * 100, piece_size=100)) == 6
