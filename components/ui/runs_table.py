"""The table of runs, and one run opened from it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.runs.query import QueryFailed, count_runs, newest_runs
from components.service import Service
from components.ui import state

_REFRESH_S = 2.0
_MOST = 500


@st.fragment(run_every=_REFRESH_S)
def draw_runs_table(service: Service) -> None:
    """The runs, newest first, always up to date. Choosing a row opens its run; a log that cannot be read is named."""
    database = service.log.database
    if database is None:
        st.info("There is no log now, so no runs can be listed.", icon=":material/database_off:")
        return
    # Caught here and not by the page: the fragment runs again without it.
    try:
        runs = newest_runs(database, _MOST)
        all_runs = count_runs(database) if len(runs) == _MOST else len(runs)
    except QueryFailed as failure:
        st.error(str(failure))
        return
    if runs.empty:
        st.info("No runs yet. Run a prompt in the playground; every run is kept here.", icon=":material/history:")
        return
    # Rows move down as new runs come in, so a chosen row means the run that stood there when it was drawn.
    st.session_state[state.LISTED_RUNS] = runs["id"].tolist()
    st.dataframe(
        _shown(runs),
        key=state.RUNS_TABLE,
        hide_index=True,
        on_select=_open_chosen,
        selection_mode="single-row",
        placeholder="–",
        height=min(38 + 35 * len(runs), 420),
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
            "TTFT": st.column_config.NumberColumn(format="%d ms", help="Time to first token."),
            "tokens/s": st.column_config.NumberColumn(format="%.1f", help="After the first token."),
            "total": st.column_config.NumberColumn(format="%.1f s"),
            "answer": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption("Tick a row to open its run.")
    if all_runs > len(runs):
        st.caption(f"The newest {_MOST} of {all_runs:,} runs.")
    if st.session_state.pop(state.JUST_OPENED, False):
        st.rerun()


def _shown(runs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "started": pd.to_datetime(runs["created_at"], utc=True).dt.tz_convert(st.context.timezone or "UTC"),
            "status": runs["status"],
            "finish reason": runs["finish_reason"],
            "model": runs["model"],
            "endpoint": runs["endpoint"],
            "prompt tokens": runs["prompt_tokens"].astype("Int64"),
            "completion tokens": runs["completion_tokens"].astype("Int64"),
            "TTFT": runs["ttft_ms"].astype("Float64"),
            "tokens/s": runs["tokens_per_second"].astype("Float64"),
            "total": runs["total_ms"].astype("Float64") / 1000,
            "answer": runs["answer_begin"],
        }
    )


def _open_chosen() -> None:
    rows = st.session_state[state.RUNS_TABLE].selection.rows
    listed = st.session_state.get(state.LISTED_RUNS, [])
    if rows and rows[0] < len(listed):
        state.open_run(listed[rows[0]])
        # The run is drawn below the table, outside the fragment that this click runs again.
        st.session_state[state.JUST_OPENED] = True
