"""The table of runs: one page of the view, always up to date."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from components.log.annotations import tags_in
from components.log.owned import OwnLog
from components.log.query import QueryFailed, count_runs
from components.log.record import LISTED, NUMBERS
from components.log.search import MOST_COUNTED, Page, PageEnd, Summary, View, page_of, summary_of
from components.ui.runs import keys
from components.ui.runs.export import draw_export
from components.ui.runs.opened_run import close_run, open_run
from components.ui.runs.storage import draw_storage
from components.ui.user_errors import shown
from components.ui.visitor import BY_OWNER, own_log

_REFRESH_S = 2.0
_ON_A_PAGE = 50
_SUMMED_UP_S = 10.0
_ALWAYS = ("started", "status", "prompt", "answer")
_COLUMNS = (
    *("started", "status", "endpoint", "model", "settings", "prompt", "answer", "finish reason"),
    *(NUMBERS[name].label for name in LISTED),
    *("rating", "tags", "experiment"),
)
_FORMATS = {"ms": "%d ms", "tokens/s": "%.1f", "": "%d"}
"""By unit; a whole run is shown in seconds."""


@dataclass
class _Listing:
    """The state of the table: the view, the ends of the previous pages, and a number for the widget's key.

    ``held`` is the page while some of its rows are selected, so that the rows keep their runs.
    """

    view: View
    number: int = 0
    before: list[PageEnd] = field(default_factory=list)
    drawn: Page | None = None
    held: Page | None = None

    def renew(self) -> None:
        """Show the current runs, with no row selected."""
        self.number += 1
        self.held = None
        st.session_state[keys.CHOSEN_RUNS] = []


@st.fragment(run_every=_REFRESH_S)
@shown()  # Here and not in the page, because the fragment reruns without the page.
def draw_runs_table(view: View) -> None:
    """The runs, newest first or in the order of the view. The error of an unreadable log is shown."""
    database = own_log().database
    if database is None:
        st.info("There is no log now, so no runs can be listed.", icon=":material/database_off:")
        return
    listing = _listing_of(view)
    page = listing.held or page_of(database, view, listing.before[-1] if listing.before else None, _ON_A_PAGE)
    listing.drawn = page
    if page.runs.empty and not listing.before:
        _draw_nothing(view)
        return
    said = _said_of_all(view)
    st.session_state[keys.LISTED_RUNS] = page.runs["id"].tolist()
    _draw_head(listing, f"{said} Ticked rows hold the list still." if listing.held else said)
    _draw_page(page, listing)
    _draw_turning(page, listing)
    if st.session_state.pop(keys.JUST_OPENED, False):
        st.rerun()


def list_anew() -> None:
    """Show the current runs with no selection, after the visitor added or deleted some."""
    listing: _Listing | None = st.session_state.get(keys.LISTING)
    _summed_up.clear()
    if listing:
        listing.renew()


def _listing_of(view: View) -> _Listing:
    known: _Listing | None = st.session_state.get(keys.LISTING)
    if known is None or known.view != view:
        # A new number, so that a selection in another list does not apply here.
        if known and st.session_state.get(keys.CHOSEN_RUNS):
            # The runs below belong to the previous list.
            st.session_state[keys.JUST_OPENED] = True
        number = known.number if known else -1
        known = _Listing(view, number)
        known.renew()
        st.session_state[keys.LISTING] = known
    return known


def _draw_nothing(view: View) -> None:
    if view.order != "started":
        like = " like that" if view.filtered else ""
        st.info(f"No run{like} has {view.order}. Order by start to see all.", icon=":material/search_off:")
    elif view.filtered:
        st.info("No matching runs. Clear a filter.", icon=":material/search_off:")
    else:
        st.info("No runs yet. Run a prompt in the playground; every run is kept here.", icon=":material/history:")


def _draw_page(page: Page, listing: _Listing) -> None:
    shown = _shown(page.runs)
    chosen = st.session_state.get(keys.COLUMNS) or _ordered_first(_worth_showing(shown), listing.view.order)
    # Scroll to the part opened below.
    tallest = 300 if listing.held else 458
    st.dataframe(
        shown,
        key=_key(listing),
        hide_index=True,
        on_select=_open_chosen,
        selection_mode="multi-row",
        placeholder="–",
        column_order=chosen,
        height=min(38 + 35 * len(shown), tallest),
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
            **{
                NUMBERS[name].label: st.column_config.NumberColumn(
                    format="%.1f s" if name == "total_ms" else _FORMATS[NUMBERS[name].unit],
                    help=NUMBERS[name].definition,
                )
                for name in LISTED
            },
            "status": st.column_config.TextColumn(width=95),
            "settings": st.column_config.TextColumn(width=190),
            "prompt": st.column_config.TextColumn(width=210),
            "answer": st.column_config.TextColumn(width=280),
            "rating": st.column_config.NumberColumn(format="%d ★"),
            "tags": st.column_config.ListColumn(),
        },
    )


def _key(listing: _Listing) -> str:
    return f"{keys.RUNS_TABLE}_{listing.number}"


def _ordered_first(columns: list[str], order: str) -> list[str]:
    """The columns with the sort column right after the start time."""
    if order == "started":
        return columns
    return ["started", order, *(name for name in columns if name not in ("started", order))]


def _draw_head(listing: _Listing, said: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # On the left, because the table's own toolbar covers the right.
        draw_export(listing.view)
        draw_storage(listing.view, list_anew)
        with st.popover("Columns", icon=":material/view_column:"):
            st.multiselect(
                "Columns, in this order",
                _COLUMNS,
                key=keys.COLUMNS,
                bind="query-params",
                placeholder="automatic",
                help="Automatic: the columns whose values differ between rows. "
                "A click on a column's head sorts this page only; *Sort by* sorts all runs.",
            )
        st.caption(said, width="stretch")


def _draw_turning(page: Page, listing: _Listing) -> None:
    if page.next is None and not listing.before:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # Disabled buttons are drawn, too, so that no button moves under the pointer.
        turns: tuple[tuple[str, str, list[PageEnd] | None], ...] = (
            ("First page", "first_page", [] if listing.before else None),
            ("Previous", "page_before", listing.before[:-1] if listing.before else None),
            ("Next", "next_page", [*listing.before, page.next] if page.next else None),
        )
        for label, key, before in turns:
            st.button(label, key=key, on_click=_turn, args=(listing, before), disabled=before is None)


def _turn(listing: _Listing, before: list[PageEnd]) -> None:
    listing.before = before
    if st.session_state.get(keys.CHOSEN_RUNS):
        st.session_state[keys.JUST_OPENED] = True
    listing.renew()


def _said_of_all(view: View) -> str:
    database = own_log().database
    if database is None:
        return ""
    try:
        summary = _summed_up(own_log(), view)
        whole = f"{count_runs(database):,}" if summary.more and not view.filtered else None
    except QueryFailed as failure:
        return str(failure)
    newest = f" Of the newest {MOST_COUNTED:,}:" if summary.more else ""
    median = "median " if summary.count > 1 else ""
    numbers = [f"Success rate {summary.ok / summary.ended:.0%}"] if summary.ended else []
    if summary.ttft_ms is not None:
        numbers.append(f"{median}TTFT {summary.ttft_ms:,.0f} ms")
    if summary.tokens_per_second is not None:
        numbers.append(f"{median}{summary.tokens_per_second:,.1f} tokens/s")
    numbers.append(f"{summary.completion_tokens:,} completion tokens")
    only = "" if view.order == "started" else f" Only those with {view.order} are listed."
    count = whole or (f"More than {MOST_COUNTED:,}" if summary.more else f"{summary.count:,}")
    return f"{count} {'run' if count == '1' else 'runs'}.{newest} {' · '.join(numbers)}.{only}"


@st.cache_data(ttl=_SUMMED_UP_S, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _summed_up(log: OwnLog, view: View) -> Summary:
    if log.database is None:
        raise QueryFailed("There is no log now.")
    return summary_of(log.database, view)


def _shown(runs: pd.DataFrame) -> pd.DataFrame:
    numbers = {NUMBERS[name].label: runs[name].astype("Float64") for name in LISTED}
    numbers["total"] /= 1000
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
            **numbers,
            "rating": runs["rating"].astype("Int64"),
            "tags": [list(tags_in(tags)) for tags in runs["tags"].fillna("")],
            "experiment": runs["experiment_id"],
        }
    )


def _worth_showing(shown: pd.DataFrame) -> list[str]:
    """The columns whose values differ between rows."""
    if len(shown) < 2:
        return [
            name
            for name in map(str, shown)
            if shown[name].astype(str).str.strip("[]").iloc[0] not in ("", "None", "<NA>")
        ]
    said = (name for name in map(str, shown) if name != "experiment")  # an id means nothing to a reader
    return [name for name in said if name in _ALWAYS or shown[name].map(str).nunique(dropna=False) > 1]


def _open_chosen() -> None:
    listing: _Listing = st.session_state[keys.LISTING]
    rows = st.session_state[_key(listing)].selection.rows
    # By the list that the visitor saw: newer runs may have been added since.
    listed = st.session_state.get(keys.LISTED_RUNS, [])
    chosen = [listed[row] for row in rows if row < len(listed)]
    listing.held = listing.drawn if chosen else None
    st.session_state[keys.CHOSEN_RUNS] = chosen
    if len(chosen) == 1:
        open_run(chosen[0])
    elif not chosen:
        close_run()
    # The selection is drawn below the table, outside the fragment that this click reruns.
    st.session_state[keys.JUST_OPENED] = True
