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
    """How long a late chunk is awaited behind ``[DONE]`` when the endpoint keeps the connection open."""
    error_body_s: float = 2
    max_event_bytes: int = 1024 * 1024
    max_stream_bytes: int = 64 * 1024 * 1024
    max_text_chars: int = 2_000_000
    max_bad_events: int = 100
    max_error_body_bytes: int = 64 * 1024
    max_document_bytes: int = 2 * 1024 * 1024
    """An answer that was not streamed: one JSON document."""
    retries_before_first_byte: int = 2
    backoff_s: float = 0.5
    """The wait before the first retry, ±20 %; it doubles with each retry up to ``max_backoff_s``."""
    max_backoff_s: float = 8
    max_retry_after_s: float = 60
    max_kept_events: int = 50_000
    """How many events of a run are kept for display and replay; those beyond are counted."""
    max_kept_event_chars: int = 8 * 1024 * 1024
    """Names and data of the events of a run that are kept."""
    log_flush_ms: int = 250
    """How often the log writes what arrived."""
    log_events_s: float = 4.5
    """How long events wait to be written together. With the round and the commit, one is in the database after 5 s."""
    log_lock_wait_s: float = 5
    """How long a write waits while another process holds the database locked."""
    log_retry_s: float = 2
    """The wait before the log tries again a database that failed."""
    log_refused_retry_s: float = 60
    """The wait before the log tries again a run that the database refused for what is in it."""
    heartbeat_s: float = 5
    """How often a running run says in the log that its process lives."""
    stop_requests_s: float = 0.4
    """How often a process looks whether another one was asked to stop its runs."""
    lost_after_s: float = 20
    """A run without a heartbeat for this long is lost."""
    unwritten_log_bytes: int = 64 * 1024 * 1024
    """Memory for runs that the database does not take; beyond it the oldest finished ones are dropped."""
    kept_mb: int = 10_000
    """Megabytes that the log keeps for one owner: runs with their events, drafts, presets, experiments, capsules."""
    kept_mb_of_network: int = 0
    """The same for all who called from one network within a day; 0 where networks are not told apart."""
    pages_at_once: int = 16
    """Pages of one visitor that are open at once."""
    upload_bytes: int = 8 * 1024 * 1024
    """Files that one visitor has uploaded and whose pages are still there, in memory."""
    sessions_at_once: int = 500
    """Pages of all visitors of this process that are open at once; each takes about half a megabyte."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Limits:
        """Defaults, with the given limits in their place.

        Raises ValueError that names an unknown limit or one that is no number in range.
        """
        known = {field.name: field.default for field in fields(cls)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"There is no limit {name!r}. The limits are: {', '.join(known)}.")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
                raise ValueError(f"The limit {name} must be a number from 0 to {_LARGEST:,}, not {value!r:.40}.")
        return cls(**values)  # type: ignore[arg-type]
