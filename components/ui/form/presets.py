"""The presets: named settings to apply, save and delete."""

from __future__ import annotations

import streamlit as st

from components.drafts.presets import BUILT_IN, change_of, holds_messages, preset_text
from components.drafts.store import Preset, delete_preset, list_presets, save_preset
from components.ui import presses
from components.ui.choices import draw_action
from components.ui.form import draft_form, keys
from components.ui.form.draft_form import Undo
from components.ui.plain_words import plain_words
from components.ui.user_errors import draw_error, show_errors, show_errors_later
from components.ui.visitor import own_log

_MAX_IN_SIGHT = 6
_LIST_HEIGHT = 220


def draw_presets() -> None:
    """Draw the presets in a popover; its content is made when it is opened."""
    popover = st.popover("Presets", type="tertiary", icon=":material/tune:", key=keys.PRESETS, on_change="rerun")
    if not popover.open:
        return
    with popover:
        with st.container(gap="xxsmall"):
            for name, built_in in BUILT_IN.items():
                st.button(
                    f"**{name}** :small[:gray[{built_in.description}]]",
                    key=f"preset_{name}",
                    type="tertiary",
                    on_click=presses.soon(_apply_built_in, name),
                )
        if saved := _saved():
            with st.container(height=_LIST_HEIGHT if len(saved) > _MAX_IN_SIGHT else "content", gap="xxsmall"):
                for preset in saved:
                    _draw_saved(preset)
        with st.form("save_preset", border=False, clear_on_submit=True):
            st.text_input("Save these settings as", key=keys.PRESET_NAME, placeholder="A name", max_chars=80)
            st.checkbox("with the messages", key=keys.PRESET_MESSAGES)
            st.form_submit_button("Save", icon=":material/save:", on_click=_save)
        draw_error(keys.PRESET_PROBLEM)


def _draw_saved(preset: Preset) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.button(
            f"**{plain_words(preset.name)}**"
            + (" :small[:gray[with messages]]" if holds_messages(preset.content) else ""),
            key=f"preset_{preset.id}",
            type="tertiary",
            on_click=presses.soon(_apply, preset),
        )
        with st.container(key=f"delete_preset_{preset.id}", width="content"):
            label = f"Delete {plain_words(preset.name)}"
            draw_action(label, f"delete_{preset.id}", ":material/delete:", _delete, preset)


def _saved() -> list[Preset]:
    database = own_log().database
    with show_errors():
        return list_presets(database) if database else []
    return []


def _apply_built_in(name: str) -> None:
    st.session_state[keys.PRESETS] = False
    draft_form.change(BUILT_IN[name].change, f"preset {name}")


def _apply(preset: Preset) -> None:
    with show_errors_later(keys.PRESET_PROBLEM):
        draft_form.change(change_of(preset.content, draft_form.read().settings), f"preset {plain_words(preset.name)}")
        st.session_state[keys.PRESETS] = False


def _save() -> None:
    text = preset_text(draft_form.read(), with_messages=st.session_state[keys.PRESET_MESSAGES])
    name = st.session_state[keys.PRESET_NAME] or ""
    replaced = [preset for preset in _saved() if preset.name == name.strip()]
    if _save_text(name, text):
        for preset in replaced:
            _offer_back(preset, "replaced")


def _save_text(name: str, text: str) -> bool:
    """Save a preset; returns whether it succeeded."""
    with show_errors_later(keys.PRESET_PROBLEM):
        save_preset(own_log(), name, text)
        return True
    return False


def _offer_back(preset: Preset, what: str) -> None:
    """Offer to restore a deleted preset, until that has succeeded."""
    label = f"Undo: preset {plain_words(preset.name)} {what}"

    def restore() -> None:
        if not _save_text(preset.name, preset.content):
            _offer_back(preset, what)

    draft_form.offer_undo(Undo(label, restore))


def _delete(preset: Preset) -> None:
    with show_errors_later(keys.PRESET_PROBLEM):
        delete_preset(own_log(), preset.id)
        _offer_back(preset, "deleted")
