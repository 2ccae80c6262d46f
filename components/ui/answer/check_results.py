"""The results of the checks of an answer."""

from __future__ import annotations

import streamlit as st

from components.checks.results import stored_results
from components.log.record import RunRecord
from components.ui.plain_words import plain_words

_MAX_SHOWN = 300
_SIGNS = {
    True: ":green[:material/check:]",
    False: ":red[:material/close:]",
    None: ":gray[:material/question_mark:]",
}


def draw_results(record: RunRecord) -> None:
    """Draw each check of an answer with its reason."""
    for result in stored_results(record.check_results):
        words = f"**{plain_words(result.check, _MAX_SHOWN)}** {plain_words(result.reason, _MAX_SHOWN)}"
        st.markdown(f"{_SIGNS[result.passed]} :small[{words}]")
