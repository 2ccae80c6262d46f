"""The row above the work: one-shot or conversation, the page's purpose, and the way to hidden settings."""

from __future__ import annotations

import streamlit as st

from components.drafts.in_words import in_words
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.playground import keys

ONE_SHOT, CONVERSATION = "One-shot", "Conversation"
_IN_ADDRESS = "conversation"
_PURPOSE = "One request, every field, the answer as it arrives."
_MOST_SET = 3
_SHOWN, _HIDDEN = "shown", "hidden"


def is_conversation() -> bool:
    """Whether the page shows a conversation; the address keeps it for a reload."""
    return bool(st.session_state.get(keys.MODE, _mode_in_address()) == CONVERSATION)


def _mode_in_address() -> str:
    return CONVERSATION if st.query_params.get(keys.MODE) == _IN_ADDRESS else ONE_SHOT


def draw_mode_bar() -> None:
    """Draw the row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="mode_bar"):
        chosen = st.segmented_control(
            "Mode",
            [ONE_SHOT, CONVERSATION],
            default=_mode_in_address(),
            key=keys.MODE,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        if chosen == CONVERSATION:
            st.query_params[keys.MODE] = _IN_ADDRESS
        else:
            st.query_params.pop(keys.MODE, None)
        changed = draft_form.read().changed_fields
        is_hidden = st.session_state.get(keys.SETTINGS) == _HIDDEN
        with st.container(key="set_fields" if is_hidden else "purpose", width="stretch"):
            st.caption(_set_in_words(changed) if is_hidden else _PURPOSE)
        label = f"Settings ({len(changed)} modified)" if changed else "Settings"
        st.button(label, key="show_settings", on_click=_choose, args=(_SHOWN,))


def draw_settings_marker() -> None:
    """Mark the settings as shown or hidden, once chosen; until then a wide page shows them and a phone does not."""
    with st.container():
        if chosen := st.session_state.get(keys.SETTINGS):
            st.container(key=f"settings_{chosen}").empty()


def draw_hide_settings() -> None:
    """Draw the button that hides the settings."""
    st.button(
        "Hide settings",
        key="hide_settings",
        type="tertiary",
        icon=":material/right_panel_close:",
        on_click=_choose,
        args=(_HIDDEN,),
    )


def close_sheet() -> None:
    """Close the settings that lie over a phone's page."""
    if st.session_state.get(keys.SETTINGS) == _SHOWN:
        del st.session_state[keys.SETTINGS]


def _choose(shown: str) -> None:
    st.session_state[keys.SETTINGS] = shown


def _set_in_words(changed: list[str]) -> str:
    words = in_words(draft_form.read())
    named = [f"{plain_words(field)} {plain_words(words.get(field, 'set'), 40)}" for field in changed[:_MOST_SET]]
    more = f" and {len(changed) - _MOST_SET} more" if len(changed) > _MOST_SET else ""
    return " · ".join(named) + more if named else "All fields have their defaults."
