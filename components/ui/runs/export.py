"""Links to the runs of a view as files; ``components/server/run_files.py`` serves them."""

from __future__ import annotations

import time

import streamlit as st

from components.log.export import FORMATS
from components.log.tickets import LIFE_S
from components.log.view import MAX_COUNTED, View
from components.server.process import service
from components.server.run_files import file_link
from components.ui.runs import keys
from components.ui.visitor import owner


def draw_export(view: View) -> None:
    """Draw a link for each file format, with all ended runs of the view."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        newest = f" Only the newest {MAX_COUNTED:,} runs with these words." if view.words else ""
        st.caption(f"All ended runs of this view, oldest first.{newest}")
        draw_file_links(view, keys.TICKET)


def draw_file_links(view: View, key: str) -> None:
    """Draw a link for each file format. ``key`` is the session key that keeps their token.

    The token stays the same over many draws, because a link must not change under the pointer.
    """
    issued: tuple[View, str, float] | None = st.session_state.get(key)
    if issued is None or issued[0] != view or time.monotonic() > issued[2]:
        issued = view, service().tickets.issue(view, owner()), time.monotonic() + LIFE_S / 2
        st.session_state[key] = issued
    for kind, each in FORMATS.items():
        st.link_button(each.label, file_link(issued[1], kind), help=each.purpose, width="stretch")
