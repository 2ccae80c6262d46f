"""The endpoint and the model: both selects, the endpoint's model list, the embedded model's state."""

from __future__ import annotations

import streamlit as st

from components.embedded.process import EmbeddedModel
from components.embedded.status_line import ModelPhase
from components.endpoints.endpoint import AnyEndpoint, EmbeddedEndpoint
from components.endpoints.models import ModelCard, ModelsUnavailable, list_models
from components.ui import presses
from components.ui.available_endpoints import available_endpoints, own_endpoints
from components.ui.form import draft_form, keys, widget_values
from components.ui.form.field_line import draw_name, field_line
from components.ui.plain_words import plain_words

_LIST_LIFETIME_S = 60
_STATE_REFRESH_S = 0.5


def draw_endpoint_and_model() -> tuple[AnyEndpoint, ModelCard | None]:
    """Draw both selects; returns the chosen endpoint and its card of the chosen model."""
    endpoints = available_endpoints()
    names = list(endpoints)
    initial = draft_form.start().endpoint
    if st.session_state.get(keys.ENDPOINT, names[0]) not in names:
        # The operator has removed it.
        widget_values.put({keys.ENDPOINT: names[0]})
    with field_line(keys.ENDPOINT):
        draw_name("endpoint", "Endpoints are set up by Tempera's operator. The Endpoints page lists them.")
        name = st.selectbox(
            "endpoint",
            names,
            index=names.index(initial) if initial in names else 0,
            key=keys.ENDPOINT,
            on_change=presses.soon(_choose_first_model),
            label_visibility="collapsed",
            persist_state="session",
        )
    endpoint = endpoints[name]
    card = _draw_model(endpoint)
    if isinstance(endpoint, EmbeddedEndpoint):
        _draw_embedded_state(endpoint.model)
    return endpoint, card


def _draw_model(endpoint: AnyEndpoint) -> ModelCard | None:
    models, problem = _models(endpoint)
    initial = draft_form.start().model or _first_model(endpoint, models)
    options = [card.id for card in models]
    for model in (initial, st.session_state.get(keys.MODEL)):
        if model and model not in options:
            options.insert(0, model)
    with field_line(keys.MODEL):
        draw_name("model", "From the endpoint's list; you can enter another name.")
        chosen = st.selectbox(
            "model",
            options,
            index=options.index(initial) if initial else None,
            key=keys.MODEL,
            accept_new_options=True,
            placeholder="Choose or type a model",
            label_visibility="collapsed",
            persist_state="session",
        )
    if problem:
        st.caption(f"The endpoint's models could not be listed: {plain_words(problem)} Enter the model's name.")
    return next((card for card in models if card.id == chosen), None)


def _choose_first_model() -> None:
    """Choose the default model of the newly chosen endpoint."""
    chosen = st.session_state[keys.ENDPOINT]
    if chosen != draft_form.start().endpoint:
        endpoint = available_endpoints()[chosen]
        widget_values.put({keys.MODEL: _first_model(endpoint, _models(endpoint)[0])})


def _first_model(endpoint: AnyEndpoint, models: list[ModelCard]) -> str | None:
    return endpoint.default_model or (models[0].id if models else None)


def model_cards(endpoint: AnyEndpoint) -> list[ModelCard]:
    """The endpoint's model list, as known so far."""
    return _models(endpoint)[0]


def _models(endpoint: AnyEndpoint) -> tuple[list[ModelCard], str | None]:
    address = endpoint.known_address
    if address is None:
        return [], None
    # Models visible to a visitor's own key are not shown to others.
    listed = _listed_for_session if endpoint.name in own_endpoints() else _listed
    return listed(endpoint.name, address.base_url, endpoint)


@st.cache_data(ttl=_LIST_LIFETIME_S, show_spinner=False)
def _listed(name: str, base_url: str, _endpoint: AnyEndpoint) -> tuple[list[ModelCard], str | None]:
    return _request_models(_endpoint)


@st.cache_data(ttl=_LIST_LIFETIME_S, show_spinner=False, scope="session")
def _listed_for_session(name: str, base_url: str, _endpoint: AnyEndpoint) -> tuple[list[ModelCard], str | None]:
    return _request_models(_endpoint)


def _request_models(endpoint: AnyEndpoint) -> tuple[list[ModelCard], str | None]:
    try:
        return list_models(endpoint.address(lambda: False)), None
    except ModelsUnavailable as unavailable:
        return [], str(unavailable)


def _draw_embedded_state(model: EmbeddedModel) -> None:
    """Start the embedded model when it is first chosen, and show its progress until it is ready."""
    # After a failure, only a click starts it again: a page runs often and would repeat the failure each time.
    if model.state.phase is ModelPhase.IDLE:
        model.start()
    if model.state.phase is ModelPhase.FAILED:
        st.error(model.state.sentence)
        st.button("Try again", key="start_model", on_click=model.start)
    elif model.state.phase is not ModelPhase.READY:
        draw_progress(model)


@st.fragment(run_every=_STATE_REFRESH_S)
def draw_progress(model: EmbeddedModel) -> None:
    """Draw the progress of the starting model, and rerun the page when it has started or failed."""
    state_now = model.state
    if state_now.phase in (ModelPhase.READY, ModelPhase.FAILED):
        st.rerun()
    st.progress(state_now.fraction or 0.0, text=state_now.sentence)
