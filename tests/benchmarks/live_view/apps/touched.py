"""One live answer, and a button in each possible place of a page; each shows its number of clicks."""

import streamlit as st

from components.ui.answer import live_view
from tests.benchmarks.live_view.bench_runs import start_runs


def draw_button(name: str) -> None:
    if st.button("Touch", key=f"{name}_button"):
        st.session_state[name] = st.session_state.get(name, 0) + 1
    with st.container(key=f"{name}_text"):
        st.text(f"touched {st.session_state.get(name, 0)} times")


@st.fragment
def fragment() -> None:
    draw_button("in_fragment")


@st.dialog("A dialog")
def dialog() -> None:
    draw_button("in_dialog")


st.html(live_view.FOLDER / "live_view.css")
st.html(live_view.FOLDER / "markdown.css")

if st.button("Run", key="run"):
    st.session_state["runs"] = start_runs(1)
if st.button("Open", key="open"):
    dialog()
draw_button("on_page")
fragment()
run = next(iter(st.session_state.get("runs", [])), None)
with st.container(key="answer", border=True):
    live_view.draw_live(run, "markdown", running=run is not None and not run.finished)
