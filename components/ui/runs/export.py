"""Links to the runs of a view as files; ``components/server/run_files.py`` serves them."""

from __future__ import annotations

import time

import streamlit as st

from components.log.export import FORMATS
from components.log.tickets import LIFE_S
from components.log.view import MOST_COUNTED, View
from components.server.process import service
from components.server.run_files import file_link
from components.ui.runs import keys
from components.ui.visitor import owner


def draw_export(view: View) -> None:
    """Draw a link for each file format, with all ended runs of the view."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        newest = f" Only the newest {MOST_COUNTED:,} runs with these words." if view.words else ""
        st.caption(f"All ended runs of this view, oldest first.{newest}")
        token = token_of(view, keys.TICKET)
        for kind, each in FORMATS.items():
            st.link_button(each.label, file_link(token, kind), help=each.purpose, width="stretch")


def token_of(view: View, key: str) -> str:
    """The link's token; it stays the same over many draws, because a link must not change under the pointer.

    ``key`` is the session key that keeps it.
    """
    known: tuple[View, str, float] | None = st.session_state.get(key)
    if known is None or known[0] != view or time.monotonic() > known[2]:
        known = view, service().tickets.issue(view, owner()), time.monotonic() + LIFE_S / 2
        st.session_state[key] = known
    return known[1]
