"""The differences of several runs: their requests, answers and numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from components.drafts.in_words import OMITTED, differing
from components.log.record import RunRecord
from components.log.request_summary import settings_by_field
from components.ui.answer.answer_differences import draw_word_differences
from components.ui.answer.numbers import draw_numbers
from components.ui.plain_words import plain_words

_MAX_CHARACTERS = 120


def draw_differences(titles: Mapping[str, RunRecord]) -> None:
    """Draw the differences of requests, answers and numbers. The runs are given by their titles."""
    st.markdown("**Requests**")
    draw_settings_table({title: request_in_words(record) for title, record in titles.items()}, "runs")
    answered = {title: record for title, record in titles.items() if record.text}
    if len(answered) > 1:
        st.markdown("**Answers**, each against the first")
        draw_word_differences(answered, next(iter(answered)))
    st.markdown("**Numbers**")
    draw_numbers(titles)


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


def request_in_words(record: RunRecord) -> dict[str, str]:
    """The endpoint, model, prompt and settings of a run, by field."""
    parts = {"endpoint": record.endpoint, "model": record.model, "prompt": record.prompt}
    return parts | settings_by_field(record.settings)
