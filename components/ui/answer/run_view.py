"""Draws a run, live or ended. Pages do not know which view draws the answer.

The parts have the same order and number in both cases, so that an ended run replaces the live one in place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from components.log.record import RunRecord
from components.runs.run import Run
from components.ui.answer import keys
from components.ui.answer.answer import draw_answer
from components.ui.answer.live_view import draw_live
from components.ui.answer.place import ALONE, Place
from components.ui.answer.run_lookup import find, record_of
from components.ui.answer.run_status import draw_message, draw_status
from components.ui.answer.view_switches import draw_view_row

_REFRESH_S = 2.0
_SLICE_S = 0.25
_SLICES_PER_S = 16
"""For all lanes of a page together."""


def draw_run(
    run: Run | RunRecord | None,
    record: RunRecord | None = None,
    *,
    stale: bool = False,
    with_answer: bool = True,
    actions: Callable[[], None] | None = None,
    place: Place = ALONE,
) -> None:
    """Draw a run, live or ended, or the empty place for the next run.

    ``record`` is the run as the rest of the page shows it; a run that has ended since is drawn as running, which
    redraws the whole page. ``stale`` greys an answer to other settings. Without ``with_answer``, only the message and
    the numbers are drawn. ``actions`` draws the elements next to the numbers; the default is the switches of the view.
    """
    record = record or record_of(run)
    draw = partial(_draw_parts, stale=stale, with_answer=with_answer, actions=actions, place=place)
    if st.session_state.get(keys.NATIVE) and isinstance(run, Run) and record and record.running:
        interval_s = max(_SLICE_S, place.lanes / _SLICES_PER_S)
        st.fragment(_draw_again_and_again, run_every=interval_s)(run, draw)
        return
    # A fragment is inside its own container, so its replacement must be, too.
    with st.container():
        draw(run, record)
    if st.session_state.get(keys.NATIVE) and isinstance(run, RunRecord) and run.running:
        _refresh(run)


def draw_fallback_notice() -> None:
    """Say that this page draws answers without the live connection, if that is the case."""
    with st.container():
        if st.session_state.get(keys.NATIVE):
            st.caption("Drawn without the live connection: a proxy may block it. Reload the page to try again.")


def _draw_again_and_again(run: Run, draw: Callable[[Run, RunRecord], None]) -> None:
    """Draw a live run for pages that cannot reach the live view's socket, then redraw the page once."""
    if run.finished:
        st.rerun()
    draw(run, run.record())


def _draw_parts(
    run: Run | RunRecord | None,
    record: RunRecord | None,
    *,
    stale: bool,
    with_answer: bool,
    actions: Callable[[], None] | None,
    place: Place,
) -> None:
    answered = record and (record.running or record.text or record.reasoning or record.tool_calls != "[]")
    with st.container():
        if with_answer and (answered or not (record and record.error_message)):
            with st.container(key=place.key(keys.ANSWER), border=place.lane is None):  # a lane is a box already
                draw_answer(run, record, place, stale=stale)
    if record:
        with st.container(key=place.key(keys.FOOTER), gap="xxsmall"):
            _draw_numbers(run, record, place)
            if with_answer:
                (actions or (lambda: draw_view_row(record)))()
            if place.lane is None:
                draw_fallback_notice()
    # Last: nothing moves when an answer ends.
    if record and not record.running:
        draw_message(record, place)


def _draw_numbers(run: Run | RunRecord | None, record: RunRecord, place: Place) -> None:
    if not run or not record.running:
        draw_status(record, place)
    elif st.session_state.get(keys.NATIVE):
        progress = (run.activity, run.retry_wait) if isinstance(run, Run) else ()
        draw_status(record, place, *progress)
    else:
        with st.container(key=place.key(keys.RUN_STATUS), width="content"):
            draw_live(run, "status", place, running=True)


@st.fragment(run_every=_REFRESH_S)
def _refresh(drawn: RunRecord) -> None:
    """Draw a run of another process again when the log has new data, on a page without the live connection."""
    now = record_of(find(drawn.id))
    if now is not None and (now.text, now.status) != (drawn.text, drawn.status):
        st.rerun()
