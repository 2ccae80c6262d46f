"""A table of all lanes with only the settings that differ."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.drafts.in_words import OMITTED, differing
from components.experiments.lanes import LaneRequest
from components.ui.plain_words import plain_words

_MOST_CHARACTERS = 120


def draw_settings_table(requests: list[LaneRequest]) -> None:
    """Draw a row per lane and a column per field that differs."""
    fields = differing([request.words for request in requests])
    if not fields:
        st.caption("All lanes ask the same.")
        return
    rows = {
        plain_words(request.title): {
            plain_words(field): plain_words(request.words.get(field, OMITTED), _MOST_CHARACTERS) for field in fields
        }
        for request in requests
    }
    st.table(pd.DataFrame.from_dict(rows, orient="index"), border="horizontal")
    st.caption("What is equal in all lanes is left out.")
