"""One request, every field, the live answer."""

import streamlit as st

from components.contract.errors import read_error
from components.runs.run import Run
from components.service import service
from components.ui import state
from components.ui.endpoint_choice import draw_endpoint_and_model
from components.ui.native_view import draw_run
from components.ui.request_form import draw_settings, make_request
from components.ui.run_lookup import find, record_of

run_id, brought = state.arrive()
shown = find(run_id)
asked = record_of(shown)
state.begin(asked)
if brought and asked:
    state.fill_from(asked)

work, settings = st.columns([5, 2], gap="large")

with settings:
    endpoint = draw_endpoint_and_model()
    form = draw_settings(endpoint.profile, read_error(asked.raw_error).fields if asked and asked.raw_error else ())

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
    # Always there, so that a sentence which comes or goes does not move what stands below it.
    sentence = st.container()
    if stop_clicked and isinstance(shown, Run):
        shown.stop()
    if run_clicked:
        try:
            if form.out_of_range and not send_anyway:
                raise ValueError(f"{' '.join(form.out_of_range.values())} Change it, or tick Send anyway.")
            shown = service().runner.start(endpoint, make_request(form))
        except ValueError as problem:
            sentence.error(str(problem))
        else:
            state.show_run(shown.id)

    if shown is None and run_id:
        sentence.info("The run in this link is not in the log.", icon=":material/search_off:")
    draw_run(shown)
