"""The checks before the pages: the login, and the notices of a demo's limits."""

from __future__ import annotations

import streamlit as st

from components.access.login import LoginEnded, NotLetIn, providers_of
from components.demo.budget import left
from components.log.database import is_forgotten_at_restart
from components.runs.gate import Refused
from components.server.process import service
from components.server.secrets import read_secrets
from components.settings import read_settings
from components.ui.plain_words import plain_words
from components.ui.visitor import login_is_needed, network, own_log, owner

DEMO_LIMITS = "demo_limits"


def is_let_in() -> bool:
    """Whether the visitor may see the pages; draws the login or its refusal otherwise."""
    try:
        owner()
    except LoginEnded as ended:
        _draw_login(str(ended) if st.user.to_dict().get("is_logged_in") else "Log in to continue.")
        return False
    except NotLetIn as refused:
        st.subheader("Tempera", anchor=False)
        st.error(plain_words(str(refused)))
        if "auth" in read_secrets().values:
            st.button("Log out", key="log_out", on_click=st.logout)
        return False
    return True


def draw_account() -> None:
    """Draw the visitor's name and the log-out button."""
    if not login_is_needed():
        return
    user = st.user.to_dict()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", key="account"):
        st.caption(plain_words(str(user.get("email") or user.get("name") or user.get("sub") or "")), width="content")
        st.button("Log out", key="log_out", type="tertiary", icon=":material/logout:", on_click=st.logout)


def draw_limits() -> None:
    """Draw the demo's limits and the remaining budget; nothing outside a demo."""
    demo, gate = service().demo, service().gate
    if demo is None or gate is None:
        return
    if stopped := gate.switch.sentence():
        st.warning(plain_words(stopped), icon=":material/pause_circle:")
    try:
        now = left(service().log, demo, owner(), network() or "")
        runs = min(now.runs_this_minute, now.runs_today)
        limits = (
            f"This is a demo: {runs:,} {'run' if runs == 1 else 'runs'} left now, {now.runs_today:,} today, "
            f"with {now.own_tokens_today:,} tokens"
        )
    except Refused as refused:
        limits = f"This is a demo. {refused.sentence}"
    with st.expander(plain_words(limits), icon=":material/hourglass_empty:", key=DEMO_LIMITS):
        st.markdown("\n".join(f"- {plain_words(sentence)}" for sentence in demo.in_words()))
        st.caption("Only you can see your runs, as long as your browser keeps its cookie, at most 30 days.")


def draw_storage() -> None:
    """Draw that the log is temporary, and that the visitor's storage is full or nearly full."""
    settings = read_settings()
    if is_forgotten_at_restart(settings.database_url, settings.volume):
        st.caption(
            ":material/hourglass_bottom: All runs are deleted when the server restarts. "
            "Export those that you want to keep on the Runs page."
        )
    use = own_log().storage_use()
    if use and (warning := use.warning()):
        st.warning(plain_words(warning), icon=":material/inventory_2:")


def _draw_login(sentence: str) -> None:
    st.subheader("Tempera", anchor=False)
    st.markdown(plain_words(sentence))
    providers: list[str | None] = [*providers_of(read_secrets().values.get("auth", {}))]
    for provider in providers or [None]:
        st.button(
            f"Log in with {plain_words(provider)}" if provider else "Log in",
            key=f"log_in_{provider or ''}",
            type="primary",
            icon=":material/login:",
            on_click=st.login,
            args=(provider,) if provider else (),
        )
