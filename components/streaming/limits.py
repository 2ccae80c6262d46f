"""All limits of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

_LARGEST = 1_000_000_000
"""Seconds or bytes: effectively unlimited, and safe for clocks and counters."""


@dataclass(frozen=True)
class Limits:
    """Limits of time and size. Names end in their unit; times count from the start of an attempt.

    Sizes count decoded bytes, after any Content-Encoding.
    """

    connect_s: float = 5
    first_byte_s: float = 30
    """Until the response's headers are complete."""
    first_event_s: float = 60
    idle_between_events_s: float = 30
    """Silence between two events; comments and single bytes do not count as events."""
    total_s: float = 300
    """The whole run, waits before retries included."""
    after_done_s: float = 0.5
    """The wait for late chunks after ``[DONE]`` while the connection stays open."""
    error_body_s: float = 2
    max_event_bytes: int = 1024 * 1024
    max_stream_bytes: int = 64 * 1024 * 1024
    max_text_chars: int = 2_000_000
    max_bad_events: int = 100
    max_error_body_bytes: int = 64 * 1024
    max_document_bytes: int = 2 * 1024 * 1024
    """The limit of an answer that is one JSON document."""
    retries_before_first_byte: int = 2
    backoff_s: float = 0.5
    """The wait before the first retry, ±20 %; it doubles with each retry up to ``max_backoff_s``."""
    max_backoff_s: float = 8
    max_retry_after_s: float = 60
    max_kept_events: int = 50_000
    """The number of events of a run that are kept for display and replay; further ones are only counted."""
    max_kept_event_chars: int = 8 * 1024 * 1024
    """The names and data of a run's kept events."""
    log_flush_ms: int = 250
    """The interval at which the log writes what arrived."""
    log_events_s: float = 4.5
    """The wait in which events are collected. With the round and the commit, each is in the database after 5 s."""
    log_lock_wait_s: float = 5
    """The wait of a write for another process's lock on the database."""
    log_retry_s: float = 2
    """The wait before the log retries a failed database."""
    log_refused_retry_s: float = 60
    """The wait before the log retries a run that the database refused for its content."""
    heartbeat_s: float = 5
    """The interval of a running run's heartbeat in the log."""
    stop_requests_s: float = 0.4
    """The interval at which a process reads other processes' requests to stop its runs."""
    lost_after_s: float = 20
    """A run without a heartbeat for this long is lost."""
    unwritten_log_bytes: int = 64 * 1024 * 1024
    """The memory for runs that are not yet written; beyond it, the oldest finished ones are dropped."""
    kept_mb: int = 10_000
    """The megabytes of one owner in the log: runs with events, drafts, presets, experiments, capsules."""
    kept_mb_of_network: int = 0
    """The same for all owners in one network within a day; 0 when networks are not distinguished."""
    pages_at_once: int = 16
    """The number of one visitor's open pages."""
    upload_bytes: int = 8 * 1024 * 1024
    """The uploaded files of one visitor's pages, in memory."""
    sessions_at_once: int = 500
    """The number of all open pages of this process; each takes about half a megabyte."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Limits:
        """Defaults, with the given limits in their place.

        Raises ValueError for an unknown limit, and for a value that is not a number in range; it names the limit.
        """
        defaults = {field.name: field.default for field in fields(cls)}
        for name, value in values.items():
            if name not in defaults:
                raise ValueError(f"There is no limit {name!r}. The limits are: {', '.join(defaults)}.")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
                raise ValueError(f"The limit {name} must be a number from 0 to {_LARGEST:,}, not {value!r:.40}.")
        return cls(**values)  # type: ignore[arg-type]
