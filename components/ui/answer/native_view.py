"""Draws a running answer with Streamlit's own elements, for pages that cannot reach the live view's socket.

It is drawn by a fragment in slices: each slice paints until its time is over, then returns, so that other fragments get
their turn. A page that reruns simply draws the run again from what it holds; the run does not notice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent import futures

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.live.status import waiting_words
from components.log.record import RunRecord
from components.runs.run import Activity, RetryWait, Run
from components.ui import state
from components.ui.answer.model_text import inert_markdown
from components.ui.answer.place import ALONE, Place
from components.ui.answer.run_status import StatusLine
from components.ui.answer.settled_text import SettledText
from components.ui.plain_words import plain_words

# The slice equals run_every: with a shorter interval the next slice would always be due, and starve other fragments.
_SLICE_S = 0.5
_SHORTEST_FRAME_S = 0.05
_LONGEST_FRAME_S = 0.25
# The open end is sent again in each frame; a long one is sent less often, so that bytes grow with the text alone.
_OPEN_CHARACTERS_PER_S = 8_000


@st.fragment(run_every=_SLICE_S)
def paint(run: Run, answer_box: Callable[[], DeltaGenerator] | None, place: Place = ALONE) -> None:
    """Draw status and answer of a running run, and run the page again when it has ended.

    ``answer_box`` makes what the answer stands in; without it only the status is drawn.
    """
    # The slices of all lanes together fill the interval.
    ends = time.monotonic() + _SLICE_S / place.lanes
    with st.container():
        status = StatusLine(place)
    st.container()
    painter = None
    if answer_box:
        with answer_box():
            painter = _Painter(st.container(), _inert_text(run.id, place))
    shown: tuple[Activity, RetryWait | None, int] | None = None
    version = -1
    while not run.finished:
        # A free yield point: without it, nothing could interrupt this loop before the first token.
        st.session_state.get(state.STOP)
        seen = run.wait_for_change(version, min(0.1, max(ends - time.monotonic(), 0)))
        pause = 0.0
        wait = run.retry_wait
        now = run.activity, wait, math.ceil(wait.remaining_s) if wait else 0
        if seen > version or now != shown:
            version = seen
            record = run.record()
            if now != shown:
                shown = now
                status.show(record, run.activity, wait)
            pause = painter.paint(record, wait) if painter else _LONGEST_FRAME_S
        if time.monotonic() >= ends:
            return
        futures.wait([run.ended], min(pause, max(ends - time.monotonic(), 0)))
    st.rerun()


class _InertText:
    """A growing text in pieces that ``st.markdown`` may show; what has settled is made inert once."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._text = SettledText()
        self._settled: list[str] = []
        # A click starts the next script while the last one may still be painting.
        self._lock = threading.Lock()

    def pieces_of(self, text: str) -> tuple[list[str], int]:
        """The pieces of the text so far, the open end last, and how many characters that holds."""
        with self._lock:
            self._text.update(text)
            self._settled += map(inert_markdown, self._text.pieces[len(self._settled) :])
            return [*self._settled, inert_markdown(self._text.open_end)], len(self._text.open_end)


def _inert_text(run_id: str, place: Place) -> _InertText:
    """The text that this session paints; it lives on from slice to slice, or each would read the whole text again."""
    key = place.key(state.PAINTED_TEXT)
    text: _InertText | None = st.session_state.get(key)
    if text is None or text.run_id != run_id:
        text = st.session_state[key] = _InertText(run_id)
    return text


class _Painter:
    """Keeps the page's elements equal to a growing text: one element per settled piece, one for the open end."""

    def __init__(self, container: DeltaGenerator, text: _InertText) -> None:
        self._container = container
        self._text = text
        self._elements: list[DeltaGenerator] = []
        self._painted: list[str] = []

    def paint(self, record: RunRecord, wait: RetryWait | None) -> float:
        """Send what is new; seconds until the next frame may follow."""
        if not record.text:
            self._show_waiting(waiting_words(record.reasoning, wait))
            return _SHORTEST_FRAME_S
        pieces, open_characters = self._text.pieces_of(record.text)
        for index, piece in enumerate(pieces):
            if index == len(self._elements):
                self._elements.append(self._container.markdown(piece))
                self._painted.append(piece)
            elif self._painted[index] != piece:
                self._elements[index].markdown(piece)
                self._painted[index] = piece
        return min(max(_SHORTEST_FRAME_S, open_characters / _OPEN_CHARACTERS_PER_S), _LONGEST_FRAME_S)

    def _show_waiting(self, said: str) -> None:
        if not self._elements:
            self._elements.append(self._container.empty())
            self._painted.append("")
        self._elements[0].caption(plain_words(said))
