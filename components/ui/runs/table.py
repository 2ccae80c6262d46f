"""The runs of a view: one page of them, always up to date, and what can be done with the selected ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from components.checks.results import in_words, stored_results
from components.experiments.cases import pass_rate
from components.live.status_words import duration
from components.log.annotations import tags_in
from components.log.owned import OwnLog
from components.log.query import QueryFailed, count_runs
from components.log.record import LISTED, NUMBERS
from components.log.search import Page, PageEnd, Summary, page_of, summary_of
from components.log.view import MAX_COUNTED, View
from components.ui.runs import keys
from components.ui.runs.opened_run import open_run, opened_run
from components.ui.runs.runs_list import Column, Row, draw_runs_list
from components.ui.runs.selection import draw_selection
from components.ui.runs.storage import draw_storage
from components.ui.user_errors import show_errors
from components.ui.visitor import BY_OWNER, own_log

_REFRESH_S = 2.0
_ON_A_PAGE = 50
_SUMMED_UP_S = 10.0
_SHORT = ("status", "endpoint", "finish reason", "rating", "tags")
_MEDIUM = ("model", "settings")
_COLUMNS = (
    *("started", "status", "endpoint", "model", "settings", "prompt", "answer", "finish reason", "checks"),
    *(NUMBERS[name].label for name in LISTED),
    *("rating", "tags", "experiment"),
)
_USUAL = (
    *("started", "status", "model", "settings", "prompt", "answer"),
    *(NUMBERS[name].label for name in ("ttft_ms", "tokens_per_second", "completion_tokens")),
)


@dataclass
class _Listing:
    """The state of the list: its view, the ends of the previous pages, and a number that grows when ticks end."""

    view: View
    number: int = 0
    before: list[PageEnd] = field(default_factory=list)

    def renew(self) -> None:
        """Show the current runs, with no row selected."""
        self.number += 1
        st.session_state[keys.CHOSEN_RUNS] = []


@st.fragment(run_every=_REFRESH_S)
@show_errors()  # Here and not in the page, because the fragment reruns without the page.
def draw_runs_table(view: View) -> None:
    """The runs, newest first or in the order of the view. The error of an unreadable log is shown."""
    database = own_log().database
    if database is None:
        st.info("The log is unavailable, so no runs can be listed.", icon=":material/database_off:")
        return
    listing = _listing_of(view)
    page = page_of(database, view, listing.before[-1] if listing.before else None, _ON_A_PAGE)
    if page.runs.empty and not listing.before:
        _draw_nothing(view)
        return
    st.session_state[keys.LISTED_RUNS] = page.runs["id"].tolist()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_summary_in_words(view), width="stretch")
        draw_storage(view, list_again)
    draw_selection(list_again)
    _draw_page(page, listing)
    _draw_turning(page, listing)
    if st.session_state.pop(keys.JUST_OPENED, False):
        st.rerun()


def list_again() -> None:
    """Show the current runs with no selection, after the visitor added or deleted some."""
    listing: _Listing | None = st.session_state.get(keys.LISTING)
    _summed_up.clear()
    if listing:
        listing.renew()


def _listing_of(view: View) -> _Listing:
    listing: _Listing | None = st.session_state.get(keys.LISTING)
    if listing is None or listing.view != view:
        if listing and st.session_state.get(keys.CHOSEN_RUNS):
            # The runs below belong to the previous list.
            st.session_state[keys.JUST_OPENED] = True
        # A new number, so that a selection in another list does not apply here.
        listing = _Listing(view, listing.number if listing else -1)
        listing.renew()
        st.session_state[keys.LISTING] = listing
    return listing


def _draw_nothing(view: View) -> None:
    if view.order != "started":
        matching = " like that" if view.filtered else ""
        st.info(f"No run{matching} has {view.order}. Sort by start time to see all.", icon=":material/search_off:")
    elif view.filtered:
        st.info("No matching runs. Clear a filter.", icon=":material/search_off:")
    else:
        st.info("No runs yet. Run a prompt in the playground; every run is listed here.", icon=":material/history:")
        draw_storage(view, list_again)  # it imports runs


def _draw_page(page: Page, listing: _Listing) -> None:
    table = _cells(page.runs)
    names = st.session_state.get(keys.COLUMNS) or _usual_columns(listing.view)
    statuses = page.runs["status"]
    draw_runs_list(
        [_column(name) for name in names],
        [
            Row(id=run_id, status=status, cells=cells)
            for run_id, status, cells in zip(page.runs["id"], statuses, table[names].to_numpy().tolist(), strict=True)
        ],
        opened=opened_run(),
        ticked=st.session_state.get(keys.CHOSEN_RUNS, []),
        generation=listing.number,
        on_open=_open,
        on_tick=_tick,
    )


def _usual_columns(view: View) -> list[str]:
    """The columns that are shown unless others are chosen: what the view sorts and filters by comes first."""
    return list(dict.fromkeys(["started", view.order, *(["checks"] if view.checks else []), *_USUAL]))


def _column(name: str) -> Column:
    if name == "started":
        return Column(name, "moment")
    if number := next((NUMBERS[each] for each in LISTED if NUMBERS[each].label == name), None):
        return Column(name, "number", number.definition)
    return Column(name, "short" if name in _SHORT else "medium" if name in _MEDIUM else "text")


def _open(run_id: str) -> None:
    open_run(run_id)
    # The opened run is drawn outside the fragment that this click reruns.
    st.session_state[keys.JUST_OPENED] = True


def _tick(run_ids: list[str]) -> None:
    st.session_state[keys.CHOSEN_RUNS] = run_ids
    st.session_state[keys.JUST_OPENED] = True


def draw_columns() -> None:
    """Draw the choice of columns."""
    with st.popover("Columns", icon=":material/view_column:", key="columns_box", type="tertiary"):
        st.multiselect(
            "Columns, in this order",
            _COLUMNS,
            key=keys.COLUMNS,
            bind="query-params",
            placeholder="the usual ones",
        )


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


def _summary_in_words(view: View) -> str:
    log = own_log()
    try:
        summary = _summed_up(log, view)
        total = f"{count_runs(log.readable):,}" if summary.more and not view.filtered else None
    except QueryFailed as failure:
        return str(failure)
    newest = f" Of the newest {MAX_COUNTED:,}:" if summary.more else ""
    median = "median " if summary.count > 1 else ""
    numbers = [f"Success rate {summary.ok / summary.ended:.0%}"] if summary.ended else []
    if summary.ttft_ms is not None:
        numbers.append(f"{median}TTFT {summary.ttft_ms:,.0f} ms")
    if summary.tokens_per_second is not None:
        numbers.append(f"{median}{summary.tokens_per_second:,.1f} tokens/s")
    numbers.append(f"{summary.completion_tokens:,} completion tokens")
    if checked := summary.passed + summary.failed:
        numbers.append(f"pass rate {pass_rate(summary.passed, checked)}")
    only = "" if view.order == "started" else f" Only those with {view.order} are listed."
    count = total or (f"More than {MAX_COUNTED:,}" if summary.more else f"{summary.count:,}")
    return f"{count} {'run' if count == '1' else 'runs'}.{newest} {' · '.join(numbers)}.{only}"


@st.cache_data(ttl=_SUMMED_UP_S, show_spinner=False, max_entries=50, hash_funcs=BY_OWNER)
def _summed_up(log: OwnLog, view: View) -> Summary:
    return summary_of(log.readable, view)


def _cells(runs: pd.DataFrame) -> pd.DataFrame:
    """The text of each cell by run and column; None where a run has no such fact."""
    cells = pd.DataFrame(
        {
            "started": runs["created_at"],
            "status": runs["status"],
            "endpoint": runs["endpoint"],
            "model": runs["model"],
            "settings": runs["settings"].str.replace("\n", ", ").str.replace("=", " "),
            "prompt": runs["prompt_begin"],
            "answer": runs["answer_begin"],
            "finish reason": runs["finish_reason"],
            "checks": [in_words(stored_results(results)) for results in runs["check_results"]],
            **{NUMBERS[name].label: [_number(name, value) for value in runs[name]] for name in LISTED},
            "rating": ["★" * int(stars) if pd.notna(stars) else None for stars in runs["rating"]],
            "tags": [", ".join(tags_in(tags)) for tags in runs["tags"].fillna("")],
            "experiment": runs["experiment_id"],
        },
        dtype=object,
    )
    return cells.where(cells.notna() & (cells != ""), None)


def _number(name: str, value: float | None) -> str | None:
    if pd.isna(value) or value is None:
        return None
    if NUMBERS[name].unit == "ms":
        return duration(value)
    if NUMBERS[name].of_answer:
        return f"{value:.3g}"
    return f"{value:.1f}" if NUMBERS[name].unit == "tokens/s" else f"{value:,.0f}"
