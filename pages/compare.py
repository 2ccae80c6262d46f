"""Lanes: one prompt, several settings, side by side."""

import streamlit as st

from components.experiments.lanes import lane_requests
from components.ui import state
from components.ui.available_endpoints import available_endpoints
from components.ui.compare.board import draw_board
from components.ui.compare.controls import draw_controls, draw_menus
from components.ui.compare.keys import CHECKED
from components.ui.compare.lane_runs import lane_runs
from components.ui.compare.outcome import draw_outcome
from components.ui.compare.share import answers_of
from components.ui.compare.starting import open_comparison, rules_of, stored_draft
from components.ui.compare.vote import blind_pair, draw_blind
from components.ui.experiment_file import rules_form
from components.ui.experiment_file.answer_checks import draw_judging
from components.ui.experiment_file.file_menu import opened_file
from components.ui.form import draft_form
from components.ui.form.base_form import draw_base
from components.ui.form.endpoint_choice import model_cards
from components.ui.form.link_bar import draw_link_bar, fill_from_link
from components.ui.page_heading import draw_heading_row
from components.ui.share.share_dialog import draw_share_button
from components.ui.visitor import own_experiment

experiment_id, opened = state.experiment_in_address(state.EXPERIMENT)
draft_form.begin(lambda: stored_draft(experiment_id))
rules_form.begin(lambda: rules_of(experiment_id))
if opened and experiment_id and (kept := stored_draft(experiment_id)):
    open_comparison(experiment_id, kept)
opened_file(sweep=False)
fill_from_link("compare.py")
draw_link_bar()

heading = draw_heading_row("Compare", "One prompt with several settings, side by side")
bar = st.container()
draft = draw_base(with_lanes=True)
endpoints = available_endpoints()
requests = lane_requests(draft, endpoints, model_cards)
experiment = own_experiment(experiment_id)
# Before the lanes are read: a run that starts or ends from now on causes another draw.
version = experiment.version if experiment else 0
runs = lane_runs(experiment)
pair = blind_pair(requests, runs)
with bar:
    draw_controls(
        draft.comparison,
        may_be_refused=any(request.composed.may_be_refused for request in requests),
        active=experiment is not None and experiment.active,
    )
with heading:
    draw_menus(
        blind=pair is not None,
        draw_share=lambda: draw_share_button(lambda: answers_of(draft, runs), draft, comparison=True),
    )
draw_judging(experiment_id, CHECKED)
draw_blind(requests, runs, pair)
if experiment_id and not runs and not (experiment and experiment.active):
    st.info("The log has no runs of this comparison.", icon=":material/search_off:")
draw_board(requests, runs, experiment, draft, endpoints, version=version, blind_order=pair)
draw_outcome(
    requests,
    runs,
    experiment,
    version=version,
    blind_order=pair,
    as_written=bool(st.session_state.get(state.AS_WRITTEN)),
)
