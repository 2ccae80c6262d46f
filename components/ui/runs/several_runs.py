"""Several runs, chosen in the table, and their differences."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.drafts.comparison import MAX_LANES
from components.sharing.capsule import Kind
from components.ui.answer.run_differences import draw_differences
from components.ui.answer.run_lookup import find, record_of
from components.ui.experiment_file import rules_form
from components.ui.share.share_answers import Answers
from components.ui.share.share_dialog import draw_share_button
from components.ui.time_zone import local_time


def draw_several_runs(run_ids: Sequence[str]) -> None:
    """Draw the differences between two to eight runs, in the order of the table."""
    if len(run_ids) > MAX_LANES:
        st.info(f"Choose at most {MAX_LANES} runs to compare them.", icon=":material/compare_arrows:")
        return
    records = [record for run_id in run_ids if (record := record_of(find(run_id)))]
    if len(records) < 2:
        return
    titles = {
        f"Run {number}, {local_time(record.created_at):%d %b, %H:%M:%S}": record
        for number, record in enumerate(records, 1)
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        draw_share_button(lambda: Answers(Kind.RUNS, titles, checks=rules_form.read().checks), key="share_runs")
    draw_differences(titles)
