"""The table of runs: a page of those that the view finds, always up to date."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.runs.annotations import tags_in
from components.runs.finding import MOST_COUNTED, Page, Place, Summary, View, page_of, summary_of
from components.runs.query import QueryFailed, count_runs
from components.service import service
from components.ui import state
from components.ui.browsing.take_away import draw_take_away
from components.ui.browsing.upkeep import draw_upkeep

_REFRESH_S = 2.0
_ON_A_PAGE = 50
_SUMMED_UP_S = 10.0
_ALWAYS = ("started", "status", "prompt", "answer")
_COLUMNS = (
    *("started", "status", "endpoint", "model", "settings", "prompt", "answer", "finish reason", "TTFT", "tokens/s"),
    *("total", "prompt tokens", "completion tokens", "rating", "tags", "experiment"),
)


@st.fragment(run_every=_REFRESH_S)
def draw_runs_table(view: View) -> None:
    """The runs, newest first or in the order of the view. A log that cannot be read is named."""
    database = service().log.database
    if database is None:
        st.info("There is no log now, so no runs can be listed.", icon=":material/database_off:")
        return
    before = _pages_before(view)
    # Caught here and not by the page: the fragment runs again without it.
    try:
        page = page_of(database, view, before[-1] if before else None, _ON_A_PAGE)
        if page.runs.empty and not before:
            _draw_nothing(view)
            return
        said = _said_of_all(view)
    except QueryFailed as failure:
        st.error(str(failure))
        return
    # Rows move down as new runs come in, so a chosen row means the run that stood there when it was drawn.
    st.session_state[state.LISTED_RUNS] = page.runs["id"].tolist()
    _draw_page(page)
    _draw_turning(view, page, before, said)
    if st.session_state.pop(state.JUST_OPENED, False):
        st.rerun()


def _pages_before(view: View) -> list[Place]:
    known: tuple[View, list[Place]] | None = st.session_state.get(state.PAGES)
    if known is None or known[0] != view:
        known = view, []
        st.session_state[state.PAGES] = known
    return known[1]


def _draw_nothing(view: View) -> None:
    if view.filtered:
        st.info("No run is like that. Take a filter out.", icon=":material/search_off:")
    elif view.order != "started":
        st.info(f"No run has {view.order}.", icon=":material/search_off:")
    else:
        st.info("No runs yet. Run a prompt in the playground; every run is kept here.", icon=":material/history:")


def _draw_page(page: Page) -> None:
    shown = _shown(page.runs)
    chosen = st.session_state.get(state.COLUMNS) or _worth_showing(shown)
    st.dataframe(
        shown,
        # Of a page of its own: what was chosen on another one is not chosen here.
        key=f"{state.RUNS_TABLE}_{len(_places())}",
        hide_index=True,
        on_select=_open_chosen,
        selection_mode="multi-row",
        placeholder="–",
        column_order=chosen,
        height=min(38 + 35 * len(shown), 458),
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
            "TTFT": st.column_config.NumberColumn(format="%d ms", help="Time to first token."),
            "tokens/s": st.column_config.NumberColumn(format="%.1f", help="After the first token."),
            "total": st.column_config.NumberColumn(format="%.1f s"),
            "status": st.column_config.TextColumn(width=95),
            "settings": st.column_config.TextColumn(width=190),
            "prompt": st.column_config.TextColumn(width=210),
            "answer": st.column_config.TextColumn(width=280),
            "rating": st.column_config.NumberColumn(format="%d ★"),
            "tags": st.column_config.ListColumn(),
        },
    )


def _places() -> list[Place]:
    known: tuple[View, list[Place]] = st.session_state[state.PAGES]
    return known[1]


def _draw_turning(view: View, page: Page, before: list[Place], said: str) -> None:
    st.caption(said)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # Drawn where they do nothing as well, so that none moves under the pointer.
        st.button("Newest" if not before else "First", key="first_page", on_click=before.clear, disabled=not before)
        st.button("Back", key="page_before", icon=":material/chevron_left:", on_click=_back, disabled=not before)
        st.button(
            "Next",
            key="next_page",
            icon=":material/chevron_right:",
            on_click=before.append,
            args=(page.next,),
            disabled=page.next is None,
        )
        st.space("stretch")
        draw_take_away(view)
        draw_upkeep(view)
        with st.popover("Columns", icon=":material/view_column:"):
            st.multiselect(
                "Columns, in this order",
                _COLUMNS,
                key=state.COLUMNS,
                bind="query-params",
                placeholder="by themselves",
                help="By themselves: all that are not the same in every row.",
            )


def _back() -> None:
    _places().pop()


def _said_of_all(view: View) -> str:
    database = service().log.database
    if database is None:
        return ""
    try:
        summary = _summed_up(view)
        whole = f"{count_runs(database):,}" if summary.more and not view.filtered else None
    except QueryFailed as failure:
        return str(failure)
    newest = f" Of the newest {MOST_COUNTED:,}:" if summary.more else ""
    numbers = [f"{summary.ok / max(summary.count, 1):.0%} ended well"]
    if summary.ttft_ms is not None:
        numbers.append(f"TTFT {summary.ttft_ms:,.0f} ms")
    if summary.tokens_per_second is not None:
        numbers.append(f"{summary.tokens_per_second:,.1f} tokens/s (medians)")
    numbers.append(f"{summary.completion_tokens:,} completion tokens")
    count = whole or (f"More than {MOST_COUNTED:,}" if summary.more else f"{summary.count:,}")
    return f"{count} {'run' if count == '1' else 'runs'}.{newest} {' · '.join(numbers)}"


@st.cache_data(ttl=_SUMMED_UP_S, show_spinner=False, max_entries=50)
def _summed_up(view: View) -> Summary:
    database = service().log.database
    if database is None:
        raise QueryFailed("There is no log now.")
    return summary_of(database, view)


def _shown(runs: pd.DataFrame) -> pd.DataFrame:
    numbers = {name: runs[name].astype("Float64") for name in ("ttft_ms", "tokens_per_second", "total_ms")}
    return pd.DataFrame(
        {
            "started": pd.to_datetime(runs["created_at"], utc=True).dt.tz_convert(st.context.timezone or "UTC"),
            "status": runs["status"],
            "endpoint": runs["endpoint"],
            "model": runs["model"],
            "settings": runs["settings"].str.replace("\n", ", ").str.replace("=", " "),
            "prompt": runs["prompt_begin"],
            "answer": runs["answer_begin"],
            "finish reason": runs["finish_reason"],
            "TTFT": numbers["ttft_ms"],
            "tokens/s": numbers["tokens_per_second"],
            "total": numbers["total_ms"] / 1000,
            "prompt tokens": runs["prompt_tokens"].astype("Int64"),
            "completion tokens": runs["completion_tokens"].astype("Int64"),
            "rating": runs["rating"].astype("Int64"),
            "tags": [list(tags_in(tags)) for tags in runs["tags"].fillna("")],
            "experiment": runs["experiment_id"],
        }
    )


def _worth_showing(shown: pd.DataFrame) -> list[str]:
    """The columns that say something: not those that are the same in each row."""
    if len(shown) < 2:
        return [
            name
            for name in map(str, shown)
            if shown[name].astype(str).str.strip("[]").iloc[0] not in ("", "None", "<NA>")
        ]
    said = (name for name in map(str, shown) if name != "experiment")  # its id tells people nothing
    return [name for name in said if name in _ALWAYS or shown[name].map(str).nunique(dropna=False) > 1]


def _open_chosen() -> None:
    rows = st.session_state[f"{state.RUNS_TABLE}_{len(_places())}"].selection.rows
    listed = st.session_state.get(state.LISTED_RUNS, [])
    chosen = [listed[row] for row in rows if row < len(listed)]
    st.session_state[state.CHOSEN_RUNS] = chosen
    if len(chosen) == 1:
        state.open_run(chosen[0])
    # What was chosen is drawn below the table, outside the fragment that this click runs again.
    st.session_state[state.JUST_OPENED] = True
