from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.ui.settled_text import SettledText

LINES = st.lists(st.sampled_from(["", "words", "```", "```python", "````", "~~~", "    ```", "- item", "# head", " "]))


@given(LINES, st.lists(st.integers(0, 200)), st.integers(0, 60))
def test_whatever_the_pieces_nothing_is_lost_and_settled_text_never_changes(
    lines: list[str], cuts: list[int], piece_size: int
) -> None:
    text = "\n".join(lines)
    view = SettledText(piece_size)
    before: list[str] = []
    for cut in sorted(min(cut, len(text)) for cut in [*cuts, len(text)]):
        view.update(text[:cut])
        assert "".join(view.pieces) + view.tail == text[:cut]
        # The last piece may still take in blocks; those before it are final.
        assert view.pieces[: max(len(before) - 1, 0)] == before[:-1]
        assert not before or view.pieces[len(before) - 1].startswith(before[-1])
        before = list(view.pieces)


@given(LINES, st.lists(st.integers(0, 200)))
def test_how_the_text_arrives_does_not_matter(lines: list[str], cuts: list[int]) -> None:
    text = "\n".join(lines)
    whole, bit_by_bit = SettledText(), SettledText()
    whole.update(text)
    for cut in sorted(min(cut, len(text)) for cut in [*cuts, len(text)]):
        bit_by_bit.update(text[:cut])
    assert (whole.pieces, whole.tail) == (bit_by_bit.pieces, bit_by_bit.tail)


def test_a_blank_line_in_a_code_block_settles_nothing() -> None:
    view = SettledText(piece_size=0)
    view.update("One.\n\n```python\na = 1\n\nb = 2\n")
    assert view.pieces == ["One.\n\n"]
    assert view.tail == "```python\na = 1\n\nb = 2\n"
    view.update("One.\n\n```python\na = 1\n\nb = 2\n```\n\nTwo")
    assert view.pieces == ["One.\n\n", "```python\na = 1\n\nb = 2\n```\n\n"]
    assert view.tail == "Two"


def test_a_longer_fence_is_closed_only_by_one_as_long() -> None:
    view = SettledText(piece_size=0)
    view.update("````\n```\n\nstill code\n````\n\nout")
    assert view.pieces == ["````\n```\n\nstill code\n````\n\n"]


def test_small_blocks_are_gathered_into_few_pieces() -> None:
    view = SettledText(piece_size=100)
    view.update("word\n\n" * 100)
    assert len(view.pieces) == 6
