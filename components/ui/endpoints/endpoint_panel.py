"""One endpoint on the endpoints page: its state, models and dialect, and the embedded model's state.

A check of an endpoint never blocks the page and never starts the embedded model.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Literal

import pandas as pd
import streamlit as st

from components.contract.errors import plain_text, single_line
from components.embedded.process import EmbeddedModel, EmbeddedModelState
from components.embedded.status_line import ModelPhase
from components.endpoints.endpoint import AnyEndpoint, EmbeddedEndpoint
from components.endpoints.health import EndpointHealth, HealthChecks, HealthState, HealthVerdict
from components.endpoints.models import ModelCard
from components.live.status_words import duration
from components.log.query import QueryFailed, recent_rates
from components.ui.endpoints.added_form import draw_edit_buttons
from components.ui.endpoints.dialect_rules import dialect_in_words, draw_dialect_rules
from components.ui.form.endpoint_choice import draw_progress
from components.ui.plain_words import plain_words
from components.ui.time_zone import local_time
from components.ui.visitor import own_log

Colour = Literal["green", "orange", "red", "blue", "gray"]

_REFRESH_S = 0.5
_RUNS_MEASURED = 10
_MAX_ROWS_SHOWN = 8
_MAX_ID_CHARACTERS = 200

_SIGNS: dict[HealthVerdict, tuple[str, Colour]] = {
    HealthVerdict.ANSWERS: (":material/check:", "green"),
    HealthVerdict.REFUSES_KEY: (":material/key_off:", "red"),
    HealthVerdict.ASKS_FOR_KEY: (":material/key:", "orange"),
    HealthVerdict.LISTS_NO_MODELS: (":material/warning:", "orange"),
    HealthVerdict.DOES_NOT_ANSWER: (":material/link_off:", "red"),
}
_NEXT_STEP = {
    HealthVerdict.REFUSES_KEY: "Check its key: api_key in the secrets file, or TEMPERA_API_KEY.",
    HealthVerdict.ASKS_FOR_KEY: "Set its key: api_key in the secrets file, or TEMPERA_API_KEY.",
    HealthVerdict.LISTS_NO_MODELS: "Chat may still work: enter a model's name in the playground.",
}
_MEASURED = "The duration of the last GET /models request, to the end of the response."
_PHASES: dict[ModelPhase, tuple[str, str, Colour]] = {
    ModelPhase.IDLE: ("not running", ":material/power_off:", "gray"),
    ModelPhase.FETCHING: ("fetching", ":material/download:", "blue"),
    ModelPhase.LOADING: ("loading", ":material/more_horiz:", "blue"),
    ModelPhase.READY: ("ready", ":material/check:", "green"),
    ModelPhase.FAILED: ("failed", ":material/error:", "red"),
}


@st.cache_resource
def _health_checks() -> HealthChecks:
    """This process's checks of its endpoints. They depend on the configuration alone, so all visitors share them."""
    return HealthChecks()


def check_again(endpoints: Iterable[AnyEndpoint]) -> None:
    """Check these endpoints now, regardless of the last check. Does not wait."""
    for endpoint in endpoints:
        address = endpoint.known_address
        if address:
            _health_checks().state(endpoint.name, address, again=True)


def draw_endpoint(endpoint: AnyEndpoint, *, is_added: bool) -> bool:
    """Draw one endpoint; returns whether its check still runs. One that was added on the page can be edited."""
    # The state is read before the address, so that a ready model always has one.
    model = endpoint.model.state if isinstance(endpoint, EmbeddedEndpoint) else None
    state = _state(endpoint)
    with st.container(key=f"endpoint_{endpoint.name}", border=True, gap="xsmall"):
        _draw_head(endpoint, model, state, is_added=is_added)
        health = state.health
        if health and health.problem:
            # As plain text: an endpoint's message must not become an image or a link.
            st.text(single_line(health.problem))
            if health.verdict in _NEXT_STEP:
                st.caption(_NEXT_STEP[health.verdict])
        if isinstance(endpoint, EmbeddedEndpoint) and model:
            _draw_embedded_state(endpoint.model, model, health, _recent_speed(endpoint.name))
        models, dialect = st.columns(2, gap="small")
        with models:
            _draw_models(endpoint.name, health)
        with (
            dialect,
            st.expander(
                f"What the {endpoint.profile.name} dialect allows", key=f"dialect_{endpoint.name}", type="compact"
            ),
        ):
            draw_dialect_rules(endpoint.profile)
    return state.checking


@st.fragment(run_every=_REFRESH_S)
def await_answers(endpoints: list[AnyEndpoint]) -> None:
    """Rerun the page as soon as one of these checks ends."""
    # It draws nothing. A fragment that reruns while its last elements are still on their way to the browser removes
    # them, except those named by their hash; these then find no place, and the whole page goes blank.
    if not all(_state(endpoint).checking for endpoint in endpoints):
        st.rerun()


def _state(endpoint: AnyEndpoint) -> HealthState:
    address = endpoint.known_address
    return _health_checks().state(endpoint.name, address) if address else HealthState(None, checking=False)


def _recent_speed(endpoint: str) -> str:
    database = own_log().database
    if database is None:
        return "unknown: the log is unavailable"
    try:
        rates = recent_rates(database, endpoint, _RUNS_MEASURED)
    except QueryFailed:
        return "unknown: the log cannot be read"
    if not rates:
        return "no runs yet"
    count = f"median of the last {len(rates)} runs" if len(rates) > 1 else "last run"
    return f"{statistics.median(rates):.1f} tokens/s, {count}"


def _draw_head(endpoint: AnyEndpoint, model: EmbeddedModelState | None, state: HealthState, *, is_added: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown(f"**{plain_words(endpoint.name, 60)}**", width="content")
            _draw_badge(model, state)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if isinstance(endpoint, EmbeddedEndpoint):
                _draw_embedded_button(endpoint.model, endpoint.name)
            if is_added:
                draw_edit_buttons(endpoint.name)
            st.button(
                "Check again",
                key=f"check_{endpoint.name}",
                type="tertiary",
                icon=":material/refresh:",
                disabled=state.checking or endpoint.known_address is None,
                on_click=check_again,
                args=([endpoint],),
            )
    st.markdown(f":small[{' :gray[·] '.join(_facts(endpoint, state))}]", help=_MEASURED if state.health else None)


def _draw_badge(model: EmbeddedModelState | None, state: HealthState) -> None:
    health = state.health
    if model and (model.phase is not ModelPhase.READY or health is None or health.verdict is HealthVerdict.ANSWERS):
        label, icon, colour = _PHASES[model.phase]
    elif health:
        label, (icon, colour) = health.verdict.value, _SIGNS[health.verdict]
    else:
        label, icon, colour = "checking", ":material/more_horiz:", "blue"
    st.badge(label, icon=icon, color=colour)


def _facts(endpoint: AnyEndpoint, state: HealthState) -> list[str]:
    """The endpoint's configuration and the time of its check, with the address as code: a bare one becomes a link."""
    address, health = endpoint.known_address, state.health
    facts = [f":gray[dialect] {dialect_in_words(endpoint.profile.name)}"]
    if address:
        facts.append(f"`{address.base_url.replace('`', '%60')}`")
        facts.append("key: set" if address.key else "no key")
    else:
        facts.append(":gray[on this machine, with a new key at each start]")
    if endpoint.default_model and not isinstance(endpoint, EmbeddedEndpoint):
        facts.append(f":gray[default model] {plain_words(endpoint.default_model, 60)}")
    if health and health.milliseconds is not None:
        facts.append(f":gray[answered in] {duration(health.milliseconds)}")
    if state.checking:
        facts.append(":gray[checking …]")
    elif health:
        facts.append(f":gray[checked at] {local_time(health.checked_at):%H:%M:%S}")
    return facts


def _draw_embedded_button(model: EmbeddedModel, name: str) -> None:
    if model.state.phase in (ModelPhase.IDLE, ModelPhase.FAILED):
        st.button("Start", key=f"start_{name}", type="tertiary", icon=":material/play_arrow:", on_click=model.start)
    else:
        st.button(
            "Restart",
            key=f"restart_{name}",
            type="tertiary",
            icon=":material/restart_alt:",
            help="Ends the model's process and starts a new one. Its current runs end.",
            on_click=_restart,
            args=(model,),
        )


def _restart(model: EmbeddedModel) -> None:
    model.stop()
    model.start()


def _draw_embedded_state(
    model: EmbeddedModel, state: EmbeddedModelState, health: EndpointHealth | None, speed: str
) -> None:
    if state.phase in (ModelPhase.FETCHING, ModelPhase.LOADING):
        with st.container():
            draw_progress(model)
    elif state.phase is ModelPhase.FAILED:
        st.text(state.sentence)
        st.caption("Fix it, then press Start.")
    elif state.phase is ModelPhase.IDLE:
        st.caption("It starts when you choose it in the playground, or press Start here.")
    card = next((card for card in health.models if card.id == state.model), None) if health else None
    numbers = [("model", plain_words(state.model, 60)), ("threads", str(state.threads)), ("speed", speed)]
    if card and card.context_length is not None:
        numbers.append(("context", f"{card.context_length:,} tokens"))
    if card and card.default_temperature is not None:
        numbers.append(("default temperature", f"{card.default_temperature:g}"))
    st.markdown(
        f":small[{' · '.join(f':gray[{label}] **{value}**' for label, value in numbers)}]",
        help=f"speed: the median over the last {_RUNS_MEASURED} finished runs here, after the first token.",
    )


def _draw_models(name: str, health: EndpointHealth | None) -> None:
    if health is None or not health.models:
        st.caption(
            "The endpoint lists no models." if health and not health.problem else "The endpoint's models are unknown."
        )
        return
    with st.expander(f"Models ({len(health.models)})", key=f"models_{name}", type="compact"):
        st.dataframe(
            _table(health.models),
            key=f"model_table_{name}",
            hide_index=True,
            placeholder="n/a",
            height=38 + 35 * min(len(health.models), _MAX_ROWS_SHOWN),
            column_config={
                "model": st.column_config.TextColumn(width="medium"),
                "context length": st.column_config.NumberColumn(format="localized", help="In tokens."),
            },
        )


def _table(models: tuple[ModelCard, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": [plain_text(card.id, _MAX_ID_CHARACTERS) for card in models],
            "context length": pd.array([card.context_length for card in models], dtype="Int64"),
            "default temperature": pd.array([card.default_temperature for card in models], dtype="Float64"),
        }
    )
