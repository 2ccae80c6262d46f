"""The script that the server runs: what every page shares."""

from pathlib import Path

import streamlit as st

from components import ui
from components.service import configuration, service
from components.ui import live_view

st.set_page_config(page_title="Tempera", page_icon=Path(ui.__file__).parent / "icon.svg", layout="wide")
st.html(Path(ui.__file__).parent / "style.css")
st.html(live_view.FOLDER / "live_view.css")
st.html(live_view.FOLDER / "markdown.css")

page = st.navigation(
    [
        st.Page("playground.py", title="Playground", icon=":material/bolt:", default=True),
        st.Page("compare.py", title="Compare", icon=":material/view_column:"),
        st.Page("sweep.py", title="Sweep", icon=":material/grid_on:"),
        st.Page("runs.py", title="Runs", icon=":material/history:"),
        st.Page("endpoints.py", title="Endpoints", icon=":material/dns:"),
        st.Page("shared.py", title="Shared links", icon=":material/link:", visibility="hidden"),
    ],
    position="top",
)

if problems := configuration().problems:
    st.warning("\n\n".join(problems), icon=":material/settings_alert:")
if service().log.problem:
    st.warning(f"{service().log.problem} The app goes on.", icon=":material/database_off:")
if service().log.warning:
    st.warning(service().log.warning, icon=":material/database:")

page.run()
