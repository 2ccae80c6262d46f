"""Lanes: one prompt, several settings, side by side."""

import streamlit as st

from components.contract.lint import MESSAGES
from components.drafts.composed import compose
from components.experiments.lanes import lane_requests
from components.ui import draft_form, state
from components.ui.comparing.board import draw_board
from components.ui.comparing.controls import draw_controls
from components.ui.comparing.lane_runs import lane_runs
from components.ui.comparing.outcome import draw_outcome
from components.ui.comparing.starting import kept_draft, shown_experiment, stop_gone_lanes
from components.ui.comparing.vote import blind_order
from components.ui.endpoint_choice import configuration, draw_endpoint_and_model, model_cards
from components.ui.message_editor import draw_messages, draw_notes, draw_variables
from components.ui.presets import draw_presets
from components.ui.remarks import draw_remarks
from components.ui.request_form import draw_reset_all, draw_settings

experiment_id, opened = state.arrive_at_experiment()
draft_form.begin(lambda: kept_draft(experiment_id))
if opened and (kept := kept_draft(experiment_id)):
    draft_form.fill(kept, "comparison opened")

work, side = st.columns([5, 3], gap="large")

with side, st.container(key="base_settings"):
    endpoint, card = draw_endpoint_and_model()
    changed = len(draft_form.read().changed_fields)
    with st.expander("Settings of the base" + (f" :blue-badge[{changed} set]" if changed else ""), key="base_box"):
        tools = st.container(horizontal=True, vertical_alignment="center", gap="medium", key="form_tools")
        places = draw_settings(endpoint.profile, card)

with work:
    draw_messages()
    draw_notes()
    draw_variables(with_lanes=True)
    places[MESSAGES] = st.container(gap="xxsmall")

draft = draft_form.read()
draft_form.keep(draft)
with tools:
    draw_presets()
    draw_reset_all(draft)
draw_remarks(
    compose(draft, endpoint.profile, context_tokens=card.context_length if card else None), endpoint.profile, places
)

endpoints = configuration().endpoints
requests = lane_requests(draft, endpoints, model_cards)
experiment = shown_experiment(experiment_id)
blind = draw_controls(draft.comparison, may_be_refused=any(request.composed.may_be_refused for request in requests))
order = blind_order([request.lane.id for request in requests]) if blind else None
stop_gone_lanes(experiment, draft.comparison)
# Before the lanes are looked at: what begins or ends from now on is drawn once more.
version = experiment.version if experiment else 0
found = lane_runs(experiment)
if experiment_id and not found and not (experiment and experiment.going_on):
    st.info("No run of this comparison is in the log.", icon=":material/search_off:")
draw_board(requests, found, experiment, draft, endpoints, blind_order=order)
draw_outcome(
    requests,
    found,
    experiment,
    version=version,
    blind_order=order,
    as_written=bool(st.session_state.get(state.AS_WRITTEN)),
)
