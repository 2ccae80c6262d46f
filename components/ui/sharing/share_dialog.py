"""Share: answers as a frozen copy under a link, settings as a link that holds them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.drafts.draft import Draft
from components.ui import state
from components.ui.sharing.share_answers import Answers, draw_share_answers
from components.ui.sharing.share_settings import draw_share_settings

_ANSWERS = "Answers"
_SETTINGS = "Settings"


def draw_share_button(
    answers: Callable[[], Answers], draft: Draft | None = None, *, comparison: bool = False, key: str = "share"
) -> None:
    """Draw the button that opens the dialog. ``answers`` are looked for once it is pressed.

    Without a ``draft`` only answers can be shared; ``comparison`` is whether its lanes go along.
    """
    if st.button("Share", key=key, type="tertiary", icon=":material/share:"):
        st.session_state.pop(state.PUBLISHED, None)
        st.session_state.pop(state.SHARE_TITLE, None)
        _share(answers(), draft, comparison)


@st.dialog("Share", width="medium")
def _share(answers: Answers, draft: Draft | None, comparison: bool) -> None:
    what = _ANSWERS
    if draft is not None:
        chosen = st.segmented_control(
            "What",
            [_ANSWERS, _SETTINGS],
            default=_ANSWERS if answers.runs else _SETTINGS,
            key=state.SHARE_WHAT,
            label_visibility="collapsed",
        )
        what = chosen or _SETTINGS
    if what == _SETTINGS and draft is not None:
        draw_share_settings(draft, comparison=comparison)
    else:
        draw_share_answers(answers)
