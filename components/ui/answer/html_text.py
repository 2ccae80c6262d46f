"""Draws a model's text as HTML of the room ``markdown``: what does not come through the live view's socket."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from components.markdown.answer import AnswerBlocks, View
from components.ui.answer.live_view import FOLDER

_PAGE_CHARACTERS = 4_000
"""HTML of one element. One that is full does not change any more, and Streamlit sends its hash alone from then on."""

_blocks = st.components.v2.component(
    "tempera_blocks",
    html=(FOLDER / "blocks.html").read_text(),
    js=(FOLDER / "assets" / "blocks.js").read_text(),
    isolate_styles=False,
)


class _Drawn:
    """A text as this session has drawn it. A longer one that begins with it is read from its end on."""

    def __init__(self, part: View) -> None:
        self.part = part
        self._text = ""
        self._ended = False
        self._answer = AnswerBlocks(part)

    def can_become(self, text: str) -> bool:
        """Whether the text is the same, or goes on where this one was still open."""
        return text == self._text or (not self._ended and text.startswith(self._text))

    def blocks(self, text: str, *, ended: bool) -> list[str]:
        """The HTML of the text so far."""
        self._text, self._ended = text, ended
        self._answer.update(text, ended=ended)
        return self._answer.blocks


def draw_text(text: str, key: str, part: View = "markdown", *, ended: bool = True) -> None:
    """Draw a text of a model, as far as it has come. ``key`` is that of the place on the page."""
    kept = f"{key}_drawn"
    drawn: _Drawn | None = st.session_state.get(kept)
    if drawn is None or drawn.part != part or not drawn.can_become(text):
        drawn = st.session_state[kept] = _Drawn(part)
    blocks = drawn.blocks(text, ended=ended)
    # Lines of plain text that two elements share would be broken between them.
    pages = [blocks] if part == "plain" else list(_pages(blocks))
    with st.container(gap=None):
        for number, page in enumerate(pages, 1):
            _blocks(key=f"{key}_{number}", data={"blocks": page, "part": part, "last": number == len(pages)})


def _pages(blocks: list[str]) -> Iterator[list[str]]:
    page: list[str] = []
    size = 0
    for block in blocks:
        if size >= _PAGE_CHARACTERS:
            yield page
            page, size = [], 0
        page.append(block)
        size += len(block)
    yield page
