"""The log's size, its compaction, import, and deletion of the runs in a view."""

from __future__ import annotations

import io
from collections.abc import Callable

import streamlit as st

from components.counted import counted
from components.log.compaction import compact, free_bytes, size_bytes
from components.log.database import Database
from components.log.deletion import delete_runs_of_view
from components.log.importing import import_runs, lines_of
from components.log.owned import OwnLog
from components.log.record import LOCAL
from components.log.search import summary_of
from components.log.view import MAX_COUNTED, View
from components.ui.runs import keys
from components.ui.uploads import draw_uploader
from components.ui.user_errors import show_errors, show_errors_later
from components.ui.visitor import own_log
from components.user_error import UserError

_WORTH_COMPACTING = 1_000_000


def draw_storage(view: View, on_change: Callable[[], None]) -> None:
    """Draw a popover with the log's size; a filtered view can be deleted after a confirmation.

    ``on_change`` is called when runs were added or deleted.
    """
    log = own_log()
    database = log.database
    if database is None:
        return
    opened = st.popover("Storage", icon=":material/database:", key=keys.UPKEEP, type="tertiary", on_change="rerun")
    # A closed popover would count the view's runs every two seconds in vain.
    if not opened.open:
        return
    with opened, show_errors():
        # Where visitors have separate logs, the size of the whole log is for the operator only.
        if database.owner == LOCAL:
            st.markdown(f"The log uses **{size_bytes(database) / 1e6:,.1f} MB**.")
            _draw_compaction(log, database)
        if use := log.storage_use():
            st.caption(use.in_words())
        _draw_import(on_change)
        if not view.filtered:
            st.caption("Set a filter to delete the matching runs.")
            return
        summary = summary_of(database, view)
        count = f"more than {MAX_COUNTED:,}" if summary.more else f"{summary.count:,}"
        sure = st.checkbox(f"Delete {count} runs permanently, with notes and votes", key=keys.SURE_TO_DELETE)
        if st.button("Delete", key="remove_found", icon=":material/delete:", disabled=not sure or not summary.count):
            _delete(log, database, view, on_change)


def _draw_compaction(log: OwnLog, database: Database) -> None:
    free = free_bytes(database)
    if free < _WORTH_COMPACTING:
        return
    st.caption(f"{free / 1e6:,.1f} MB of it are free for new runs.")
    if not st.button("Compact database", key="compact", icon=":material/compress:"):
        return
    progress = st.progress(0.0, "Compacting …")
    with progress.container(), show_errors():
        for still_free in compact(log, database):
            progress.progress(min(max(1 - still_free / free, 0.0), 1.0), f"{still_free / 1e6:,.1f} MB left")
        st.rerun()


def _draw_import(on_change: Callable[[], None]) -> None:
    file = draw_uploader(
        "Import runs",
        type="jsonl",
        # The key has a number that grows, so that a second click does not import the same file again.
        key=f"{keys.IMPORT_RUNS}_{st.session_state.get(keys.IMPORT_RUNS, 0)}",
        help="A JSON Lines file of *Export*. Runs get new ids.",
    )
    if file is None or not st.button("Import", key="import_runs", icon=":material/upload:"):
        return
    with show_errors_later(keys.RUNS_PROBLEM, "Not all runs were imported: "):
        added = import_runs(own_log(), lines_of(io.TextIOWrapper(file, encoding="utf-8", errors="replace")))
        st.toast(f"{counted(added, 'run')} imported.", icon=":material/upload:")
    st.session_state[keys.IMPORT_RUNS] = st.session_state.get(keys.IMPORT_RUNS, 0) + 1
    on_change()
    st.rerun()


def _delete(log: OwnLog, database: Database, view: View, on_change: Callable[[], None]) -> None:
    progress, deleted = st.empty(), 0
    try:
        for deleted in delete_runs_of_view(log, database, view):
            progress.caption(f"{deleted:,} deleted")
    except UserError as failure:
        st.session_state[keys.RUNS_PROBLEM] = f"{deleted:,} deleted, then: {failure.sentence}"
    else:
        st.toast(f"{counted(deleted, 'run')} deleted.", icon=":material/delete:")
    on_change()
    st.rerun()
