"""One request, every field, the live answer."""

import streamlit as st

from components.contract.difference import differences
from components.contract.errors import read_error
from components.contract.lint import MESSAGES, Severity, lint
from components.contract.request import UnsendableField, to_bytes
from components.drafts.draft import DraftProblem, NothingWritten
from components.runs.run import Run
from components.service import service
from components.ui import draft_form, state
from components.ui.answer_actions import asked, draw_actions, draw_stale_notice
from components.ui.answer_siblings import answers_to, note_run
from components.ui.code_view import draw_code, draw_import
from components.ui.endpoint_choice import configuration, draw_endpoint_and_model
from components.ui.events_view import draw_events
from components.ui.message_editor import draw_messages, draw_notes, draw_variables
from components.ui.native_view import draw_run
from components.ui.presets import draw_presets
from components.ui.remarks import draw_problem, draw_remarks
from components.ui.request_form import draw_reset_all, draw_settings
from components.ui.request_preview import draw_request
from components.ui.run_bar import ANSWER, CODE, EVENTS, REQUEST, draw_run_bar
from components.ui.run_lookup import find, record_of

run_id, brought = state.arrive()
shown = find(run_id)
record = record_of(shown)
draft_form.begin(record)
if brought and record:
    draft_form.fill_from(record)

work, settings = st.columns([5, 3], gap="large")

with settings, st.container(key="settings"):
    endpoint, card = draw_endpoint_and_model()
    profile = endpoint.profile
    toolbar = st.container(horizontal=True, vertical_alignment="center", gap="medium", key="form_tools")
    places = draw_settings(profile, card, read_error(record.raw_error).fields if record and record.raw_error else ())

with work:
    draw_messages()
    draw_notes()
    draw_variables()
    places[MESSAGES] = st.container(gap="xxsmall")

draft = draft_form.read()
with toolbar:
    draw_presets()
    draw_import(profile)
    draw_reset_all(draft)

request = body = problem = None
remarks = []
try:
    request = draft.to_request(profile)
    before = asked(record) if record else None
    known_size = record.prompt_tokens if record and before and before.messages == request.messages else None
    remarks = lint(request, profile, context_tokens=card.context_length if card else None, prompt_tokens=known_size)
    body = to_bytes(request, profile)
except DraftProblem as missing:
    problem = missing
    if not isinstance(missing, NothingWritten):
        draw_problem(missing, places)
except UnsendableField:
    pass  # a remark says so, beside the field
if request:
    draw_remarks(remarks, request, places)

with work:
    bar = draw_run_bar(may_be_refused=any(remark.severity is Severity.MAY_BE_REFUSED for remark in remarks))
    # Always there, so that a sentence which comes or goes does not move what stands below it.
    sentence = st.container()
    if bar.stop and isinstance(shown, Run):
        shown.stop()
    if bar.run:
        refused = [remark.sentence for remark in remarks if remark.severity is Severity.MAY_BE_REFUSED]
        cannot = [remark.sentence for remark in remarks if remark.severity is Severity.CANNOT_BE_SENT]
        if problem or cannot:
            sentence.error(str(problem) if problem else " ".join(cannot))
        elif refused and not bar.send_anyway:
            sentence.error(f"{' '.join(refused)} Change it, or tick Send anyway.")
        elif request:
            shown = service().runner.start(endpoint, request, draft.for_log())
            record = shown.record()
            state.show_run(shown.id)
            st.session_state.pop(state.NOTES, None)

    if st.session_state.pop(state.BRANCH_CHOSEN, False) and body and (answers := answers_to(endpoint.name, body)):
        # Each branch brings the answer that it got.
        state.show_run(answers[-1])
        shown = find(answers[-1])
        record = record_of(shown)
    if record:
        note_run(record)
    if shown is None and run_id:
        sentence.info("The run in this link is not in the log.", icon=":material/search_off:")

    sent = asked(record) if record else None
    stale = bool(record and (record.request_body.encode() != body or record.endpoint != endpoint.name))
    changes = differences(sent, request) if stale and sent and request else []

    def draw_what_can_be_done() -> None:
        """The actions of a run that has ended, between its numbers and its answer."""
        if record:
            if stale:
                draw_stale_notice(record, changes)
            draw_actions(record, configuration().endpoints.get(record.endpoint), stale=stale)

    draw_run(shown, stale=stale, with_answer=bar.view == ANSWER, above_answer=draw_what_can_be_done)
    if bar.view == REQUEST:
        draw_request(endpoint, body, record, stale=stale)
    elif bar.view == EVENTS:
        draw_events(shown)
    elif bar.view == CODE:
        draw_code(endpoint, request)

draft_form.keep(draft)
