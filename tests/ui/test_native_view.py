"""What the native view paints: the whole text, in pieces that stay as they are once they have settled."""

from __future__ import annotations

import threading

from components.ui.answer.native_view import _InertText

TEXT = "".join(f"Paragraph {number} has some words and an ![image](http://x/{number}).\n\n" for number in range(200))


def test_settled_pieces_stay_and_all_together_hold_every_paragraph() -> None:
    text = _InertText("run")
    before: list[str] = []
    for end in range(0, len(TEXT) + 500, 500):
        pieces, open_characters = text.pieces_of(TEXT[:end])
        assert pieces[: len(before)] == before
        before = pieces[:-1]
        assert 0 <= open_characters <= end
    assert "".join(f"{piece}\n\n" for piece in pieces).count("Paragraph") == 200
    assert not any("![" in piece for piece in pieces)


def test_two_scripts_that_paint_at_once_double_nothing() -> None:
    text = _InertText("run")
    threads = [
        threading.Thread(target=lambda: [text.pieces_of(TEXT[:end]) for end in range(0, len(TEXT), 37)])
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pieces, _ = text.pieces_of(TEXT)
    assert "".join(f"{piece}\n\n" for piece in pieces).count("Paragraph") == 200
