"""Runs the playground's form, and stops the shown run."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.drafts import sentences
from components.drafts.composed import Composed, compose
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard
from components.log.record import RunRecord
from components.log.stopping import request_stop
from components.runs.order import order_for
from components.runs.run import Run
from components.ui import state
from components.ui.answer.run_lookup import find, record_of, request_of
from components.ui.answer.sending import start
from components.ui.available_endpoints import available_endpoints
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form, keys
from components.ui.form.endpoint_choice import model_cards
from components.ui.form.probability_switch import switch_off_probabilities
from components.ui.page_script import focus
from components.ui.playground.mode_bar import close_sheet
from components.ui.user_errors import show_errors_later
from components.ui.visitor import own_log


def compose_form(draft: Draft, endpoint: AnyEndpoint, card: ModelCard | None, shown: RunRecord | None) -> Composed:
    """The form's request for an endpoint. ``card`` is the model's card; ``shown`` is the run on the page."""
    before = request_of(shown) if shown and shown.endpoint == endpoint.name else None
    same_prompt = before is not None and draft.has_prompt_of(before, endpoint.profile)
    return compose(
        draft,
        endpoint.profile,
        context_tokens=card.context_length if card else None,
        # The endpoint's count for the same prompt is exact.
        prompt_tokens=shown.prompt_tokens if shown and same_prompt else None,
    )


def run_form() -> None:
    """Start a run of the form and show it; the page shows any objection."""
    draft = draft_form.read()
    endpoint = available_endpoints().get(draft.endpoint or "")
    if endpoint is None:
        st.session_state[state.RUN_PROBLEM] = sentences.ENDPOINT_UNKNOWN.format(endpoint=draft.endpoint)
        return
    card = next((card for card in model_cards(endpoint) if card.id == draft.model), None)
    shown = find(st.session_state.get(state.SHOWN_RUN))
    composed = compose_form(draft, endpoint, card, record_of(shown))
    objection = composed.objection(send_anyway=bool(st.session_state.get(state.SEND_ANYWAY)))
    requested = (endpoint.name, composed.body)
    if isinstance(shown, Run) and not shown.finished and (shown.order.endpoint.name, shown.order.body) == requested:
        return  # the key is held down, or the button was pressed twice: the same request is already running
    order = order_for(endpoint, composed, draft)
    if composed.problem and composed.problem.field == "variables":
        # The variables, just above the Run button, show the sentence already.
        if empty := next((name for name in draft.variable_names if not draft.variables.get(name)), None):
            focus(keys.variable_key(empty))
    elif objection or order is None:
        st.session_state[state.RUN_PROBLEM] = objection or ""
    elif run := start(replace(order, checks=rules_form.checks_with(draft.variables))):
        state.show_run(run.id)
        st.session_state.pop(keys.NOTES, None)
        close_sheet()


def run_form_without_probabilities() -> None:
    """Omit both fields of token probabilities, and start a run."""
    switch_off_probabilities()
    run_form()


def stop_shown() -> None:
    """Stop the run that the playground shows."""
    shown = find(st.session_state.get(state.SHOWN_RUN))
    if isinstance(shown, Run):
        shown.stop()
    elif shown and shown.running:
        with show_errors_later(state.RUN_PROBLEM, "Not stopped: "):
            request_stop(own_log(), shown.id)
