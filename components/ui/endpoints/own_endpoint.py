"""The form for a visitor's own endpoint, where the operator allows it."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import PROFILES
from components.endpoints.endpoint import Endpoint
from components.endpoints.own import own_endpoint
from components.endpoints.typed import EndpointField, UnusableEndpoint
from components.server.process import service
from components.settings import read_settings
from components.ui.available_endpoints import OWN_ENDPOINT, own_endpoints
from components.ui.endpoints.dialect_rules import dialect_in_words
from components.ui.plain_words import plain_words

OWN_PROBLEMS = "own_endpoint_problems"
FORGET = "own_endpoint_forget"
SAVE = "own_endpoint_save"

KEPT = "Kept in this browser session only; gone when you close or reload the page."


def widget_key(field: EndpointField) -> str:
    """The key of the form's input for a field, such as ``own_endpoint_base_url``."""
    return f"{OWN_ENDPOINT}_{field}"


def draw_own_endpoint() -> None:
    """Draw the visitor's own endpoint and its form; nothing where the operator does not allow it."""
    if not read_settings().own_endpoints:
        return
    st.subheader("Your own endpoint", anchor=False)
    for endpoint in own_endpoints().values():
        _draw_stored(endpoint)
    with st.form("own_endpoint_form"):
        address, secret = st.columns(2)
        with address:
            st.text_input("Base URL", key=widget_key(EndpointField.BASE_URL), placeholder="https://host/v1")
            _draw_problem(EndpointField.BASE_URL)
        with secret:
            st.text_input(
                "Key",
                key=widget_key(EndpointField.KEY),
                type="password",
                autocomplete="off",
                help="Sent only to the base URL's scheme, host and port. Leave it empty if none is needed.",
            )
            _draw_problem(EndpointField.KEY)
        dialect, model = st.columns(2)
        with dialect:
            st.selectbox(
                "Dialect",
                list(PROFILES),
                format_func=dialect_in_words,
                key=widget_key(EndpointField.DIALECT),
                help="The endpoint's names and ranges for the fields of a request.",
            )
            _draw_problem(EndpointField.DIALECT)
        with model:
            key = widget_key(EndpointField.MODEL)
            st.text_input("Model", key=key, placeholder="Optional", help="The default model.")
            _draw_problem(EndpointField.MODEL)
        st.caption(KEPT)
        st.form_submit_button("Use this endpoint", key=SAVE, on_click=_save)


def _draw_stored(endpoint: Endpoint) -> None:
    address = endpoint.fixed_address
    with st.container(key="own_endpoint_kept", border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain_words(endpoint.name, 60)}**", width="content")
        # As plain text: an address in Markdown becomes a link.
        st.text(f"{address.base_url} · {endpoint.profile.name} · {'key: set' if address.key else 'no key'}")
        st.button("Forget", key=FORGET, icon=":material/delete:", on_click=_forget, help="Current runs continue.")


def _draw_problem(field: EndpointField) -> None:
    problems = st.session_state.get(OWN_PROBLEMS, {})
    if field in problems:
        st.error(plain_words(problems[field]))


def _save() -> None:
    typed = {field: st.session_state.get(widget_key(field)) or "" for field in EndpointField}
    # The key is always removed from the input, here and in the browser.
    st.session_state[widget_key(EndpointField.KEY)] = ""
    st.session_state.pop(OWN_PROBLEMS, None)
    try:
        taken = service().configuration().endpoints
        st.session_state[OWN_ENDPOINT] = own_endpoint(typed, read_settings(), taken)
    except UnusableEndpoint as unusable:
        problems = dict(unusable.problems)
        if typed[EndpointField.KEY]:
            problems.setdefault(EndpointField.KEY, "Enter the key again: it was not kept.")
        st.session_state[OWN_PROBLEMS] = problems


def _forget() -> None:
    st.session_state.pop(OWN_ENDPOINT, None)
    st.session_state.pop(OWN_PROBLEMS, None)
