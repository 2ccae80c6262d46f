"""How a run ended, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.contract.chunk import Usage
from components.streaming.faults import ErrorKind
from components.streaming.rate import Rate, decode_rate


class Status(StrEnum):
    """The states of a run. ``running`` is the only one that is not final."""

    RUNNING = "running"
    OK = "ok"
    DAMAGED = "damaged"
    """Complete, but some events could not be read; the text may have a hole."""
    INTERRUPTED = "interrupted"
    """Text arrived, then the stream broke."""
    ERROR = "error"
    """No text arrived."""
    CANCELLED = "cancelled"
    LOST = "lost"
    """The process died while the run was going on."""
    REJECTED = "rejected"
    """Never sent."""


@dataclass(frozen=True)
class Timings:
    """Times in milliseconds, taken in the reader thread; None for what did not happen.

    ``first_byte_ms`` (headers complete), ``first_event_ms``, ``reasoning_ms`` (first reasoning), ``ttft_ms`` (time to
    first token: the first reasoning, text or piece of a tool call that is not empty), ``ttfo_ms`` (time to first output
    token: the first text, or the first piece of a tool call in an answer without text) and ``last_token_ms`` (the last
    of any kind) count from the last attempt's send. ``total_ms`` counts from the start of the run to its end and holds
    ``waited_ms``, the waits before retries. ``connect_ms`` is what came before the last attempt's send: finding the
    host, connecting, the TLS handshake. ``queued_ms`` is how long the endpoint says that it let the request wait for a
    slot; what counts from the send holds it.

    A moment is that of the read of the socket which brought it. A chunk gap is the time between two reads that brought
    tokens of any kind and choice one after the other, so chunks that came in one read have no gap. ``gap_p50_ms`` to
    ``gap_max_ms`` are of ``gap_count`` gaps, percentiles with linear interpolation. ``token_chunks`` are the chunks
    that brought tokens; ``first_token_chunks`` of them came in the first such read.
    """

    first_byte_ms: float | None = None
    first_event_ms: float | None = None
    reasoning_ms: float | None = None
    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    last_token_ms: float | None = None
    waited_ms: float = 0.0
    total_ms: float = 0.0
    queued_ms: float | None = None
    connect_ms: float | None = None
    gap_p50_ms: float | None = None
    gap_p95_ms: float | None = None
    gap_max_ms: float | None = None
    gap_count: int = 0
    token_chunks: int = 0
    first_token_chunks: int = 0


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool that the model asks for, joined from its pieces. Text only: nothing here is ever executed.

    ``arguments`` is JSON if the model wrote JSON; it is kept as it came.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Choice:
    """One choice of several that were asked for."""

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None


@dataclass(frozen=True)
class Retry:
    """An attempt that was to be repeated: what its fault was, and the wait before the next in milliseconds."""

    kind: ErrorKind
    http_status: int | None
    wait_ms: float


@dataclass(frozen=True)
class Outcome:
    """How one run ended. ``text``, ``reasoning``, ``tool_calls`` and ``finish_reason`` are those of the first choice.

    ``further_choices`` are the others, by index. ``retries`` holds one entry for each attempt that a wait followed.
    ``model`` is the one that answered, as the endpoint calls it, ``request_id`` the name under which the endpoint's own
    log has the request, and ``system_fingerprint`` what it says of its configuration.
    """

    status: Status
    error_kind: ErrorKind | None = None
    message: str | None = None
    raw_error: str | None = None
    error_fields: tuple[str, ...] = ()
    http_status: int | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    request_id: str | None = None
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    further_choices: tuple[Choice, ...] = ()
    timings: Timings = Timings()
    chunk_count: int = 0
    attempts: int = 0
    retries: tuple[Retry, ...] = ()
    streamed: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each choice, by index."""
        return (self.text, *(choice.text for choice in self.further_choices))

    @property
    def rate(self) -> Rate:
        """The decode rate of all choices together, or why there is none."""
        if not self.streamed:
            return Rate(None, "the answer was not streamed")
        timings = self.timings
        first, last = timings.ttft_ms, timings.last_token_ms
        return decode_rate(
            self.usage,
            chunks=timings.token_chunks,
            first_chunks=timings.first_token_chunks,
            span_ms=None if first is None or last is None else last - first,
            reasoning_streamed=timings.reasoning_ms is not None,
        )
