"""Several runs, chosen in the table: the differences of their settings and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from components.drafts.beside import beside
from components.drafts.comparison import MOST_LANES
from components.drafts.in_words import OMITTED, differing
from components.log.record import RunRecord
from components.sharing.capsule import Kind
from components.ui import state
from components.ui.answer.run_lookup import find, record_of
from components.ui.compare.answer_differences import draw_word_differences
from components.ui.compare.numbers import draw_numbers
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.share.share_answers import Answers
from components.ui.share.share_dialog import draw_share_button
from components.ui.time_zone import time_zone

_MOST_CHARACTERS = 120


def draw_several_runs(run_ids: Sequence[str]) -> None:
    """Draw the differences between two to eight runs, in the order of the table."""
    if len(run_ids) > MOST_LANES:
        st.info(f"Choose at most {MOST_LANES} runs to see in what they differ.", icon=":material/compare_arrows:")
        return
    records = [record for run_id in run_ids if (record := record_of(find(run_id)))]
    if len(records) < 2:
        return
    titles = {f"Run {number}, {_moment(record)}": record for number, record in enumerate(records, 1)}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            "Open in Compare", key="compare_runs", icon=":material/compare_arrows:", on_click=_compare, args=(records,)
        ):
            st.switch_page("compare.py")
        draw_share_button(lambda: Answers(Kind.RUNS, titles), key="share_runs")
    draw_differences(titles)


def draw_differences(titles: Mapping[str, RunRecord]) -> None:
    """Draw the differences of requests, answers and numbers. The runs are given by their titles."""
    st.markdown("**Requests**")
    _draw_settings(titles)
    answered = {title: record for title, record in titles.items() if record.text}
    if len(answered) > 1:
        st.markdown("**Answers**, each against the first")
        draw_word_differences(answered, next(iter(answered)))
    st.markdown("**Numbers**")
    draw_numbers(titles)


def _draw_settings(titles: Mapping[str, RunRecord]) -> None:
    words = {title: _in_words(record) for title, record in titles.items()}
    fields = differing(list(words.values()))
    if not fields:
        st.caption("All of them ask the same.")
        return
    rows = {
        plain_words(title): {
            plain_words(field): plain_words(said.get(field, OMITTED), _MOST_CHARACTERS) for field in fields
        }
        for title, said in words.items()
    }
    st.table(pd.DataFrame.from_dict(rows, orient="index"), border="horizontal")
    st.caption("What is equal in all of them is left out.")


def _in_words(record: RunRecord) -> dict[str, str]:
    sent = dict(line.partition("=")[::2] for line in record.settings.split("\n") if line)
    return {"endpoint": record.endpoint, "model": record.model, "prompt": record.prompt, **sent}


def _moment(record: RunRecord) -> str:
    zone = time_zone()
    return f"{pd.Timestamp(record.created_at).tz_convert(zone):%d %b, %H:%M:%S}"


def _compare(records: list[RunRecord]) -> None:
    drafts = [draft for record in records if (draft := draft_form.draft_of(record))]
    if drafts:
        draft_form.fill(beside(*drafts), "comparison begun")
        st.session_state.pop(state.EXPERIMENT, None)
