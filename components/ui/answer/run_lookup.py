"""Finds a run by its id, in this process or else in the log."""

from __future__ import annotations

from collections.abc import Callable

from components.contract.profile import profile_named
from components.contract.request import ChatCompletionStreamRequest, from_bytes
from components.log.events import StoredEvent
from components.log.query import events_of, find_run
from components.log.record import RunRecord
from components.runs.run import Run, live_run
from components.sharing.shared_run import SharedRun
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log


@show_errors()
def find(run_id: str | None) -> Run | RunRecord | None:
    """The run, or None when there is none; the page shows the error of an unreadable log."""
    if run_id is None:
        return None
    database = own_log().database
    return live_run(own_log(), run_id) or (find_run(database, run_id) if database else None)


def request_of(record: RunRecord) -> ChatCompletionStreamRequest | None:
    """The request of a run, or None for a body that is not a Tempera request."""
    try:
        return from_bytes(record.request_body, profile_named(record.dialect))
    except ValueError:
        return None


def events_reader(run: Run | RunRecord) -> Callable[[], list[StoredEvent]]:
    """A reader for a run's events, from this process, a capsule or the log; any thread may call it.

    It raises QueryFailed, also without a log.
    """
    if isinstance(run, SharedRun):
        events = list(run.shared_events)
        return lambda: events
    log = own_log()

    def read() -> list[StoredEvent]:
        live = live_run(log, run.id)
        return live.events() if live else events_of(log.readable, run.id)

    return read


def record_of(run: Run | RunRecord | None) -> RunRecord | None:
    """The run's current state."""
    return run.record() if isinstance(run, Run) else run
