"""As many live answers side by side as ``?lanes=`` says, each of a run of its own."""

import streamlit as st

from components.ui import live_view
from tests.benchmarks.live_view.bench_runs import start_runs

st.set_page_config(layout="wide")
st.html(live_view.FOLDER / "live_view.css")
st.html(live_view.FOLDER / "markdown.css")

count = int(st.query_params["lanes"])
if st.button("Run", key="run"):
    st.session_state["runs"] = start_runs(count)
runs = st.session_state.get("runs", [None] * count)
for number, (run, column) in enumerate(zip(runs, st.columns(count), strict=True)):
    running = run is not None and not run.finished
    with column:
        with st.container():
            if run:
                live_view.draw_live(run, "status", running=running, key=f"status_{number}")
        with st.container(key=f"answer_{number}", border=True):
            live_view.draw_live(run, "markdown", running=running, name=f"answer {number + 1}", key=f"lane_{number}")
