"""Orders like those of the pages, and events of a run."""

from __future__ import annotations

from typing import Any

from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.endpoints.endpoint import Address, AnyEndpoint, Endpoint
from components.runs.order import Order
from components.streaming.answer import Delta, TimedEvent

MINE = Endpoint("mine", BEEZY, Address("http://127.0.0.1:1/v1"))
"""An endpoint at a closed port."""


def order(endpoint: AnyEndpoint = MINE, body: bytes = b'{"model": "m"}', model: str = "m", **parts: Any) -> Order:
    """The order to send these bytes."""
    return Order(endpoint, body, model, streaming=True, **parts)


def order_of(endpoint: AnyEndpoint, request: ChatCompletionStreamRequest, **parts: Any) -> Order:
    """The order to send a request."""
    return Order(endpoint, to_bytes(request, endpoint.profile), request.model, request.stream, **parts)


def text_event(text: str, at_ms: float = 1.0, reasoning: str = "") -> TimedEvent:
    """An event that only adds this text to the first choice."""
    return TimedEvent("", "", at_ms, (Delta(0, text, reasoning),))
