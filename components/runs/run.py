"""A run, from its order to its end. It belongs to its worker thread; any thread may read it."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from components import __version__
from components.checks.check import Answer
from components.checks.results import problem_with
from components.contract.chunk import Usage
from components.log.events import StoredEvent
from components.log.owned import OwnedLog
from components.log.record import FACTS, RunRecord, utc_now
from components.log.request_summary import summarize_request
from components.runs.arrived import Arrived
from components.runs.order import Order, Placement
from components.streaming.answer import TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status

_SIZE_OF_AN_EMPTY_RUN = 4096


class Activity(Enum):
    """The current activity of a run, in words for the page."""

    PREPARING = "Starting"
    QUEUED = "In the queue"
    WAITING = "Waiting for the first token"
    RETRYING = "Trying again"
    STREAMING = "Streaming"
    STOPPING = "Stopping"


@dataclass(frozen=True)
class RetryWait:
    """A wait before the next attempt: the reason as a sentence, and the end in monotonic seconds."""

    reason: str
    until: float

    @property
    def remaining_s(self) -> float:
        """The remaining seconds."""
        return max(self.until - time.monotonic(), 0.0)


class Run:
    """One run while its process lives. ``order`` started it, ``network`` is its owner's, if known.

    ``version`` grows with every change. ``stopping`` is true once a stop was requested. ``ended`` resolves to the
    status at the run's end. ``written`` resolves when the run is completely written, or when the database fails.
    ``place_in_queue`` counts from 1 while the run waits in a queue. ``retry_wait`` is set while the run waits to retry.
    ``seen_at`` is the time of the last view of the run, in monotonic seconds.
    """

    def __init__(self, order: Order, limits: Limits | None = None) -> None:
        self.id = uuid.uuid4().hex
        self.created_at = utc_now()
        self.order = order
        self.owner = order.owner
        self.network = order.network
        self._summary = summarize_request(order.body.decode())
        self.version = 0
        self.activity = Activity.PREPARING
        self.place_in_queue: int | None = None
        self.retry_wait: RetryWait | None = None
        self.seen_at: float | None = None
        self.ended: Future[Status] = Future()
        self.written: Future[None] = Future()
        self._started = time.monotonic()
        self._lock = threading.RLock()
        self._arrived = Arrived(limits or Limits())
        self._outcome: Outcome | None = None
        self._checked: dict[str, Any] = {}
        self._finished_at: str | None = None
        self.stopping = False
        self._stop_stream: Callable[[], None] | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self._outcome is not None

    @property
    def size(self) -> int:
        """The approximate memory use of the run, in bytes."""
        with self._lock:
            outcome = self._outcome
            texts = [self.order.draft or "", *((*outcome.texts, outcome.reasoning) if outcome else ())]
            texts_size = sum(map(sys.getsizeof, texts))
            return _SIZE_OF_AN_EMPTY_RUN + len(self.order.body) + self._arrived.size + texts_size

    @property
    def kept_events(self) -> int:
        """The number of readable events; it grows until a limit is reached."""
        return self._arrived.kept_events

    def events(self, since: int = 0) -> list[StoredEvent]:
        """The stored events from that index on, in order of arrival."""
        with self._lock:
            return self._arrived.events(since)

    @property
    def waits_to_retry(self) -> bool:
        """Whether the run waits to retry."""
        return self.activity is Activity.RETRYING and not self.finished

    def stop(self) -> None:
        """Request a stop; the run ends soon and keeps what arrived."""
        with self._lock:
            if self.finished:
                return
            self.stopping = True
            self._change(Activity.STOPPING)
            stop_stream = self._stop_stream
        if stop_stream:
            stop_stream()

    def attach(self, stop_stream: Callable[[], None]) -> None:
        """Set the function that stops the stream; the run waits for this stream from now on."""
        with self._lock:
            if self.finished:
                return
            self._stop_stream = stop_stream
            stopping = self.stopping
            self._change(Activity.WAITING)
        if stopping:
            stop_stream()

    def enter(self, activity: Activity) -> None:
        """Set the current activity."""
        with self._lock:
            self._change(activity)

    def wait_to_retry(self, reason: str, seconds: float) -> None:
        """Note a failed attempt, its reason, and the seconds until the next attempt."""
        with self._lock:
            self._change(Activity.RETRYING, retry_wait=RetryWait(reason, time.monotonic() + seconds))

    def queue(self, place: int | None) -> None:
        """Note that the run waits in the queue at this place from 1; None for a queue without places."""
        with self._lock:
            if not self.stopping and (self.activity, self.place_in_queue) != (Activity.QUEUED, place):
                self._change(Activity.QUEUED, place)

    def adopt(self, placement: Placement) -> None:
        """Make the run part of an experiment, unless it already is; later writes include it."""
        with self._lock:
            if self.order.placement is None:
                self.order = replace(self.order, placement=placement)

    def seen(self) -> None:
        """Note that the run is being viewed."""
        self.seen_at = time.monotonic()

    def take(self, event: TimedEvent) -> None:
        """Add one event of the stream: store it, and add its deltas to the answer."""
        with self._lock:
            self._arrived.take(event)
            if event.deltas:
                self._change(Activity.STREAMING)
            else:
                self._change(self.activity, retry_wait=self.retry_wait)

    def finish(self, outcome: Outcome) -> None:
        """End the run; later calls change nothing."""
        if not outcome.text and not outcome.reasoning:  # an outcome without a stream keeps the text that arrived
            text, reasoning = self.texts()
            outcome = replace(outcome, text=text, reasoning=reasoning)
        # Before the end, because an ended run is written once; outside the lock, because a pattern may take a while.
        checked = self.order.checks.facts(_answer_of(outcome)) if self.order.checks else {}
        with self._lock:
            if self.finished:
                return
            self._arrived.forget_texts()
            self._outcome = outcome
            self._checked = checked
            self._finished_at = utc_now()
            self._notify()
        self.ended.set_result(outcome.status)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every change, in the thread of the change. It must return at once."""
        with self._lock:
            self._listeners.append(listener)

    def leave(self, listener: Callable[[], None]) -> None:
        """Remove a listener."""
        with self._lock:
            self._listeners.remove(listener)

    def _change(
        self, activity: Activity, place_in_queue: int | None = None, retry_wait: RetryWait | None = None
    ) -> None:
        self.activity = Activity.STOPPING if self.stopping else activity
        self.place_in_queue = place_in_queue
        self.retry_wait = None if self.stopping else retry_wait
        self._notify()

    def _notify(self) -> None:
        self.version += 1
        for listener in self._listeners:
            listener()

    def texts(self) -> tuple[str, str]:
        """The current text of the answer and the reasoning."""
        with self._lock:
            return (self._outcome.text, self._outcome.reasoning) if self._outcome else self._arrived.texts()

    def record(self) -> RunRecord:
        """The current record of the run."""
        with self._lock:
            order = self.order
            text, reasoning = self.texts()
            facts: dict[str, Any] = {
                "status": Status.RUNNING.value,
                "total_ms": round((time.monotonic() - self._started) * 1000, 3),
                "text": text,
                "reasoning": reasoning,
                **self._arrived.facts(),
            }
            if order.placement:
                facts |= vars(order.placement)
            if self._outcome:
                facts |= _outcome_facts(self._outcome) | self._checked
            return RunRecord(
                id=self.id,
                created_at=self.created_at,
                heartbeat_at=utc_now(),
                finished_at=self._finished_at,
                endpoint=order.endpoint.name,
                dialect=order.endpoint.profile.name,
                model=order.model,
                request_body=order.body.decode(),
                app_version=__version__,
                draft=order.draft,
                owner=self.owner,
                **self._summary._asdict(),
                **facts,
            )


def _answer_of(outcome: Outcome) -> Answer:
    tokens = outcome.usage.completion_tokens if outcome.usage else None
    problem = problem_with(outcome.status, outcome.message)
    return Answer(outcome.text, outcome.finish_reason, tuple(outcome.tool_calls), tokens, problem)


def _outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """The record's facts from an outcome, its timings and its usage: those of equal name, and the derived ones."""
    parts = (outcome, outcome.timings, outcome.likelihood, outcome.usage or Usage())
    common = {name: value for part in parts for name, value in vars(part).items() if name in FACTS}
    return common | {
        "status": outcome.status.value,
        "error_kind": outcome.error_kind.value if outcome.error_kind else None,
        "error_message": outcome.message,
        "ttft_ms": outcome.timings.ttft_ms if outcome.streamed else None,
        "ttfo_ms": outcome.timings.ttfo_ms if outcome.streamed else None,
        "tokens_per_second": outcome.rate.per_second,
        "rate_basis": outcome.rate.basis,
        "warnings": json.dumps(outcome.warnings),
        "retries": json.dumps([asdict(retry) for retry in outcome.retries]),
        "tool_calls": json.dumps([asdict(call) for call in outcome.tool_calls]),
        "further_choices": json.dumps([asdict(choice) for choice in outcome.further_choices]),
    }


def live_run(log: OwnedLog, run_id: str) -> Run | None:
    """The owner's run of that id until this process has completely written it; afterwards it is in the log."""
    run = log.live(run_id)
    return run if isinstance(run, Run) else None
