"""Axes, plan, live grid: one prompt, one setting changed step by step, and what that does."""

import pandas as pd
import streamlit as st

from components.runs.query import QueryFailed
from components.sweeps.axes import AxisProblem
from components.sweeps.planning import cell_count, read_rows, records_of
from components.sweeps.problem import SweepProblem
from components.ui import draft_form, shortcuts, state
from components.ui.base_form import draw_base
from components.ui.plain_words import plain_words
from components.ui.sweeping import running, setup_form
from components.ui.sweeping.grid import draw_sweep

_MOST_PROBLEMS = 5

sweep_id, opened = state.arrive_at_experiment(state.SWEEP)
kept, unreadable = None, False
try:
    kept = running.kept_sweep(sweep_id)
except QueryFailed as failure:
    unreadable = True
    st.error(str(failure))
draft_form.begin(lambda: kept.draft if kept else None)
setup_form.begin(kept.setup if kept else None)
if opened and kept:
    draft_form.fill(kept.draft, "sweep opened")
    setup_form.put(kept.setup)

draft = draw_base()
setup_form.draw_axes(draft)
setup = setup_form.read()
rows: list[dict[str, str]] = []
problem = None
planned: list[dict[str, str]] = []
try:
    planned = records_of(setup.fields, setup.plan())
    with st.expander(f"Plan: {len(planned):,} row{'' if len(planned) == 1 else 's'}", key="plan_box"):
        st.caption("Edit values, add rows, take rows out. base: as the base has it.")
        edited = st.data_editor(
            pd.DataFrame(planned, columns=setup.fields),
            num_rows="dynamic",
            key=f"plan_{hash((setup.axes, setup.kind))}",
            column_config={field: st.column_config.TextColumn() for field in setup.fields},
        )
    rows = read_rows(setup.fields, [dict(zip(setup.fields, row, strict=True)) for row in edited.to_numpy().tolist()])
except SweepProblem as found:
    # What is wrong with an axis stands beside it.
    problem = None if isinstance(found, AxisProblem) and not planned else str(found)

requests = running.requests_for(draft, rows) if rows else []
refused = [request for request in requests if request.problem]
ready = len(requests) - len(refused)
with st.container(horizontal=True, vertical_alignment="center", key="run_bar"):
    run = st.button(
        "Run the sweep",
        key=state.SWEEP_RUN,
        type="primary",
        shortcut=shortcuts.RUN,
        icon=":material/play_arrow:",
        disabled=not ready,
    )
    if any(request.composed.may_be_refused for request in requests):
        st.checkbox("Send anyway", key=state.SEND_ANYWAY)
    asked = [request.composed.request for request in requests if request.composed.request and not request.problem]
    limits = [one.max_tokens for one in asked if one.max_tokens is not None]
    cells = cell_count(ready, 1, setup.repeats)
    known = limits and len(limits) == len(asked)
    worst = f", at most {sum(limits) * setup.repeats:,} completion tokens" if known else ""
    st.markdown(f":small[{cells:,} requests{worst}]", width="content")
if problem:
    st.error(plain_words(problem))
for request in refused[:_MOST_PROBLEMS]:
    st.markdown(f":orange[:material/warning: :small[Row {request.number}: {plain_words(request.problem or '')}]]")
if len(refused) > _MOST_PROBLEMS:
    st.caption(f"And {len(refused) - _MOST_PROBLEMS:,} more rows.")
if run and ready:
    running.start(running.KeptSweep(draft, setup, rows), requests)
    sweep_id = st.session_state[state.SWEEP]
    st.rerun()
if sweep_id and kept:
    draw_sweep(sweep_id, kept, running.experiment_of(sweep_id))
elif sweep_id and not unreadable:
    st.info("This sweep is not in the log.", icon=":material/search_off:")
