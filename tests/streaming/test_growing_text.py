"""Pieces that are new, and pieces that repeat the text so far."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.streaming.growing_text import GrowingText
from components.streaming.guard import safe_text


def grown(*pieces: str) -> tuple[list[str], str]:
    """The additions of each piece and of the final flush, and the whole text."""
    text = GrowingText()
    added = [text.feed(piece) for piece in pieces]
    return [*added, text.flush()], str(text)


def so_far(text: str, *lengths: int) -> list[str]:
    return [text[:length] for length in lengths]


SENTENCE = "The sky is blue because air scatters short waves more than long ones."


@pytest.mark.parametrize(
    "lengths",
    [
        range(1, len(SENTENCE) + 1),
        (3, 4, 7, 69),
        (3, 7, 10, 30, 69),
        (20, 40, 69),
        (20, 40, 40, 69, 69),
        (4, 8, 69, 69),
    ],
)
def test_pieces_that_repeat_the_whole_text_give_it_once(lengths: range | tuple[int, ...]) -> None:
    added, whole = grown(*so_far(SENTENCE, *lengths))
    assert "".join(added) == whole == SENTENCE


def test_held_text_is_released_once_the_repetition_is_certain() -> None:
    added, _ = grown(*so_far(SENTENCE, 20, 40, 50, 69))
    assert added == [SENTENCE[:20], "", SENTENCE[20:50], SENTENCE[50:], ""]


@pytest.mark.parametrize(
    "pieces",
    [
        ("1", "10", "100"),
        ("ha", "haha", "hahaha"),
        ("=", "==", "====", "========", "=" * 16, "=" * 32),
        ("Hel", "Hello"),
        (" very", " very", " very"),
        ("The sky is blue.", "The sky is blue.", " And the sea."),
        ("a" * 300, "a" * 400, "a" * 500),
        ("To be,", "To be, or", " not"),
    ],
)
def test_pieces_that_may_be_new_are_kept(pieces: tuple[str, ...]) -> None:
    added, whole = grown(*pieces)
    assert "".join(added) == whole == "".join(pieces)


def test_a_piece_after_the_last_repetition_is_added() -> None:
    _, whole = grown(*so_far(SENTENCE, 20, 40, 69), " So it is.")
    assert whole == SENTENCE + " So it is."


@given(st.lists(st.text(max_size=6), max_size=8))
@example(["0", "00", "000"])
def test_pieces_without_repetition_are_unchanged(pieces: list[str]) -> None:
    added, whole = grown(*pieces)
    assert whole == "".join(added)
    came = [piece for piece in pieces if piece]
    if len(came) < 2 or not came[1].startswith(came[0]):
        assert whole == safe_text("".join(pieces))


@pytest.mark.parametrize(
    ("pieces", "message", "text"),
    [
        ((), "Hello", "Hello"),
        (("Hel", "lo"), "Hello", "Hello"),
        (("Hel", "Hello"), "Hello you", "Hello you"),
        (("Hel",), "Hello", "Hello"),
        (("Hel", "lo"), " you", "Hello you"),
        (("a\x00",), "a\x00b", "a\ufffdb"),
    ],
)
def test_a_whole_text_adds_its_new_part(pieces: tuple[str, ...], message: str, text: str) -> None:
    growing = GrowingText()
    added = [*map(growing.feed, pieces), growing.feed(message, whole=True), growing.flush()]
    assert "".join(added) == str(growing) == text
