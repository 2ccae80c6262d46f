"""One request, every field, the live answer."""

import streamlit as st

from components.contract.difference import differences
from components.contract.errors import read_error
from components.contract.lint import MESSAGES
from components.sharing.capsule import Kind
from components.ui import state
from components.ui.answer.events_view import draw_events
from components.ui.answer.place import Place
from components.ui.answer.probabilities import draw_run_without_probabilities
from components.ui.answer.run_lookup import find, record_of, request_of
from components.ui.answer.run_view import draw_run
from components.ui.answer.view_switches import draw_view_row
from components.ui.available_endpoints import available_endpoints
from components.ui.compare.starting import compare_with
from components.ui.experiment_file import rules_form
from components.ui.form import draft_form, widget_values
from components.ui.form import keys as form_keys
from components.ui.form.code_view import draw_code, draw_import
from components.ui.form.endpoint_choice import draw_endpoint_and_model
from components.ui.form.link_bar import draw_link_bar, fill_from_link
from components.ui.form.message_editor import draw_messages, draw_notes, draw_variables
from components.ui.form.presets import draw_presets
from components.ui.form.probability_switch import asks_for_probabilities
from components.ui.form.remarks import draw_remarks
from components.ui.form.request_form import draw_reset_all, draw_settings
from components.ui.page_heading import draw_heading
from components.ui.playground import keys as playground_keys
from components.ui.playground.answer_actions import draw_actions, draw_stale_notice
from components.ui.playground.answer_siblings import answers_to, note_run
from components.ui.playground.branching import branching
from components.ui.playground.conversation_turns import draw_composer, draw_conversation, is_below_turns
from components.ui.playground.form_run import compose_form, run_form_without_probabilities
from components.ui.playground.mode_bar import draw_hide_settings, draw_layout, draw_mode_bar, is_conversation
from components.ui.playground.previous_run import draw_previous_run
from components.ui.playground.request_preview import draw_request
from components.ui.playground.run_bar import ANSWER, CODE, EVENTS, REQUEST, draw_run_bar
from components.ui.share.share_answers import Answers
from components.ui.share.share_dialog import draw_share_button
from components.ui.user_errors import draw_error

if st.session_state.pop(state.GO_TO_COMPARE, False):
    st.switch_page("compare.py")

run_id, opened = state.run_in_address()
shown = find(run_id)
record = record_of(shown)
draft_form.begin(lambda: draft_form.draft_of(record) if record else None)
if opened and record:
    draft_form.fill_from(record)
fill_from_link("playground.py")
draw_link_bar()

draw_heading("Playground")
draw_layout()
left, settings = st.container(key="playground").columns([15, 8], gap="medium")
work = left.container(key="work", gap="xsmall")

with settings, st.container(key="settings", gap="xsmall"):
    tools = st.container(horizontal=True, vertical_alignment="center", gap="small", key="form_tools", wrap=False)
    endpoint, card = draw_endpoint_and_model()
    refused = read_error(record.raw_error).fields if record and record.raw_error else ()
    places = draw_settings(endpoint.profile, card, refused)

with work:
    draw_mode_bar()
    conversation = is_conversation()
    if conversation:
        draw_conversation()
    else:
        draw_messages()
    draw_notes()
    draw_variables()
    places[MESSAGES] = st.container(gap="xxsmall")
    widget_values.draw_count()

draft = draft_form.keep()
with tools:
    draw_presets()
    draw_import(endpoint.profile)
    ended = {"": record} if record and not record.running else {}
    shared = Answers(Kind.RUN, ended, checks=rules_form.read().checks)
    draw_share_button(lambda: shared, draft)
    draw_reset_all(draft)
    st.space("stretch")
    draw_hide_settings()

composed = compose_form(draft, endpoint, card, record)
draw_remarks(composed, endpoint.profile, places)

if st.session_state.pop(form_keys.BRANCH_CHOSEN, False) and (answers := answers_to(endpoint.name, composed.body)):
    # Each branch keeps the answer that it received.
    state.show_run(answers[-1])
    shown = find(answers[-1])
    record = record_of(shown)
stale = bool(record and (record.request_body.encode() != composed.body or record.endpoint != endpoint.name))


def draw_run_actions() -> None:
    """The actions of a run, under its numbers."""
    if record and record.running:
        draw_view_row(record)
    elif record:
        draw_actions(
            record,
            available_endpoints().get(record.endpoint),
            stale=stale,
            conversation=conversation,
            compare_with=compare_with,
        )
        sent = request_of(record)
        if stale:
            draw_stale_notice(record, differences(sent, composed.request) if sent and composed.request else [])


def draw_sentence() -> None:
    """Why nothing runs or is shown."""
    # Always there: a message that appears or vanishes must not move the elements below it.
    with st.container():
        draw_error(state.RUN_PROBLEM)
        if shown is None and run_id:
            st.info("The run in this link is not in the log.", icon=":material/search_off:")


def draw_result(view: str) -> None:
    """The chosen view of the run, or of the form's request."""
    if view == REQUEST:
        draw_request(endpoint, composed.body, record, stale=stale)
    elif view == EVENTS:
        draw_events(shown)
    elif view == CODE:
        draw_code(endpoint, composed.request)
    in_place = shown if not conversation or is_below_turns(record) else None
    draw_run(
        in_place,
        record if in_place else None,
        stale=stale,
        with_answer=view == ANSWER,
        actions=draw_run_actions,
        place=Place(branching=branching(record, available_endpoints().get(record.endpoint) if record else None)),
    )
    draw_run_without_probabilities(record, run_form_without_probabilities, requested=asks_for_probabilities(draft))


if record:
    note_run(record)
running = bool(record and record.running)
with work:
    if conversation:
        draw_result(st.session_state.get(playground_keys.VIEW) or ANSWER)
        with st.container(key="composer_area", gap="xsmall"):
            draw_sentence()
            draw_composer()
            draw_run_bar(may_be_refused=composed.may_be_refused, running=running)
    else:
        view = draw_run_bar(may_be_refused=composed.may_be_refused, running=running)
        draw_sentence()
        draw_result(view)
        if record:
            draw_previous_run(record, compare_with)
