"""Draws a run with Streamlit's own elements, live while it streams.

A live answer is drawn by a fragment in slices: each slice paints until its time is over, then returns, so that other
fragments get their turn. A page that reruns simply draws the run again from what it holds; the run does not notice.

Live or ended, the parts stand in the same order and number, so that one replaces the other in its place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.runs.run import Activity, Run, RunRecord
from components.ui import state
from components.ui.answer import draw_answer
from components.ui.model_text import inert_markdown
from components.ui.run_lookup import find, record_of
from components.ui.run_message import draw_message
from components.ui.run_status import StatusLine
from components.ui.settled_text import SettledText

# The slice equals run_every: with a shorter interval the next slice would always be due, and starve other fragments.
_SLICE_S = 0.5
_SHORTEST_FRAME_S = 0.05
_LONGEST_FRAME_S = 0.25
# The open end is sent again in each frame; a long one is sent less often, so that bytes grow with the text alone.
_OPEN_CHARACTERS_PER_S = 8_000
_LOOK_AGAIN_S = 2.0


def draw_run(
    run: Run | RunRecord | None,
    *,
    stale: bool = False,
    with_answer: bool = True,
    above_answer: Callable[[], None] | None = None,
) -> None:
    """Draw a run: live while it goes on, as it ended otherwise, and where it will be when there is none.

    ``stale`` greys an answer that other settings made. Without ``with_answer`` only status and message are drawn.
    ``above_answer`` draws what belongs between them, once the run has ended.
    """
    # A fragment stands in a container of its own; what replaces it must stand in one as well.
    if run is None:
        with st.container():
            _draw_parts(None, stale, with_answer, None)
    elif isinstance(run, Run) and not run.finished:
        _paint_slice(run, stale, with_answer)
    else:
        record = run.record() if isinstance(run, Run) else run
        with st.container():
            _draw_parts(record, stale, with_answer, above_answer)
        if record.running:
            _look_again(record)


def _draw_parts(
    record: RunRecord | None, stale: bool, with_answer: bool, above_answer: Callable[[], None] | None
) -> None:
    with st.container():
        if record:
            StatusLine().show(record)
    with st.container():
        if record:
            draw_message(record)
            if above_answer and not record.running:
                above_answer()
    answered = record and (record.text or record.reasoning or record.tool_calls != "[]")
    if not with_answer or (record and record.error_message and not answered):
        return
    with _answer_box(stale):
        if record is None:
            st.caption("The answer appears here, token by token. Press Run or Ctrl+Enter.")
        else:
            draw_answer(record)


def _answer_box(stale: bool) -> DeltaGenerator:
    outer = st.container(key="stale" if stale else "current")
    return outer.container(key=state.ANSWER, border=True)


@st.fragment(run_every=_LOOK_AGAIN_S)
def _look_again(drawn: RunRecord) -> None:
    """Another process works on this run, or did until it died: draw it again when the log knows more."""
    now = record_of(find(drawn.id))
    if now is not None and (now.text, now.status) != (drawn.text, drawn.status):
        st.rerun()


@st.fragment(run_every=_SLICE_S)
def _paint_slice(run: Run, stale: bool, with_answer: bool) -> None:
    ends = time.monotonic() + _SLICE_S
    with st.container():
        status = StatusLine()
    st.container()
    painter = None
    if with_answer:
        with _answer_box(stale):
            painter = _Painter(st.container(), _inert_text(run.id))
    shown_activity: Activity | None = None
    version = -1
    while not run.finished:
        # A free yield point: without it, nothing could interrupt this loop before the first token.
        st.session_state.get(state.STOP)
        seen = run.wait_for_change(version, min(0.1, max(ends - time.monotonic(), 0)))
        pause = 0.0
        if seen > version:
            version = seen
            record = run.record()
            if run.activity is not shown_activity:
                shown_activity = run.activity
                status.show(record, shown_activity)
            pause = painter.paint(record) if painter else _LONGEST_FRAME_S
        if time.monotonic() >= ends:
            return
        time.sleep(min(pause, max(ends - time.monotonic(), 0)))
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


def _inert_text(run_id: str) -> _InertText:
    """The text that this session paints; it lives on from slice to slice, or each would read the whole text again."""
    text: _InertText | None = st.session_state.get(state.PAINTED_TEXT)
    if text is None or text.run_id != run_id:
        text = st.session_state[state.PAINTED_TEXT] = _InertText(run_id)
    return text


class _Painter:
    """Keeps the page's elements equal to a growing text: one element per settled piece, one for the open end."""

    def __init__(self, container: DeltaGenerator, text: _InertText) -> None:
        self._container = container
        self._text = text
        self._elements: list[DeltaGenerator] = []
        self._painted: list[str] = []

    def paint(self, record: RunRecord) -> float:
        """Send what is new; seconds until the next frame may follow."""
        if not record.text:
            self._show_waiting(record)
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

    def _show_waiting(self, record: RunRecord) -> None:
        said = f"Reasoning: {len(record.reasoning)} characters so far" if record.reasoning else "…"
        if not self._elements:
            self._elements.append(self._container.empty())
            self._painted.append("")
        self._elements[0].caption(said)
