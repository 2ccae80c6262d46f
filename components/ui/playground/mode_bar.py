"""The row above the work: one-shot or conversation, the page's purpose, and the way to hidden settings."""

from __future__ import annotations

import streamlit as st

from components.drafts.in_words import in_words
from components.ui.answer.own_html import draw_style
from components.ui.choices import choose_view
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.playground import keys

ONE_SHOT, CONVERSATION = "One-shot", "Conversation"
_IN_ADDRESS = "conversation"
_PURPOSE = "One request, every field, the answer as it arrives."
_MAX_SET = 3
_SHOWN, _HIDDEN = "shown", "hidden"
_COLUMN = '.st-key-playground > * > * > [data-testid="stColumn"]:last-child'
# Styles and not conditions on what an element contains: a browser checks these again with every element that comes.
_SETTINGS_STYLES = {
    _SHOWN: f"@media (max-width: 640px) {{ {_COLUMN} {{ display: block; }} }}",
    _HIDDEN: f"""
@media (min-width: 641px) {{
  {_COLUMN} {{ display: none; }}
  .st-key-mode_bar .st-key-show_settings {{ display: block; }}
}}
""",
}
_CONVERSATION_STYLE = """
.st-key-work .st-key-answer { min-height: 0; }
.st-key-work :is(.live-view, [data-testid="stTextArea"]) { scroll-margin-bottom: 8.5rem; }
"""
"""The composer does not cover the focused element or the end of the answer."""


def is_conversation() -> bool:
    """Whether the page shows a conversation; the address keeps it for a reload."""
    return bool(st.session_state.get(keys.MODE, _mode_in_address()) == CONVERSATION)


def _mode_in_address() -> str:
    return CONVERSATION if st.query_params.get(keys.MODE) == _IN_ADDRESS else ONE_SHOT


def draw_mode_bar() -> None:
    """Draw the row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="mode_bar"):
        chosen = choose_view("Mode", [ONE_SHOT, CONVERSATION], keys.MODE, first=_mode_in_address())
        if chosen == CONVERSATION:
            st.query_params[keys.MODE] = _IN_ADDRESS
        else:
            st.query_params.pop(keys.MODE, None)
        changed = draft_form.read().changed_fields
        with st.container(key="purpose", width="stretch"):
            st.caption(_PURPOSE if st.session_state.get(keys.SETTINGS) != _HIDDEN else _set_in_words(changed))
        label = f"Settings ({len(changed)} modified)" if changed else "Settings"
        st.button(label, key="show_settings", on_click=st.session_state.__setitem__, args=(keys.SETTINGS, _SHOWN))


def draw_layout() -> None:
    """Add the styles of the chosen mode and of shown or hidden settings.

    Without a choice, a wide page shows the settings and a phone does not.
    """
    chosen = st.session_state.get(keys.SETTINGS)
    draw_style(_SETTINGS_STYLES.get(chosen or "", "") + (_CONVERSATION_STYLE if is_conversation() else ""))


def draw_hide_settings() -> None:
    """Draw the button that hides the settings."""
    st.button(
        "Hide settings",
        key="hide_settings",
        type="tertiary",
        icon=":material/right_panel_close:",
        on_click=st.session_state.__setitem__,
        args=(keys.SETTINGS, _HIDDEN),
    )


def close_sheet() -> None:
    """Close the settings that lie over a phone's page."""
    if st.session_state.get(keys.SETTINGS) == _SHOWN:
        del st.session_state[keys.SETTINGS]


def _set_in_words(changed: list[str]) -> str:
    words = in_words(draft_form.read())
    listed = [f"{plain_words(field)} {plain_words(words.get(field, 'set'), 40)}" for field in changed[:_MAX_SET]]
    rest = f" and {len(changed) - _MAX_SET} more" if len(changed) > _MAX_SET else ""
    return " · ".join(listed) + rest if listed else "All fields have their defaults."
