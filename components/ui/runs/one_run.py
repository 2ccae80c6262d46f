"""One run, opened from the list, in a drawer: its answer, request, times, events, code and annotations."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import cast

import streamlit as st

from components.experiments.store import COMPARISON, SWEEP, find_experiment
from components.log.annotations import MAX_CHARACTERS, annotate, annotation_of
from components.log.markdown_export import as_markdown
from components.log.record import RunRecord
from components.log.stopping import request_stop
from components.runs.order import order_again
from components.runs.run import Run
from components.sharing.capsule import Kind
from components.ui import presses, shortcuts, state
from components.ui.answer.check_results import draw_results
from components.ui.answer.events_view import draw_events
from components.ui.answer.run_lookup import request_of
from components.ui.answer.run_view import draw_run
from components.ui.answer.sending import start
from components.ui.answer.times_view import draw_times
from components.ui.available_endpoints import available_endpoints
from components.ui.choices import choose_view, draw_action, draw_file_button
from components.ui.experiment_file import rules_form
from components.ui.form.code_view import draw_code
from components.ui.plain_words import plain_words
from components.ui.runs import keys
from components.ui.runs.opened_run import close_run, open_run
from components.ui.runs.selection import delete
from components.ui.runs.table import list_again
from components.ui.share.share_answers import Answers
from components.ui.share.share_dialog import draw_share_button
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors, show_errors_later
from components.ui.visitor import own_log

ANSWER, REQUEST, TIMES, EVENTS, CODE, NOTES = "Answer", "Request", "Times", "Events", "Code", "Notes"
_MAX_FACT_CHARS = 200
_EXPERIMENT_PAGES = {
    COMPARISON: ("compare.py", "Open its comparison", ":material/view_column:"),
    SWEEP: ("sweep.py", "Open its sweep", ":material/grid_on:"),
}


def draw_one_run(run: Run | RunRecord, record: RunRecord) -> None:
    """Draw the run in a drawer over the page, one part of it at a time."""
    with st.container(key="run_drawer", gap="small"):
        _draw_head(record)
        _draw_actions(run, record)
        part = choose_view("Part", [ANSWER, REQUEST, TIMES, EVENTS, CODE, NOTES], keys.DRAWER_PART)
        if part == REQUEST:
            _draw_request(record)
        elif part == TIMES:
            draw_times(record)
        elif part == EVENTS:
            draw_events(run)
        elif part == CODE:
            _draw_code(record)
        elif part == NOTES:
            _draw_annotation(record)
        else:
            draw_run(run)
            draw_results(record)


def _draw_head(record: RunRecord) -> None:
    """Draw when the run started and its model, and the buttons to the next runs of the list and to the page."""
    listed: list[str] = st.session_state.get(keys.LISTED_RUNS, [])
    index = listed.index(record.id) if record.id in listed else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        source = f"{plain_words(record.model, 60)} on {plain_words(record.endpoint, 60)}"
        st.markdown(f"**{local_time(record.created_at):%-d %b, %H:%M:%S}** :gray[{source}]", width="content")
        st.space("stretch")
        for label, icon, step, key in (
            ("Run above", ":material/keyboard_arrow_up:", -1, "run_above_previous"),
            ("Run below", ":material/keyboard_arrow_down:", 1, "run_below_next"),
        ):
            run = None if index is None or not 0 <= index + step < len(listed) else listed[index + step]
            draw_action(label, key, icon, open_run, run, disabled=run is None)
        draw_action("Close", "close_run", ":material/close:", close_run, shortcut=shortcuts.CLOSE)


def _draw_request(record: RunRecord) -> None:
    st.markdown(":small[Request, exactly as sent]")
    st.code(record.request_body, language="json", wrap_lines=True)
    facts = [f"{name} **{plain_words(value, _MAX_FACT_CHARS)}**" for name, value in record.endpoint_facts]
    if words := " · ".join(facts):
        st.markdown(f":small[:gray[Endpoint's message: {words}]]")


def _draw_actions(run: Run | RunRecord, record: RunRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_actions"):
        st.page_link(
            "playground.py",
            label="Open in the playground",
            icon=":material/bolt:",
            query_params={state.OPEN_PARAMETER: record.id},
        )
        _draw_experiment_link(record)
        if record.determinism:
            st.markdown(
                f":small[:material/fingerprint: Sent again: **{plain_words(record.determinism)}**]", width="content"
            )
        if record.running:
            stop = run.stop if isinstance(run, Run) else partial(_stop_elsewhere, record.id)
            st.button("Stop", key=state.STOP, icon=":material/stop:", on_click=presses.soon(stop))
        else:
            known = record.endpoint in available_endpoints()
            what = "Sends exactly the same bytes again." if known else "The endpoint with this name no longer exists."
            icon = ":material/replay:"
            draw_action("Run again", "run_again", icon, _run_again, record, disabled=not known, help=what)
            what = "The run as a document: request, answer and numbers."
            make = partial(as_markdown, record)
            draw_file_button("Markdown", "take_markdown", make, f"run-{record.id[:8]}.md", "text/markdown", what)
            draw_share_button(lambda: Answers(Kind.RUN, {"": record}, checks=rules_form.read().checks), key="share_run")
            draw_action("Delete", "remove_run", ":material/delete:", delete, [record.id], list_again)


@show_errors()
def _draw_experiment_link(record: RunRecord) -> None:
    """Draw the link to the run's comparison or sweep; nothing for a single run."""
    database = own_log().database
    if record.experiment_id is None or database is None:
        return
    experiment = find_experiment(database, record.experiment_id)
    if experiment and experiment.kind in _EXPERIMENT_PAGES:
        page, label, icon = _EXPERIMENT_PAGES[experiment.kind]
        st.page_link(page, label=label, icon=icon, query_params={state.OPEN_PARAMETER: experiment.id})


@show_errors()
def _draw_annotation(record: RunRecord) -> None:
    database = own_log().database
    annotation = annotation_of(database, record.id) if database else None
    if annotation is None:
        return
    widgets = {name: f"{name}_{record.id[:8]}" for name in ("rating", "tags", "notes")}
    if widgets["notes"] not in st.session_state:
        st.session_state[widgets["rating"]] = annotation.rating - 1 if annotation.rating else None
        st.session_state[widgets["tags"]] = list(annotation.tags)
        st.session_state[widgets["notes"]] = annotation.notes
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.feedback("stars", key=widgets["rating"], on_change=_annotate, args=(record.id, "rating", widgets["rating"]))
        st.multiselect(
            "Tags",
            # No fixed options: a widget whose options change forgets its choice.
            cast("list[str]", []),
            key=widgets["tags"],
            accept_new_options=True,
            placeholder="Tags",
            label_visibility="collapsed",
            on_change=_annotate,
            args=(record.id, "tags", widgets["tags"]),
        )
    st.text_area(
        "Notes",
        key=widgets["notes"],
        height=80,
        max_chars=MAX_CHARACTERS,
        placeholder="Your notes on this run",
        on_change=_annotate,
        args=(record.id, "notes", widgets["notes"]),
    )


def _annotate(run_id: str, name: str, key: str) -> None:
    """Save the changed fields only: another person may have changed the others."""
    log, value = own_log(), st.session_state[key]
    if name == "rating":
        value = None if value is None else value + 1
    elif name == "tags":
        value = tuple(value)
    with show_errors_later(keys.RUNS_PROBLEM, "Not kept: "):
        annotate(log, run_id, replace(annotation_of(log.readable, run_id), **{name: value}))


def _draw_code(record: RunRecord) -> None:
    endpoint, request = available_endpoints().get(record.endpoint), request_of(record)
    if endpoint is None:
        st.caption("There is no code for this run: its endpoint no longer exists.")
        return
    if request is None:
        st.caption("There is no code for this run: its body is not a Tempera request.")
        return
    draw_code(endpoint, request)


def _stop_elsewhere(run_id: str) -> None:
    with show_errors_later(keys.RUNS_PROBLEM, "Not stopped: "):
        request_stop(own_log(), run_id)


def _run_again(record: RunRecord) -> None:
    endpoint = available_endpoints().get(record.endpoint)
    if endpoint is None:
        return
    if run := start(order_again(endpoint, record)):
        list_again()
        open_run(run.id)
    else:
        st.session_state[keys.RUNS_PROBLEM] = st.session_state.pop(state.RUN_PROBLEM)
