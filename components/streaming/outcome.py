"""The outcome of a run: its status, its answer and its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from components.contract.chunk import Usage
from components.contract.token_probabilities import Likelihood
from components.streaming.faults import ErrorKind
from components.streaming.moments import Timings
from components.streaming.rate import Rate, decode_rate


class Status(StrEnum):
    """The states of a run. ``running`` is the only one that is not final."""

    RUNNING = "running"
    OK = "ok"
    DAMAGED = "damaged"
    """Complete, but some events could not be read; the text may have a gap."""
    INTERRUPTED = "interrupted"
    """Text arrived, then the stream broke."""
    ERROR = "error"
    """No text arrived."""
    CANCELLED = "cancelled"
    LOST = "lost"
    """The process died during the run."""
    REJECTED = "rejected"
    """Never sent."""


@dataclass(frozen=True)
class ToolCall:
    """A tool call of the model, joined from its pieces. Nothing is executed.

    ``arguments`` is kept as received; JSON if the model wrote JSON. All fields are public when an answer is shared.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Choice:
    """One of several choices."""

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None


@dataclass(frozen=True)
class Retry:
    """An attempt that was retried: its fault, and the wait before the next in milliseconds."""

    kind: ErrorKind
    http_status: int | None
    wait_ms: float


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    ``text``, ``reasoning``, ``tool_calls`` and ``finish_reason`` are those of the first choice; ``further_choices`` are
    the others, by index. ``retries`` has one entry for each attempt that was retried. ``served_model`` is the
    endpoint's name of the model that answered, ``request_id`` the name of the request in the endpoint's log,
    ``system_fingerprint`` the endpoint's name of its configuration.
    """

    status: Status
    error_kind: ErrorKind | None = None
    message: str | None = None
    raw_error: str | None = None
    http_status: int | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    served_model: str | None = None
    system_fingerprint: str | None = None
    request_id: str | None = None
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    further_choices: tuple[Choice, ...] = ()
    timings: Timings = field(default_factory=Timings)
    likelihood: Likelihood = field(default_factory=Likelihood)
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
        """The decode rate of all choices together, or the reason why there is none."""
        if not self.streamed:
            return Rate(None, "the answer was not streamed")
        return decode_rate(self.usage, self.timings)
