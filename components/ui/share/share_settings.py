"""The form's settings as a link, as a stored link or as a file."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import streamlit as st

from components.contract.credentials import without_credentials
from components.drafts.draft import Draft
from components.drafts.extra_body import read_extra_body
from components.sharing.capsule import Kind
from components.sharing.freezing import Choices, capsule_of
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.problem import LinkProblem
from components.sharing.settings_file import settings_file
from components.sharing.settings_link import Length, how_long, settings_link
from components.ui.choices import draw_file_button
from components.ui.form.keys import LINK_PARAMETER
from components.ui.plain_words import plain_words
from components.ui.share.address import address_of, draw_where_it_leads
from components.ui.share.share_answers import draw_publish
from components.ui.user_errors import show_errors

_SHORT_WORDS = 60


@show_errors()
def draw_share_settings(draft: Draft, *, comparison: bool) -> None:
    """Draw the link to these settings, its content and its length; ``comparison`` includes the lanes."""
    linked = linked_settings(draft, comparison=comparison)
    _draw_credentials(linked)
    page = "compare" if comparison else ""
    try:
        url = address_of(page, **{LINK_PARAMETER: settings_link(draft, comparison=comparison)})
    except LinkProblem:
        url = ""
    length = how_long(url) if url else Length.TOO_LONG
    if length is Length.TOO_LONG:
        st.info("These settings are too long for a link. Use the file, or a link to a stored copy.")
        with show_errors():
            choices = Choices(system_message=True)
            draw_publish(capsule_of([], kind=Kind.SETTINGS, title="Settings", choices=choices, settings=linked))
    else:
        st.code(url, language=None, wrap_lines=True)
        draw_where_it_leads(url)
        note = " Some chat programs cut links of this length." if length is Length.LONG else ""
        st.caption(f"{len(url):,} characters. It fills the form and sends nothing.{note}")
    _draw_content(linked)
    st.caption(
        "Servers on the way may log the content of a link. Send a private prompt as a file, or share an answer with a "
        "link that you can revoke."
    )
    make = partial(settings_file, draft, comparison=comparison)
    draw_file_button("Settings as a file", "settings_file", make, "tempera-settings.json", "application/json")


def _draw_credentials(linked: LinkedSettings) -> None:
    """Warn of further body fields that would make a credential or an address public."""
    lanes = linked.comparison.lanes if linked.comparison else ()
    names: list[str] = []
    for text in (linked.extra_body, *(lane.extra_body or "" for lane in lanes)):
        with suppress(ValueError):  # text that is no JSON is shown in the form
            names += without_credentials(read_extra_body(text))[1]
    if names:
        listed = plain_words(", ".join(dict.fromkeys(names)), _SHORT_WORDS)
        st.warning(f"Body fields that seem to hold a credential or an address would become public: {listed}.")


def _draw_content(linked: LinkedSettings) -> None:
    changes = linked.changes()
    if not changes:
        st.caption("Nothing differs from the defaults.")
        return
    lines = "".join(f"\n- {plain_words(change.field)}: {plain_words(change.after, _SHORT_WORDS)}" for change in changes)
    st.markdown(f":small[Content:]\n{lines}")
