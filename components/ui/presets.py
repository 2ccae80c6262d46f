"""The presets: settings under a name, to put into the form, to save and to delete."""

from __future__ import annotations

import streamlit as st

from components.drafts.presets import BUILT_IN, preset_text, with_built_in, with_preset
from components.drafts.store import Preset, delete_preset, list_presets, save_preset
from components.runs.database import DatabaseUnavailable
from components.runs.query import QueryFailed
from components.service import service
from components.ui import draft_form, state
from components.ui.plain_words import plain_words


def draw_presets() -> None:
    """Draw the presets in a popover; its content is made when it is opened."""
    popover = st.popover("Presets", type="tertiary", icon=":material/tune:", key="presets", on_change="rerun")
    if not popover.open:
        return
    with popover:
        with st.container(gap="xxsmall"):
            for name, preset in BUILT_IN.items():
                st.button(
                    f"**{name}** :small[:gray[{preset.description}]]",
                    key=f"preset_{name}",
                    type="tertiary",
                    on_click=_take_built_in,
                    args=(name,),
                )
            for saved in _saved():
                _draw_saved(saved)
        with st.form("save_preset", border=False, clear_on_submit=True):
            st.text_input("Save these settings as", key=state.PRESET_NAME, placeholder="A name", max_chars=80)
            st.checkbox("with the messages", key=state.PRESET_MESSAGES)
            st.form_submit_button("Save", icon=":material/save:", on_click=_save)
        if problem := st.session_state.pop(state.PRESET_PROBLEM, None):
            st.error(problem)


def _draw_saved(preset: Preset) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.button(
            f"**{plain_words(preset.name)}**",
            key=f"preset_{preset.id}",
            type="tertiary",
            on_click=_take,
            args=(preset,),
        )
        with st.container(key=f"delete_preset_{preset.id}", width="content"):
            st.button(
                f"Delete {plain_words(preset.name)}",
                key=f"delete_{preset.id}",
                type="tertiary",
                icon=":material/delete:",
                on_click=_delete,
                args=(preset,),
            )


def _saved() -> list[Preset]:
    database = service().log.database
    if database is None:
        return []
    try:
        return list_presets(database)
    except QueryFailed as failure:
        st.error(str(failure))
        return []


def _take_built_in(name: str) -> None:
    draft_form.fill(with_built_in(draft_form.read(), name), f"preset {name}")


def _take(preset: Preset) -> None:
    try:
        draft_form.fill(with_preset(draft_form.read(), preset.content), f"preset {plain_words(preset.name)}")
    except ValueError as problem:
        st.session_state[state.PRESET_PROBLEM] = str(problem)


def _save() -> None:
    text = preset_text(draft_form.read(), with_messages=st.session_state[state.PRESET_MESSAGES])
    try:
        save_preset(service().log, st.session_state[state.PRESET_NAME] or "", text)
    except (ValueError, DatabaseUnavailable) as problem:
        st.session_state[state.PRESET_PROBLEM] = str(problem)


def _delete(preset: Preset) -> None:
    try:
        delete_preset(service().log, preset.id)
    except DatabaseUnavailable as problem:
        st.session_state[state.PRESET_PROBLEM] = str(problem)
