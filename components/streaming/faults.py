"""The kinds of faults of a run, a closed list, and the exception that carries one."""

from __future__ import annotations

from enum import StrEnum

from components.user_error import UserError


class ErrorKind(StrEnum):
    """The fault of a run. The list is closed: the log and the pages know every member."""

    CONNECT_REFUSED = "connect_refused"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    REDIRECT_REFUSED = "redirect_refused"
    INVALID_REQUEST = "invalid_request"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    TIMEOUT_STATUS = "timeout_status"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    NOT_SSE = "not_sse"
    SERVER_ERROR_EVENT = "server_error_event"
    EMPTY_ANSWER = "empty_answer"
    BAD_ENCODING = "bad_encoding"
    FIRST_EVENT_TIMEOUT = "first_event_timeout"
    STALL = "stall"
    CLOSED_EARLY = "closed_early"
    OVERSIZE_EVENT = "oversize_event"
    UNREADABLE_EVENTS = "unreadable_events"
    DEADLINE = "deadline"
    """The whole run took too long or grew too large."""
    FINISH_ERROR = "finish_error"
    CANCELLED = "cancelled"
    PROCESS_DIED = "process_died"
    POLICY_REFUSED = "policy_refused"
    ADDRESS_REFUSED = "address_refused"
    """A visitor's own endpoint has an address that the operator does not allow."""
    BUDGET = "budget"
    REFUSED_HERE = "refused_here"
    """Tempera refused the run: a limit, a budget or the off switch."""
    ENDPOINT_UNAVAILABLE = "endpoint_unavailable"
    INTERNAL = "internal"


class StreamFault(UserError):
    """A fault that ends the run.

    ``sentence`` says in plain words what happened and what to do. ``raw`` is the endpoint's own answer, if it gave one.
    ``retry_after`` is the wait in seconds that the endpoint asks for. ``unprocessed``: the endpoint certainly did not
    begin to process the request, so a retry is harmless.
    """

    def __init__(
        self,
        kind: ErrorKind,
        sentence: str,
        *,
        http_status: int | None = None,
        raw: str | None = None,
        retry_after: float | None = None,
        unprocessed: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.http_status = http_status
        self.raw = raw
        self.retry_after = retry_after
        self.unprocessed = unprocessed
