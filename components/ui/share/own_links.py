"""The visitor's shared links, their expiry, and their revocation."""

from __future__ import annotations

import streamlit as st

from components.sharing.capsules import Published, own_capsules, restore, revoke
from components.ui.choices import draw_action
from components.ui.page_heading import draw_heading_row
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.share.address import address_of
from components.ui.share.new_collection import draw_new_collection
from components.ui.time_zone import local_time
from components.ui.user_errors import draw_error, show_errors, show_errors_later
from components.ui.visitor import own_log

_MAX = 200


@show_errors()
def draw_own_links() -> None:
    """Draw the links, newest first. The error of an unreadable log is shown."""
    heading = draw_heading_row("Shared", "Your public links. A revoked one stops working immediately.")
    database = own_log().database
    draw_error(keys.LINK_PROBLEM)
    links = own_capsules(database, _MAX) if database else []
    if not links:
        st.info("You have no shared links. *Share* creates one for an answer or a comparison.", icon=":material/link:")
    with heading:
        draw_new_collection(links)
    if revoked := st.session_state.get(keys.REVOKED):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="revoked"):
            title = plain_words(revoked["title"], 80) or "A link without a title"
            st.markdown(f"{title}: revoked.", width="content")
            st.button("Undo", key="restore_link", icon=":material/undo:", on_click=_restore)
    for published in links:
        _draw_one(published)


def _draw_one(published: Published) -> None:
    created, ends = local_time(published.created_at), local_time(published.expires_at)
    with st.container(border=True, gap="xxsmall", key=f"link_{published.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain_words(published.title, 120) or 'Without a title'}**", width="content")
            draw_action("Revoke", f"revoke_{published.id}", ":material/link_off:", _revoke, published.id)
        card = " · has a card" if published.has_card else ""
        size = f"{max(published.size / 1000, 1):,.0f} kB"
        st.caption(f"{published.kind} · created {created:%-d %b %Y, %H:%M} · expires {ends:%-d %b %Y} · {size}{card}")
        st.code(address_of("shared", **{keys.CAPSULE_PARAMETER: published.id}), language=None, wrap_lines=True)


def _revoke(capsule_id: str) -> None:
    with show_errors_later(keys.LINK_PROBLEM):
        st.session_state[keys.REVOKED] = revoke(own_log(), capsule_id)


def _restore() -> None:
    with show_errors_later(keys.LINK_PROBLEM):
        restore(own_log(), st.session_state.pop(keys.REVOKED))
