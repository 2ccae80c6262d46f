"""Share: the settings of the form as a link, and answers as a frozen copy."""

from __future__ import annotations

import streamlit as st

from components.drafts.draft import Draft
from components.ui.sharing.share_settings import draw_share_settings

_SETTINGS = "Settings"
_ANSWERS = "Answers"


def draw_share_button(draft: Draft, *, comparison: bool = False) -> None:
    """Draw the button that opens the dialog."""
    if st.button("Share", key="share", type="tertiary", icon=":material/share:"):
        _share(draft, comparison)


@st.dialog("Share", width="medium")
def _share(draft: Draft, comparison: bool) -> None:
    draw_share_settings(draft, comparison=comparison)
