"""The dialog that makes a collection of the visitor's links, with notes between them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.contract.errors import single_line
from components.sharing.capsule import MAX_ENTRIES, MAX_NOTE_CHARS, MAX_TITLE_CHARS, Kind
from components.sharing.capsules import Published
from components.sharing.collection import collection_of
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.share.share_answers import draw_publish
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors


def draw_new_collection(own_links: Sequence[Published]) -> None:
    """Draw the button, and its dialog while that is open."""
    links = {_name(published): published for published in own_links if published.kind != Kind.COLLECTION}
    st.button(
        "New collection",
        key="new_collection",
        icon=":material/library_add:",
        disabled=not links,
        help="One page with several of your links, and notes between them." if links else "Share an answer first.",
        on_click=_open,
    )
    if st.session_state.get(keys.COLLECTING) and links:
        _collect(links)


def _name(published: Published) -> str:
    """The title and the time of a link: several may have one title."""
    title = single_line(published.title, 80) or "A link without a title"
    return f"{title} · {local_time(published.created_at):%-d %b, %H:%M:%S}"


def _open() -> None:
    st.session_state[keys.COLLECTING] = True
    st.session_state.pop(keys.PUBLISHED, None)


@st.dialog("New collection", width="large", on_dismiss=lambda: st.session_state.pop(keys.COLLECTING, None))
@show_errors()
def _collect(links: dict[str, Published]) -> None:
    title = st.text_input("Title", key=keys.COLLECTION_TITLE, max_chars=MAX_TITLE_CHARS)
    chosen = st.multiselect(
        "Links, in this order",
        list(links),
        max_selections=MAX_ENTRIES,
        key=keys.COLLECTED,
    )
    if not chosen:
        st.caption("Choose the links. Each can have a note in Markdown before it.")
        return
    linked = [(links[name].id, _note(f"Note before {plain_words(name, 80)}", links[name].id)) for name in chosen]
    end = _note("Note at the end", "")
    st.caption("The notes become public, and the chosen links with them. A link that you revoke disappears here, too.")
    draw_publish(collection_of(title, linked, end))


def _note(label: str, link: str) -> str:
    key = f"{keys.COLLECTION_NOTE}{link}"
    return st.text_area(label, key=key, height="content", max_chars=MAX_NOTE_CHARS, placeholder="Markdown, or nothing")
