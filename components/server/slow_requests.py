"""Closes connections whose request does not arrive: uvicorn waits for it without limit, with memory and a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_connection_made: Any = AutoHTTPProtocol.connection_made


@dataclass(frozen=True)
class ArrivalLimits:
    """The time limits of a request's arrival, in seconds."""

    headers_s: float = 10.0
    """From the start of a connection, or from the previous response, to the end of the headers."""
    body_s: float = 60.0
    check_each_s: float = 2.0


def end_slow_requests(limits: ArrivalLimits | None = None) -> None:
    """Make uvicorn watch every connection from its start; it has no such limit of its own."""
    applied = limits or ArrivalLimits()

    def watched(protocol: Any, transport: asyncio.Transport) -> None:
        _connection_made(protocol, transport)
        _Watch(protocol, transport, applied).check()

    AutoHTTPProtocol.connection_made = watched  # type: ignore[assignment,method-assign]


class _Watch:
    """One connection, until it is closed or has become a WebSocket."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, limits: ArrivalLimits) -> None:
        self._protocol = protocol
        self._transport = transport
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._stage: object = None
        self._since = 0.0

    def check(self) -> None:
        """Close the connection when the request is overdue; otherwise check again later."""
        protocol: Any = self._transport.get_protocol()
        if self._transport.is_closing() or protocol is not self._protocol:
            return
        cycle, now = protocol.cycle, self._loop.time()
        is_answered = cycle is None or cycle.response_complete
        if (cycle, is_answered) != self._stage:
            self._stage, self._since = (cycle, is_answered), now
        wait = self._limits.headers_s if is_answered else self._limits.body_s
        if (is_answered or cycle.more_body) and now - self._since > wait:
            self._transport.abort()
        else:
            self._loop.call_later(self._limits.check_each_s, self.check)
