"""The script that the server runs: the frame around all pages."""

from pathlib import Path

import streamlit as st

from components import ui
from components.server.held_messages import release_messages
from components.server.process import service
from components.ui import presses, theme
from components.ui.answer import live_view
from components.ui.answer.own_html import draw_style
from components.ui.entrance import draw_account, draw_limits, draw_storage, is_let_in
from components.ui.form import widget_values
from components.ui.page_script import draw_page_script
from components.ui.replica_check import draw_replica_check
from components.ui.share import keys as share_keys
from components.ui.sweep import keys as sweep_keys
from components.ui.uploads import whole_page
from components.ui.visitor import is_known

if is_known():
    # First of all: a run that was pressed is on its way before anything is drawn.
    widget_values.put_back()
    presses.act()
release_messages()

st.set_page_config(page_title="Tempera", page_icon=Path(ui.__file__).parent / "icon.svg", layout="wide")
st.logo(Path(ui.__file__).parent / "logo.svg", size="small")
draw_style(theme.root_rule())
st.html(Path(ui.__file__).parent / "style.css")
st.html(live_view.FOLDER / "live_view.css")
st.html(live_view.FOLDER / "markdown.css")
st.html(live_view.FOLDER.parent / "differences.css")

is_demo = service().demo is not None
shared = st.Page("shared.py", title="Shared", icon=":material/link:")
pages = [
    st.Page("playground.py", title="Playground", icon=":material/bolt:", default=True),
    st.Page("compare.py", title="Compare", icon=":material/view_column:"),
    st.Page("sweep.py", title="Sweep", icon=":material/grid_on:"),
    st.Page("runs.py", title="Runs", icon=":material/history:"),
    shared,
    # Addresses and states of the endpoints are for the operator only.
    *([] if is_demo else [st.Page("endpoints.py", title="Endpoints", icon=":material/dns:")]),
]
page = st.navigation(pages, position="hidden" if st.context.is_embedded else "top")

with whole_page():
    if page is shared and share_keys.CAPSULE_PARAMETER in st.query_params:
        draw_page_script()
        page.run()  # open to anyone with the link
    elif is_let_in():
        if not is_demo:
            if problems := service().configuration().problems:
                st.warning("\n\n".join(problems), icon=":material/settings_alert:")
            if service().log.problem:
                st.warning(f"{service().log.problem} The app continues.", icon=":material/database_off:")
            if service().log.warning:
                st.warning(service().log.warning, icon=":material/database:")
        elif service().log.problem:
            st.warning("Runs are unavailable. Try again later.", icon=":material/database_off:")
        draw_replica_check()
        draw_limits()
        draw_storage()
        if page.title != "Sweep":
            st.session_state.pop(sweep_keys.SWEEP_REQUESTED, None)
        draw_page_script()
        page.run()
        draw_account()
