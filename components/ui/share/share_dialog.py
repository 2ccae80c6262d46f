"""Share: answers as a frozen copy under a link, or settings within a link."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.drafts.draft import Draft
from components.ui.share import keys
from components.ui.share.share_answers import Answers, draw_share_answers
from components.ui.share.share_settings import draw_share_settings

_ANSWERS = "Answers"
_SETTINGS = "Settings"


def draw_share_button(
    answers: Callable[[], Answers], draft: Draft | None = None, *, comparison: bool = False, key: str = "share"
) -> None:
    """Draw the Share button and its dialog. ``answers`` is called while the dialog is open.

    Without a ``draft`` only answers can be shared; ``comparison`` includes its lanes.
    """
    st.button("Share", key=key, type="tertiary", icon=":material/share:", on_click=_open, args=(key,))
    # Drawn in every run of the page until it is closed: the end of a model's run must not close it.
    if st.session_state.get(keys.SHARING) == key:
        _share(answers(), draft, comparison)


def _open(key: str) -> None:
    st.session_state[keys.SHARING] = key
    for part in (keys.PUBLISHED, keys.SHARE_TITLE):
        st.session_state.pop(part, None)


@st.dialog("Share", width="medium", on_dismiss=lambda: st.session_state.pop(keys.SHARING, None))
def _share(answers: Answers, draft: Draft | None, comparison: bool) -> None:
    view = _ANSWERS
    if draft is not None:
        view = st.segmented_control(
            "What",
            [_ANSWERS, _SETTINGS],
            default=_ANSWERS if answers.runs else _SETTINGS,
            required=True,
            key=keys.SHARE_WHAT,
            label_visibility="collapsed",
        )
    if view == _SETTINGS and draft is not None:
        draw_share_settings(draft, comparison=comparison)
    else:
        draw_share_answers(answers)
