"""Settings from a link: they fill the form, send nothing, and a bar lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from components.contract.difference import Difference
from components.counted import counted
from components.drafts.draft import Draft
from components.sharing.hidden_characters import hidden_in, with_hidden_marked
from components.sharing.linked_settings import LinkedSettings
from components.sharing.settings_link import read_settings_link
from components.ui.available_endpoints import available_endpoints
from components.ui.choices import draw_action
from components.ui.form import draft_form, keys
from components.ui.plain_words import plain_words
from components.ui.user_errors import show_errors_later

_MAX_WORDS = 2_000


@dataclass(frozen=True)
class _OpenedLink:
    """The settings of a link: each change of the form, and remarks to read before running."""

    origin: str
    changes: Sequence[Difference]
    remarks: Sequence[str]


def fill_from_link(page: str) -> None:
    """Fill the form from the settings link of a page, if any; call it before the widgets are drawn.

    The query parameter is removed, so going back or a reload does not fill the form again. ``page`` is the current
    page; a link with lanes switches to the compare page.
    """
    text = st.query_params.get(keys.LINK_PARAMETER)
    if text is None:
        return
    del st.query_params[keys.LINK_PARAMETER]
    with show_errors_later(keys.ARRIVED):
        linked = read_settings_link(text)
        apply_settings(linked)
        if linked.is_comparison and page != "compare.py":
            st.switch_page("compare.py")


def apply_settings(linked: LinkedSettings, origin: str = "link") -> None:
    """Put shared settings into the form, and list them in the bar.

    ``origin`` names their source, such as ``file``.
    """
    before = draft_form.read()
    draft = linked.apply(before)
    if not linked.is_comparison:
        draft = draft.model_copy(update={"comparison": before.comparison})
    draft_form.fill(_with_known_endpoints(draft, before), f"{origin} opened")
    st.session_state[keys.ARRIVED] = _OpenedLink(origin, linked.changes(), _remarks(linked))


def draw_link_bar() -> None:
    """Draw the settings of an opened link until the bar is closed; nothing when no link was opened."""
    arrived: _OpenedLink | str | None = st.session_state.get(keys.ARRIVED)
    if arrived is None:
        return
    with st.container(border=True, key="link_bar", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if isinstance(arrived, str):
                st.markdown(f":material/link_off: {plain_words(arrived)} Nothing was changed.", width="content")
            else:
                st.markdown(
                    f":material/link: **Opened from a {arrived.origin}.** Nothing was sent. Review it, then run it.",
                    width="content",
                )
            draw_action("Close", "close_link_bar", ":material/close:", st.session_state.pop, keys.ARRIVED, None)
        if isinstance(arrived, str):
            return
        for remark in arrived.remarks:
            st.warning(plain_words(remark, _MAX_WORDS), icon=":material/visibility:")
        with st.expander(f"Settings: {len(arrived.changes)}", key="link_changes"):
            _draw_changes(arrived.changes)


def _draw_changes(changes: Sequence[Difference]) -> None:
    if not changes:
        st.caption("Everything has its default.")
        return
    rows = [
        {
            "field": plain_words(change.field),
            "default": plain_words(with_hidden_marked(change.before)),
            "here": plain_words(with_hidden_marked(change.after), _MAX_WORDS),
        }
        for change in changes
    ]
    st.table(pd.DataFrame(rows).set_index("field"), border="horizontal")


def _remarks(linked: LinkedSettings) -> list[str]:
    remarks = []
    for change in linked.changes():
        if hidden := hidden_in(change.after):
            characters = ", ".join(dict.fromkeys(f"{each.code_point} {each.name}".strip() for each in hidden[:3]))
            more = ", …" if len(hidden) > 3 else ""
            count = counted(len(hidden), "character")
            remarks.append(
                f"{change.field} holds {count} that are invisible to people and read by models: {characters}{more}."
            )
    lanes = linked.comparison.lanes if linked.comparison else ()
    names = dict.fromkeys(name for name in (linked.endpoint, *(lane.endpoint for lane in lanes)) if name)
    endpoints = available_endpoints()
    remarks += [
        f"There is no endpoint “{name}” here, so the current one stays. Check that it has the model."
        for name in names
        if name not in endpoints
    ]
    return remarks


def _with_known_endpoints(draft: Draft, before: Draft) -> Draft:
    endpoints = available_endpoints()
    if draft.endpoint not in endpoints:
        draft = draft.model_copy(update={"endpoint": before.endpoint, "model": draft.model or before.model})
    lanes = tuple(
        lane if lane.endpoint is None or lane.endpoint in endpoints else lane.model_copy(update={"endpoint": None})
        for lane in draft.comparison.lanes
    )
    return draft.model_copy(update={"comparison": draft.comparison.model_copy(update={"lanes": lanes})})
