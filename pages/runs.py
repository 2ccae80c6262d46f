"""The run log: search runs, open one, compare several."""

import streamlit as st

from components.ui.answer.run_lookup import find, record_of
from components.ui.runs import keys
from components.ui.runs.charts import draw_charts
from components.ui.runs.filters import draw_filters
from components.ui.runs.one_run import draw_one_run, draw_undo
from components.ui.runs.opened_run import opened_run
from components.ui.runs.several_runs import draw_several_runs
from components.ui.runs.table import draw_runs_table
from components.ui.runs.win_rate_table import draw_win_rates
from components.ui.user_errors import draw_kept

st.subheader("Runs", anchor=False)
view = draw_filters()
if view is not None:
    draw_runs_table(view)
    draw_charts(view)
draw_win_rates()

draw_kept(keys.RUNS_PROBLEM)
draw_undo()
chosen = st.session_state.get(keys.CHOSEN_RUNS, [])
opened = opened_run()
if len(chosen) > 1:
    draw_several_runs(chosen)
else:
    run = find(opened)
    record = record_of(run)
    deleted = st.session_state.get(keys.DELETED_RUN)
    if run is not None and record is not None:
        draw_one_run(run, record)
    elif opened and not (deleted and deleted.run_id == opened):
        st.info("This run is not in the log.", icon=":material/search_off:")
