"""The run log: all runs, newest first, and one of them opened."""

import streamlit as st

from components.runs.query import QueryFailed, find_run
from components.service import service
from components.ui import state
from components.ui.native_view import draw_record
from components.ui.runs_table import draw_runs_table

st.subheader("Runs")
try:
    draw_runs_table(service())
    opened = st.session_state.get(state.OPENED_RUN)
    database = service().log.database
    record = find_run(database, opened) if opened and database else None
except QueryFailed as failure:
    st.error(str(failure))
    record = None

if record is not None:
    st.divider()
    answer, request = st.columns([3, 2], gap="large")
    with answer:
        st.page_link(
            "playground.py",
            label="Open in the playground",
            icon=":material/bolt:",
            query_params={state.RUN_PARAMETER: record.id},
        )
        draw_record(record)
    with request:
        st.markdown("**Request**, exactly as sent")
        st.code(record.request_body, language="json", wrap_lines=True)
