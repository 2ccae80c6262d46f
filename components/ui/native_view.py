"""Draws a run's answer with Streamlit's own elements, live while it streams.

A live answer is drawn by a fragment in slices: each slice paints until its time is over, then returns, so that other
fragments get their turn. A page that reruns simply draws the run again from what it holds; the run does not notice.
"""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.runs.run import Activity, Run, RunRecord
from components.ui import state
from components.ui.run_message import draw_message
from components.ui.run_status import draw_status
from components.ui.settled_text import SettledText

# The slice equals run_every: with a shorter interval the next slice would always be due, and starve other fragments.
_SLICE_S = 0.5
_SHORTEST_FRAME_S = 0.05
_LONGEST_FRAME_S = 0.25
# The open tail is sent again in each frame; a long one is sent less often, so that bytes grow with the text alone.
_TAIL_CHARACTERS_PER_S = 12_000


def draw_live(run: Run) -> None:
    """Draw a run that is going on, and go on drawing it; the page is run again once the run has ended."""
    _paint_slice(run)


def draw_record(record: RunRecord) -> None:
    """Draw a run that has ended, or that another process works on."""
    draw_status(record)
    draw_message(record)
    if record.error_message and not record.text and not record.reasoning:
        return
    with st.container(key=state.ANSWER, border=True):
        if record.reasoning:
            with st.expander("Reasoning"):
                st.markdown(record.reasoning)
        if record.text:
            st.markdown(record.text)
        else:
            st.caption("No text arrived.")


def draw_nothing_yet() -> None:
    """Say where the answer will be."""
    with st.container(key=state.ANSWER, border=True):
        st.caption("The answer appears here, token by token. Press Run or Ctrl+Enter.")


@st.fragment(run_every=_SLICE_S)
def _paint_slice(run: Run) -> None:
    ends = time.monotonic() + _SLICE_S
    draw_status(run.record(), run.activity)
    with st.container(key=state.ANSWER, border=True):
        painter = _Painter(st.container())
    version = -1
    while not run.finished:
        # A free yield point: without it, nothing could interrupt this loop before the first token.
        st.session_state.get(state.STOP)
        seen = run.wait_for_change(version, min(0.1, max(ends - time.monotonic(), 0)))
        pause = 0.0
        if seen > version:
            version = seen
            pause = painter.paint(run)
        if time.monotonic() >= ends:
            return
        time.sleep(min(pause, max(ends - time.monotonic(), 0)))
    st.rerun()


class _Painter:
    """Keeps the page's elements equal to a growing text. One element per settled piece, one for the open tail."""

    def __init__(self, container: DeltaGenerator) -> None:
        self._container = container
        self._text = SettledText()
        self._elements: list[DeltaGenerator] = []
        self._painted: list[str] = []

    def paint(self, run: Run) -> float:
        """Send what is new; seconds until the next frame may follow."""
        record = run.record()
        self._text.update(record.text)
        tail = self._text.tail
        waiting = "" if record.text or run.activity is Activity.STOPPING else _thinking(record)
        for index, piece in enumerate([*self._text.pieces, tail or waiting]):
            if index == len(self._elements):
                self._elements.append(self._container.markdown(piece))
                self._painted.append(piece)
            elif self._painted[index] != piece:
                self._elements[index].markdown(piece)
                self._painted[index] = piece
        return min(max(_SHORTEST_FRAME_S, len(tail) / _TAIL_CHARACTERS_PER_S), _LONGEST_FRAME_S)


def _thinking(record: RunRecord) -> str:
    return f":gray[Reasoning: {len(record.reasoning)} characters so far]" if record.reasoning else ":gray[…]"
