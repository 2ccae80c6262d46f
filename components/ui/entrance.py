"""What stands before the pages: logging in where that is needed, and the limits of a demo before one meets them."""

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
    """Whether the visitor may see the pages; where they may not, what to do is drawn instead."""
    try:
        owner()
    except LoginEnded as ended:
        _draw_login(str(ended) if st.user.to_dict().get("is_logged_in") else "Log in to go on.")
        return False
    except NotLetIn as refused:
        st.subheader("Tempera", anchor=False)
        st.error(plain_words(str(refused)))
        if "auth" in read_secrets().values:
            st.button("Log out", key="log_out", on_click=st.logout)
        return False
    return True


def draw_account() -> None:
    """Draw who is logged in, and the way out."""
    if not login_is_needed():
        return
    who = st.user.to_dict()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", key="account"):
        st.caption(plain_words(str(who.get("email") or who.get("name") or who.get("sub") or "")), width="content")
        st.button("Log out", key="log_out", type="tertiary", icon=":material/logout:", on_click=st.logout)


def draw_limits() -> None:
    """Draw what a demo allows and what is left of it; nothing where this is none."""
    demo, gate = service().demo, service().gate
    if demo is None or gate is None:
        return
    if stopped := gate.switch.sentence():
        st.warning(plain_words(stopped), icon=":material/pause_circle:")
    try:
        now = left(service().log, demo, owner(), network() or "")
        runs = min(now.runs_this_minute, now.runs_today)
        said = (
            f"This is a demo: {runs:,} {'run' if runs == 1 else 'runs'} left now, {now.runs_today:,} today, "
            f"with {now.own_tokens_today:,} tokens"
        )
    except Refused as refused:
        said = f"This is a demo. {refused.sentence}"
    with st.expander(plain_words(said), icon=":material/hourglass_empty:", key=DEMO_LIMITS):
        st.markdown("\n".join(f"- {plain_words(sentence)}" for sentence in demo.in_words()))
        st.caption("What you make is yours alone for as long as your browser keeps its cookie, at most 30 days.")


def draw_storage() -> None:
    """Draw that what is kept does not last, and that the visitor keeps nearly as much as they may, or as much."""
    settings = read_settings()
    if is_forgotten_at_restart(settings.database_url, settings.volume):
        st.caption(
            ":material/hourglass_bottom: What you make here is forgotten when the server restarts. "
            "Export what you want to keep on the Runs page."
        )
    kept = own_log().kept()
    if kept and (said := kept.warning()):
        st.warning(plain_words(said), icon=":material/inventory_2:")


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
