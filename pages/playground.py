"""One request, every field, the live answer."""

import streamlit as st

from components.contract.errors import read_error
from components.contract.request import UnsendableField
from components.runs.query import QueryFailed, find_run
from components.runs.run import Run, RunRecord
from components.service import service
from components.ui import state
from components.ui.endpoint_choice import draw_endpoint_and_model
from components.ui.native_view import draw_live, draw_nothing_yet, draw_record
from components.ui.request_form import draw_settings, make_request


def find(run_id: str | None) -> Run | RunRecord | None:
    """The run to show: living in this process, else from the log."""
    if run_id is None:
        return None
    run = service().runner.find(run_id)
    if run is not None:
        return run
    database = service().log.database
    try:
        return find_run(database, run_id) if database else None
    except QueryFailed as failure:
        st.error(str(failure))
        return None


def refused_fields(shown: Run | RunRecord | None) -> tuple[str, ...]:
    """The fields that the endpoint named when it refused the run that is shown."""
    record = shown.record() if isinstance(shown, Run) else shown
    return read_error(record.raw_error).fields if record and record.raw_error else ()


run_id, brought = state.arrive()
shown = find(run_id)
asked = shown.record() if isinstance(shown, Run) else shown
state.begin(asked)
if brought and asked:
    state.fill_from(asked)

work, settings = st.columns([5, 2], gap="large")

with settings:
    endpoint = draw_endpoint_and_model()
    form = draw_settings(endpoint.profile, refused_fields(shown))

with work:
    st.text_area(
        "System",
        state.start_of(state.SYSTEM),
        key=state.SYSTEM,
        height=68,
        placeholder="Optional: rules for the whole answer",
        persist_state="session",
    )
    st.text_area("Prompt", state.start_of(state.PROMPT), key=state.PROMPT, height=120, persist_state="session")
    with st.container(horizontal=True, vertical_alignment="center"):
        run_clicked = st.button(
            "Run", key=state.RUN, type="primary", shortcut="Ctrl+Enter", icon=":material/play_arrow:"
        )
        stop_clicked = st.button("Stop", key=state.STOP, icon=":material/stop:")
        send_anyway = bool(form.out_of_range) and st.checkbox(
            "Send anyway", key=state.SEND_ANYWAY, help="Lets the endpoint say itself what it thinks of these values."
        )
    if stop_clicked and isinstance(shown, Run):
        shown.stop()
    if run_clicked:
        try:
            if form.out_of_range and not send_anyway:
                raise ValueError(f"{' '.join(form.out_of_range.values())} Change it, or tick Send anyway.")
            shown = service().runner.start(endpoint, make_request(form))
        except UnsendableField as problem:
            st.error(str(problem))
        except ValueError as problem:
            st.error(str(problem))
        else:
            state.show_run(shown.id)

    if shown is None:
        if run_id:
            st.info("The run in this link is not in the log.", icon=":material/search_off:")
        draw_nothing_yet()
    elif isinstance(shown, Run) and not shown.finished:
        draw_live(shown)
    else:
        draw_record(shown.record() if isinstance(shown, Run) else shown)
