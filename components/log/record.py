"""A run's facts as the log keeps them, and what the log asks of a run that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from components.log.events import StoredEvent
from components.log.owned import LOCAL
from components.streaming.outcome import Status


def utc_now(ago_s: float = 0.0) -> str:
    """The time now, or some seconds ago, as the log writes it: ISO 8601, UTC, microseconds. Sorts as text."""
    moment = datetime.now(UTC) - timedelta(seconds=ago_s)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class RunRecord:
    """A run as the log keeps it: one field per column of the table ``runs``.

    Times end in ``_ms`` and mean what ``Timings`` says; ``created_at``, ``heartbeat_at`` and ``finished_at`` are UTC.
    ``request_body`` is the exact body that was sent, as text. Token counts are None unless the endpoint reported them.
    ``warnings``, ``retries`` (each attempt that was tried again, and the wait) and ``tool_calls`` are JSON lists.
    ``event_count`` says how many events came, also those that were not kept. ``draft`` is the form as it stood when the
    run began, as JSON that only the form can read; None when the run was started without one.

    ``served_model``, ``system_fingerprint`` and ``request_id`` are what the endpoint said of itself, see ``Outcome``.
    ``further_choices`` is a JSON list of those beyond the first, see ``choices.py``.

    ``prompt`` and ``settings`` are what the body asked, as ``Asked`` says it. ``owner`` is who made the run.

    ``experiment_id`` to ``checks`` are those of ``Placement``, None for a run of its own. ``determinism`` says what
    came of sending the same bytes again, on both runs: ``identical``, or ``first differs at character 212``.

    ``tokens_per_second`` is the decode rate and ``rate_basis`` which tokens it counts, or why there is none. A finished
    run without ``rate_basis`` is of an older release, which meant other things, see ``OLDER_DEFINITION``.
    """

    id: str
    created_at: str
    heartbeat_at: str
    status: str
    endpoint: str
    dialect: str
    model: str
    request_body: str
    app_version: str
    text: str = ""
    reasoning: str = ""
    finished_at: str | None = None
    error_kind: str | None = None
    error_message: str | None = None
    raw_error: str | None = None
    http_status: int | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    first_byte_ms: float | None = None
    first_event_ms: float | None = None
    reasoning_ms: float | None = None
    ttft_ms: float | None = None
    waited_ms: float | None = None
    total_ms: float | None = None
    tokens_per_second: float | None = None
    chunk_count: int = 0
    attempts: int = 0
    streamed: bool = True
    warnings: str = "[]"
    retries: str = "[]"
    tool_calls: str = "[]"
    event_count: int = 0
    draft: str | None = None
    connect_ms: float | None = None
    queued_ms: float | None = None
    cached_tokens: int | None = None
    experiment_id: str | None = None
    lane: str | None = None
    position: int | None = None
    repeat: int | None = None
    timing: str | None = None
    concurrency: int | None = None
    checks: str | None = None
    determinism: str | None = None
    served_model: str | None = None
    system_fingerprint: str | None = None
    request_id: str | None = None
    further_choices: str = "[]"
    prompt: str = ""
    settings: str = ""
    owner: str = LOCAL
    ttfo_ms: float | None = None
    gap_p50_ms: float | None = None
    gap_p95_ms: float | None = None
    gap_max_ms: float | None = None
    gap_count: int | None = None
    rate_basis: str | None = None

    @property
    def running(self) -> bool:
        """Whether the run has not ended, as far as the log knows."""
        return self.status == Status.RUNNING

    @property
    def told_by_endpoint(self) -> list[tuple[str, str]]:
        """Label and value of each fact that the endpoint told of itself."""
        names = ("served_model", "system_fingerprint", "request_id")
        return [(name.replace("_", " "), value) for name in names if (value := getattr(self, name))]


class LoggedRun(Protocol):
    """What the log needs of a run while its process lives; ``components.runs.run`` has the run itself.

    ``version`` grows with every change. ``network`` is where its owner called from, as far as that is known.
    """

    id: str
    owner: str
    network: str | None
    version: int

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""

    @property
    def kept_events(self) -> int:
        """How many events can be read."""

    @property
    def size(self) -> int:
        """About how many bytes of memory the run takes."""

    def events(self, since: int = 0) -> list[StoredEvent]:
        """The events from that index on."""

    def record(self) -> RunRecord:
        """The run as it stands now."""
