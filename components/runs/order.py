"""What starts a run: one value, from the form, the lane, the sweep or the earlier run that asks, to the wire."""

from __future__ import annotations

from dataclasses import dataclass

from components.contract.profile import profile_named
from components.contract.request import from_bytes
from components.drafts.composed import Composed
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.log.owner import LOCAL
from components.log.record import RunRecord
from components.runs.placement import Placement


@dataclass(frozen=True)
class Order:
    """A request to be sent, and on whose behalf.

    ``body`` holds the very bytes that go over the wire. ``draft`` is the form that they were made from, as JSON, where
    they do not say all of it. ``network`` is where the owner calls from, as far as that is known; the log does not keep
    it.
    """

    endpoint: AnyEndpoint
    body: bytes
    model: str
    streaming: bool
    draft: str | None = None
    placement: Placement | None = None
    owner: str = LOCAL
    network: str | None = None


def order_for(endpoint: AnyEndpoint | None, composed: Composed, draft: Draft) -> Order | None:
    """The order for a draft that was composed; None when it makes no request."""
    if endpoint is None or composed.request is None or composed.body is None:
        return None
    return Order(endpoint, composed.body, composed.request.model, composed.request.stream, draft.for_log())


def order_again(endpoint: AnyEndpoint, record: RunRecord) -> Order:
    """The order that sends the bytes of an earlier run once more."""
    try:
        streaming = from_bytes(record.request_body, profile_named(record.dialect)).stream
    except ValueError:
        streaming = record.streamed  # the body holds what no form makes
    return Order(endpoint, record.request_body.encode(), record.model, streaming, record.draft)
