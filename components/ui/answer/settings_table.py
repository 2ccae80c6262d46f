"""A table of the settings in which lanes or runs differ."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from components.drafts.in_words import OMITTED, differing
from components.ui.plain_words import plain_words

_MAX_CHARACTERS = 120


def draw_settings_table(settings: Mapping[str, Mapping[str, str]], items: str) -> None:
    """Draw a row per title and a column per field that differs; ``items`` are ``lanes`` or ``runs``."""
    fields = differing(list(settings.values()))
    if not fields:
        st.caption(f"All {items} have the same request.")
        return
    rows = {
        plain_words(title): {
            plain_words(field): plain_words(words.get(field, OMITTED), _MAX_CHARACTERS) for field in fields
        }
        for title, words in settings.items()
    }
    st.table(pd.DataFrame.from_dict(rows, orient="index").rename_axis(items), border="horizontal")
    st.caption(f"Settings that are equal in all {items} are not shown.")
