"""The run log: all runs, newest first, and one of them opened."""

import streamlit as st

from components.runs.query import QueryFailed, find_run
from components.service import service
from components.ui import state
from components.ui.native_view import draw_record
from components.ui.runs_table import draw_runs_table

st.subheader("Runs", anchor=False)
record = None
opened = state.opened_run()
try:
    draw_runs_table(service())
    database = service().log.database
    if opened and database:
        record = find_run(database, opened)
except QueryFailed as failure:
    st.error(str(failure))

if record is not None:
    answer, request = st.columns([3, 2], gap="large")
    with answer:
        draw_record(record)
        st.page_link(
            "playground.py",
            label="Open in the playground",
            icon=":material/bolt:",
            query_params={state.RUN_PARAMETER: record.id},
        )
    with request:
        st.markdown(":small[Request, exactly as sent]")
        st.code(record.request_body, language="json", wrap_lines=True)
elif opened:
    st.info("This run is not in the log.", icon=":material/search_off:")
