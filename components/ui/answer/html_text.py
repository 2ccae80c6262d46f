"""A model's text as HTML from ``components/markdown``, for text outside the live view's socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import streamlit as st

from components.markdown.answer import AnswerBlocks, View
from components.ui.answer.live_view import FOLDER

_PAGE_CHARACTERS = 4_000
"""The HTML of one element. A full element no longer changes, so Streamlit sends only its hash from then on."""

_blocks = st.components.v2.component(
    "tempera_blocks",
    html=(FOLDER / "blocks.html").read_text(),
    js=(FOLDER / "assets" / "blocks.js").read_text(),
    isolate_styles=False,
)


class _Drawn(NamedTuple):
    """A text as this session has drawn it. A longer text with the same beginning is parsed from its end on."""

    part: View
    text: str
    ended: bool
    answer: AnswerBlocks

    def can_become(self, text: str, part: View) -> bool:
        """Whether the text is unchanged, or continues where this one was still open."""
        return part == self.part and (text == self.text or (not self.ended and text.startswith(self.text)))


def draw_text(text: str, key: str, part: View = "markdown", *, ended: bool = True, stale: bool = False) -> None:
    """Draw a model's text so far. ``key`` is that of its place on the page; the box of a ``stale`` text is grey."""
    drawn_key = f"{key}_drawn"
    drawn: _Drawn | None = st.session_state.get(drawn_key)
    answer = drawn.answer if drawn and drawn.can_become(text, part) else AnswerBlocks(part)
    answer.update(text, ended=ended)
    st.session_state[drawn_key] = _Drawn(part, text, ended, answer)
    # Lines of plain text that two elements shared would be broken apart.
    pages = [answer.blocks] if part == "plain" else list(_pages(answer.blocks))
    with st.container(gap=None):
        for number, page in enumerate(pages, 1):
            last = number == len(pages)
            data = {"blocks": page, "part": part, "last": last, "busy": last and not ended, "stale": stale}
            _blocks(key=f"{key}_{number}", data=data)


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
