"""The run log: all runs, newest first, and one of them opened."""

import streamlit as st

from components.runs.run import Run
from components.service import service
from components.ui import state
from components.ui.experiment_link import draw_experiment_link
from components.ui.plain_words import plain_words
from components.ui.run_lookup import find, record_of
from components.ui.run_view import draw_run
from components.ui.runs_table import draw_runs_table
from components.ui.win_rate_table import draw_win_rates

st.subheader("Runs", anchor=False)
draw_runs_table(service())
draw_win_rates()

opened = state.opened_run()
run = find(opened)
record = record_of(run)
if run is not None and record is not None:
    answer, request = st.columns([3, 2], gap="large")
    with answer:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                "playground.py",
                label="Open in the playground",
                icon=":material/bolt:",
                query_params={state.OPEN_PARAMETER: run.id},
            )
            draw_experiment_link(record)
            if record.determinism:
                st.markdown(
                    f":small[:material/fingerprint: Sent again: **{plain_words(record.determinism)}**]", width="content"
                )
            if isinstance(run, Run) and st.button("Stop", key=state.STOP, icon=":material/stop:"):
                run.stop()
        draw_run(run)
    with request:
        st.markdown(":small[Request, exactly as sent]")
        st.code(record.request_body, language="json", wrap_lines=True)
elif opened:
    st.info("This run is not in the log.", icon=":material/search_off:")
