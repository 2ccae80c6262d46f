"""The order for a run, from the form, lane, sweep or earlier run to the wire; and its position in an experiment."""

from __future__ import annotations

from dataclasses import dataclass

from components.checks.results import AnswerChecks
from components.contract.profile import profile_named
from components.contract.request import from_bytes
from components.drafts.composed import Composed
from components.drafts.draft import Draft
from components.endpoints.endpoint import AnyEndpoint
from components.log.record import LOCAL, RunRecord

WARM_UP = 0
"""The repeat number of a warm-up run; its numbers are not counted."""


@dataclass(frozen=True)
class Placement:
    """A run's position in an experiment.

    ``lane`` is the lane's id, ``position`` its index from 0. ``repeat`` counts from 1; 0 is a warm-up. ``timing`` is
    the order in which the runs were made, ``concurrency`` their maximum at once. ``checks`` is the id of the run whose
    bytes this run repeats to compare the answers.
    """

    experiment_id: str
    lane: str
    position: int
    repeat: int
    timing: str
    concurrency: int
    checks: str | None = None


@dataclass(frozen=True)
class Order:
    """A request to send, and its owner.

    ``body`` holds the exact bytes for the wire. ``draft`` is the form behind them, as JSON, when they do not contain
    all of it. ``network`` is the owner's network, if known; the log does not store it. ``checks`` are those of the
    answer, made when it ends.
    """

    endpoint: AnyEndpoint
    body: bytes
    model: str
    streaming: bool
    draft: str | None = None
    placement: Placement | None = None
    owner: str = LOCAL
    network: str | None = None
    checks: AnswerChecks | None = None


def order_for(endpoint: AnyEndpoint | None, composed: Composed, draft: Draft) -> Order | None:
    """The order for a composed draft; None when it has no valid request."""
    if endpoint is None or composed.request is None or composed.body is None:
        return None
    return Order(endpoint, composed.body, composed.request.model, composed.request.stream, draft.for_log())


def order_again(endpoint: AnyEndpoint, record: RunRecord) -> Order:
    """The order that sends the bytes of an earlier run again."""
    try:
        streaming = from_bytes(record.request_body, profile_named(record.dialect)).stream
    except ValueError:
        streaming = record.streamed  # the body holds values that no form makes
    return Order(endpoint, record.request_body.encode(), record.model, streaming, record.draft)
