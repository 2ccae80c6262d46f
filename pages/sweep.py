"""Axes, plan and live grid: one prompt, settings varied step by step, and the effects."""

from collections.abc import Sequence

import streamlit as st

from components.experiments.axes import AxisProblem
from components.experiments.cells import objections
from components.experiments.file_format import ExperimentFile
from components.experiments.problem import SweepProblem
from components.experiments.stored_sweep import StoredSweep
from components.server.process import service
from components.ui import presses, state
from components.ui.answer.own_html import draw_style
from components.ui.choices import draw_action
from components.ui.experiment_file import rules_form
from components.ui.experiment_file.answer_checks import draw_judging
from components.ui.experiment_file.file_menu import draw_file_menu, opened_file
from components.ui.form import draft_form
from components.ui.form.base_form import draw_base
from components.ui.form.message_editor import draw_undo
from components.ui.form.run_button import draw_run_button, draw_send_anyway
from components.ui.page_heading import draw_heading_row
from components.ui.plain_words import plain_words
from components.ui.shortcuts import draw_shortcuts
from components.ui.sweep import keys, running, setup_form
from components.ui.sweep.cost_view import confirmed, draw_cost, draw_question
from components.ui.sweep.data_set_form import draw_data_set, filled_variables
from components.ui.sweep.grid import RESULTS, draw_sweep
from components.ui.sweep.history import draw_earlier_sweeps, put_sweep
from components.ui.sweep.plan_form import draw_plan, has_table
from components.ui.user_errors import show_errors
from components.ui.visitor import own_experiment

_MAX_PROBLEMS = 5

sweep_id, opened = state.experiment_in_address(state.SWEEP)
stored, unreadable = None, True
with show_errors():
    stored = running.stored_sweep(sweep_id)
    unreadable = False
draft_form.begin(lambda: stored.draft if stored else None)
setup_form.begin(stored.setup if stored else None)
rules_form.begin(lambda: stored.rules if stored else None)
if opened and stored:
    put_sweep(stored)
if file := opened_file(sweep=True):
    setup_form.put(file.setup or setup_form.read())

folded = bool(st.session_state.get(keys.SETUP_FOLDED))
with draw_heading_row("Sweep", "One prompt with settings varied step by step, and what they change"):
    draw_undo()
    draw_file_menu(lambda: ExperimentFile(draft_form.read(), setup_form.read(), rules_form.read()))
    draw_earlier_sweeps()
    draw_shortcuts()
bar = st.container(horizontal=True, vertical_alignment="center", key="run_bar")
# Hidden by style: the widgets keep their values, and nothing below them is a new element.
draw_style(f'[data-testid="stLayoutWrapper"]:has(> .st-key-sweep_setup) {{ display: {"none" if folded else "flex"}; }}')
with st.container(key="sweep_setup", border=True, gap="small"):
    draft = draw_base(filled=filled_variables(setup_form.read()))
    setup_form.draw_axes(draft)
    setup = setup_form.read()
    inputs, data_problem = draw_data_set(setup, draft)
    rows: list[dict[str, str]] = []
    numbers: Sequence[int] = ()
    problem = None
    try:
        rows, numbers = draw_plan(setup)
    except SweepProblem as error:
        # Problems of an axis are shown beside it.
        problem = None if isinstance(error, AxisProblem) and not has_table(setup) else error.sentence

requests = running.requests_for(draft, rows, inputs) if rows and not data_problem else []
logged = running.answers_in_log(requests, setup.repeats)
ready = sum(not request.problem for request in requests)
with bar:
    draw_run_button("Run the sweep", running.request_run, key=keys.SWEEP_RUN, disabled=not ready)
    if any(request.composed.may_be_refused for request in requests):
        draw_send_anyway()
    count = draw_cost(requests, setup, logged)
    st.space("stretch")
    rules_form.draw_rules()
    label = "Edit set-up" if folded else "Fold set-up"
    icon = ":material/unfold_more:" if folded else ":material/unfold_less:"
    draw_action(label, "fold_setup", icon, st.session_state.__setitem__, keys.SETUP_FOLDED, not folded)
if folded:
    st.markdown(f":small[{setup_form.in_words(setup, draft)}]")
rules_form.draw_rules_problem()
if problem:
    st.error(plain_words(problem))
reasons = list(objections(requests, numbers).items())
for reason, rows_in_words in reasons[:_MAX_PROBLEMS]:
    st.markdown(f":orange[:material/warning: :small[{rows_in_words}: {plain_words(reason)}]]")
if len(reasons) > _MAX_PROBLEMS:
    st.caption(f"And {len(reasons) - _MAX_PROBLEMS:,} more reasons.")
requested_count = st.session_state.get(keys.SWEEP_REQUESTED)
if requested_count is not None and ready and (requested_count == count or confirmed(count)):
    sweep = StoredSweep(draft, setup_form.read(), rows, inputs, logged if setup.reuse else {}, rules_form.read())
    presses.unbroken(lambda: running.start(sweep, requests))
    st.session_state[keys.SETUP_FOLDED] = True
    st.rerun()
st.session_state.pop(keys.SWEEP_REQUESTED, None)
draw_question(count)
if problem_of_workers := service().workers_problem:
    st.warning(plain_words(f"{problem_of_workers} Meanwhile, this process makes the runs."))
if sweep_id and stored:
    experiment = own_experiment(sweep_id)
    if opened and not (experiment and experiment.active):
        st.session_state[keys.SWEEP_TABS] = RESULTS
    draw_judging(sweep_id, keys.SWEEP_RESULTS)
    draw_sweep(sweep_id, stored, experiment)
elif sweep_id and not unreadable:
    st.info("This sweep is not in the log.", icon=":material/search_off:")
