"""The run log: search runs, open one, compare several."""

import streamlit as st

from components.ui.answer.run_lookup import find, record_of
from components.ui.page_heading import draw_heading_row
from components.ui.runs import keys
from components.ui.runs.charts import draw_charts, draw_trends
from components.ui.runs.drift import draw_drift
from components.ui.runs.export import draw_export
from components.ui.runs.filters import draw_filters
from components.ui.runs.one_run import draw_one_run
from components.ui.runs.opened_run import opened_run
from components.ui.runs.selection import draw_several_runs, draw_undo
from components.ui.runs.table import draw_columns, draw_runs_table, list_again
from components.ui.runs.win_rate_table import draw_win_rates
from components.ui.user_errors import draw_error

heading = draw_heading_row("Runs", "Every run, with its request, answer and timing")
view = draw_filters()
if view is not None:
    with heading:
        draw_export(view)
        draw_columns()
draw_error(keys.RUNS_PROBLEM)
draw_undo(list_again)
opened = opened_run()
run = find(opened)
record = record_of(run)
if opened and record is None:
    st.info("This run is not in the log.", icon=":material/search_off:")
if view is not None:
    draw_trends(view)
    draw_runs_table(view)
chosen = st.session_state.get(keys.CHOSEN_RUNS, [])
if len(chosen) > 1:
    draw_several_runs(chosen)
if view is not None:
    draw_charts(view)
draw_drift()
draw_win_rates()
if run is not None and record is not None:
    draw_one_run(run, record)
