"""The form that adds or edits an endpoint on the page, its test, and the servers found on this machine."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import PROFILES
from components.counted import counted
from components.endpoints.added import AddedEndpoints, checked
from components.endpoints.endpoint import Address, AnyEndpoint
from components.endpoints.health import EndpointHealth, check
from components.endpoints.kinds import KINDS, OTHER, Kind, LocalServer, find_local
from components.endpoints.typed import EndpointField, UnusableEndpoint
from components.live.status_words import duration
from components.server.hosts import is_local
from components.server.process import service
from components.settings import read_settings
from components.streaming.session import ApiKey
from components.ui.endpoints import keys
from components.ui.endpoints.dialect_rules import dialect_in_words
from components.ui.plain_words import plain_words
from components.ui.user_errors import show_errors_later
from components.ui.visitor import login_is_needed

_MAX_MODELS_NAMED = 5


def may_add() -> bool:
    """Whether the visitor is the user of this machine: no demo, no login, and no way in from another machine."""
    return is_local() and not service().demo and not login_is_needed()


def added_endpoints() -> AddedEndpoints:
    """The file of the endpoints that were added on the page."""
    return AddedEndpoints(read_settings().endpoints_file)


def draw_add_buttons() -> None:
    """Draw the buttons that open the form and search this machine."""
    st.button("Add endpoint", key="add_endpoint", icon=":material/add:", on_click=_open, args=(OTHER,))
    st.button(
        "Find on this machine",
        key="find_endpoints",
        type="tertiary",
        icon=":material/search:",
        help="Asks the usual ports of " + ", ".join(kind.title for kind in KINDS if kind.local) + " for their models.",
        on_click=_find,
    )


def draw_local_servers(endpoints: list[AnyEndpoint]) -> None:
    """Draw the servers that the last search found, without those that are endpoints already."""
    servers: list[LocalServer] | None = st.session_state.get(keys.FOUND)
    if servers is None:
        return
    known_urls = {address.base_url for endpoint in endpoints if (address := endpoint.known_address)}
    new = [server for server in servers if server.kind.base_url not in known_urls]
    with st.container(key="found_endpoints", border=True, gap="xsmall"):
        if not new:
            ports = ", ".join(f"{kind.title} {kind.base_url.split(':')[2][:-3]}" for kind in KINDS if kind.local)
            none = "No other server" if servers else "No server"
            st.caption(f"{none} lists models at the usual ports: {ports}.")
        for server in new:
            answer = "asks for a key" if server.models is None else counted(len(server.models), "model")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{server.kind.title}** `{server.kind.base_url}` {answer}", width="content")
                key = f"add_{server.kind.name}"
                st.button("Add", key=key, icon=":material/add:", on_click=_open, args=(server.kind,))


def draw_form() -> None:
    """Draw the form while it is open."""
    edited: str | None = st.session_state.get(keys.EDITED)
    if edited is None:
        return
    with st.container(key="endpoint_form", border=True):
        st.markdown(f"**Edit {plain_words(edited, 60)}**" if edited else "**Add an endpoint**")
        if not edited:
            st.segmented_control(
                "Kind",
                [kind.title for kind in KINDS],
                key=keys.KIND,
                on_change=_apply_kind,
                required=True,
                label_visibility="collapsed",
            )
        name, base_url = st.columns([1, 2])
        with name:
            st.text_input("Name", key=keys.field(EndpointField.NAME), placeholder="my-endpoint", disabled=bool(edited))
            _draw_problem(EndpointField.NAME)
        with base_url:
            st.text_input("Base URL", key=keys.field(EndpointField.BASE_URL), placeholder="https://host/v1")
            _draw_problem(EndpointField.BASE_URL)
        dialect, key, model = st.columns([1, 1, 1])
        with dialect:
            st.selectbox(
                "Dialect",
                list(PROFILES),
                format_func=dialect_in_words,
                key=keys.field(EndpointField.DIALECT),
                help="The endpoint's names and ranges for the fields of a request.",
            )
            _draw_problem(EndpointField.DIALECT)
        with key:
            has_key = bool(edited and _table(edited).get("api_key"))
            st.text_input(
                "Key",
                key=keys.field(EndpointField.KEY),
                type="password",
                autocomplete="off",
                placeholder="unchanged" if has_key else "none",
                help="It is sent to the base URL's scheme, host and port only, and is never shown again.",
            )
            _draw_problem(EndpointField.KEY)
        with model:
            st.text_input("Default model", key=keys.field(EndpointField.MODEL), placeholder="the first of its list")
            _draw_problem(EndpointField.MODEL)
        _draw_tested()
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Save", key="save_endpoint", type="primary", on_click=_save)
            st.button("Test", key="test_endpoint", icon=":material/network_check:", on_click=_test)
            st.button("Cancel", key="cancel_endpoint", type="tertiary", on_click=_close)
            st.caption(f"Saved in {read_settings().endpoints_file}, which only you can read.")


def draw_edit_buttons(name: str) -> None:
    """Draw the buttons of an endpoint that was added on the page."""
    st.button("Edit", key=f"edit_{name}", type="tertiary", icon=":material/edit:", on_click=_edit, args=(name,))
    st.button("Remove", key=f"remove_{name}", type="tertiary", icon=":material/delete:", on_click=_remove, args=(name,))


def draw_undo() -> None:
    """Offer to restore the endpoint that was removed last."""
    if removed := st.session_state.get(keys.REMOVED):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{plain_words(removed[0], 60)} removed.", width="content")
            st.button("Undo", key="restore_endpoint", icon=":material/undo:", on_click=_restore)


def _draw_problem(field: EndpointField) -> None:
    if problem := st.session_state.get(keys.PROBLEMS, {}).get(field):
        st.markdown(f":red[:material/error: :small[{plain_words(problem)}]]")


def _draw_tested() -> None:
    tested: EndpointHealth | None = st.session_state.get(keys.TESTED)
    if tested is None:
        return
    with st.container(key="endpoint_tested"):
        if tested.problem:
            st.markdown(f":orange[:material/warning: {tested.verdict.value}: {plain_words(tested.problem)}]")
        else:
            model_names = ", ".join(card.id for card in tested.models[:_MAX_MODELS_NAMED])
            more = ", …" if len(tested.models) > _MAX_MODELS_NAMED else ""
            count = counted(len(tested.models), "model")
            st.markdown(
                f":green[:material/check: Answers in {duration(tested.milliseconds)}, {count}] "
                f":small[:gray[{plain_words(model_names)}{more}]]"
            )


def _table(name: str) -> dict[str, str]:
    with show_errors_later(keys.PROBLEM):
        table: dict[str, str] = added_endpoints().tables().get(name, {})
        return table
    return {}


def _find() -> None:
    st.session_state[keys.FOUND] = find_local()


def _open(kind: Kind) -> None:
    _close()
    st.session_state[keys.EDITED] = ""
    st.session_state[keys.KIND] = kind.title
    _apply_kind()


def _apply_kind() -> None:
    kind = next(kind for kind in KINDS if kind.title == st.session_state[keys.KIND])
    _fill({EndpointField.NAME: kind.name, EndpointField.BASE_URL: kind.base_url, EndpointField.DIALECT: kind.dialect})


def _edit(name: str) -> None:
    _close()
    table = _table(name)
    st.session_state[keys.EDITED] = name
    _fill(
        {
            EndpointField.NAME: name,
            EndpointField.BASE_URL: table.get("base_url", ""),
            EndpointField.DIALECT: table.get("dialect", ""),
            EndpointField.MODEL: table.get("default_model", ""),
        }
    )


def _fill(values: dict[EndpointField, str]) -> None:
    st.session_state.update({keys.field(field): value for field, value in values.items()})


def _checked() -> tuple[str, dict[str, str]] | None:
    """The name and table that the form describes; otherwise its problems are shown."""
    edited: str = st.session_state.get(keys.EDITED) or ""
    typed = {field: st.session_state.get(keys.field(field)) or "" for field in EndpointField}
    if edited:
        typed[EndpointField.NAME] = edited
    st.session_state.pop(keys.TESTED, None)
    st.session_state[keys.PROBLEMS] = {}
    try:
        taken = set(service().configuration().endpoints) - {edited}
        return typed[EndpointField.NAME].strip(), checked(typed, _table(edited), taken)
    except UnusableEndpoint as unusable:
        st.session_state[keys.PROBLEMS] = unusable.problems
        return None


def _test() -> None:
    if form := _checked():
        table = form[1]
        key = ApiKey(table["api_key"], table["base_url"]) if table.get("api_key") else None
        st.session_state[keys.TESTED] = check(Address(table["base_url"], key))


def _save() -> None:
    if form := _checked():
        with show_errors_later(keys.PROBLEM):
            added_endpoints().save(*form)
            _close()


def _close() -> None:
    """Close the form; no typed key stays, neither here nor in the browser."""
    st.session_state[keys.field(EndpointField.KEY)] = ""
    for key in (keys.EDITED, keys.PROBLEMS, keys.TESTED):
        st.session_state.pop(key, None)
    _fill({EndpointField.MODEL: ""})


def _remove(name: str) -> None:
    with show_errors_later(keys.PROBLEM):
        table = _table(name)
        added_endpoints().remove(name)
        st.session_state[keys.REMOVED] = name, table


def _restore() -> None:
    with show_errors_later(keys.PROBLEM):
        added_endpoints().save(*st.session_state[keys.REMOVED])
        del st.session_state[keys.REMOVED]
