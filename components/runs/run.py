"""A run: its life from its order to its end. It belongs to its worker thread; any thread may look at it."""

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
from components.contract.chunk import Usage
from components.log.events import StoredEvent
from components.log.owned import OwnedLog
from components.log.record import FACTS, RunRecord, utc_now
from components.log.request_summary import asked_in
from components.runs.arrived import Arrived
from components.runs.order import Order
from components.runs.placement import Placement
from components.streaming.answer import TimedEvent
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status

_SIZE_OF_AN_EMPTY_RUN = 4096


class Activity(Enum):
    """What a running run does now, in words for the page."""

    PREPARING = "Starting"
    QUEUED = "In the queue"
    WAITING = "Waiting for the first token"
    RETRYING = "Trying again"
    STREAMING = "Streaming"
    STOPPING = "Stopping"


@dataclass(frozen=True)
class RetryWait:
    """A wait before the next attempt: why, in a sentence, and until when, in monotonic seconds."""

    why: str
    until: float

    @property
    def remaining_s(self) -> float:
        """How long it still is."""
        return max(self.until - time.monotonic(), 0.0)


class Run:
    """One run while its process lives. ``order`` is what started it. ``version`` grows with every change.

    ``ended`` has its status once it has come to its end. ``written`` is done when nothing of it is left to write, or
    when the database turns out not to take it. ``place_in_queue`` counts from 1 while it waits in a queue of places.
    ``retry_wait`` is there while the run tries again. ``seen_at`` is when somebody last looked at it, in monotonic
    seconds.
    """

    def __init__(self, order: Order, limits: Limits | None = None) -> None:
        self.id = uuid.uuid4().hex
        self.created_at = utc_now()
        self.order = order
        self._asked = asked_in(order.body.decode())
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
        self._finished_at: str | None = None
        self._stopping = False
        self._stop_stream: Callable[[], None] | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def owner(self) -> str:
        """Whose run it is."""
        return self.order.owner

    @property
    def network(self) -> str | None:
        """Where its owner called from, as far as that is known."""
        return self.order.network

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self._outcome is not None

    @property
    def size(self) -> int:
        """About how many bytes of memory the run takes."""
        with self._lock:
            outcome = self._outcome
            texts = [self.order.draft or "", *((*outcome.texts, outcome.reasoning) if outcome else ())]
            texts_size = sum(map(sys.getsizeof, texts))
            return _SIZE_OF_AN_EMPTY_RUN + len(self.order.body) + self._arrived.size + texts_size

    @property
    def kept_events(self) -> int:
        """How many events can be read; it grows until a limit is reached."""
        return self._arrived.kept_events

    def events(self, since: int = 0) -> list[StoredEvent]:
        """The events that have been kept so far, in the order in which they came, from that index on."""
        with self._lock:
            return self._arrived.events(since)

    @property
    def waits_to_retry(self) -> bool:
        """Whether the endpoint has told the run to come again later."""
        return self.activity is Activity.RETRYING and not self.finished

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the run to stop."""
        return self._stopping

    def stop(self) -> None:
        """Ask the run to stop; it ends within a moment and keeps what arrived."""
        with self._lock:
            if self.finished:
                return
            self._stopping = True
            self._change(Activity.STOPPING)
            stop_stream = self._stop_stream
        if stop_stream:
            stop_stream()

    def attach(self, stop_stream: Callable[[], None]) -> None:
        """Tell the run how to stop the stream that it waits for from now on."""
        with self._lock:
            self._stop_stream = stop_stream
            stopping = self._stopping
            self._change(Activity.WAITING)
        if stopping:
            stop_stream()

    def enter(self, activity: Activity) -> None:
        """Say what the run does now."""
        with self._lock:
            self._change(activity)

    def wait_to_retry(self, why: str, seconds: float) -> None:
        """Say that an attempt failed, why, and that the next one comes after so many seconds."""
        with self._lock:
            self._change(Activity.RETRYING, retry_wait=RetryWait(why, time.monotonic() + seconds))

    def queue(self, place: int | None) -> None:
        """Say that the run waits for its turn, and in which place from 1; None where there are no places."""
        with self._lock:
            if not self._stopping and (self.activity, self.place_in_queue) != (Activity.QUEUED, place):
                self._change(Activity.QUEUED, place)

    def adopt(self, placement: Placement) -> None:
        """Make the run part of an experiment, unless it is part of one; it is written so from now on."""
        with self._lock:
            if self.order.placement is None:
                self.order = replace(self.order, placement=placement)

    def seen(self) -> None:
        """Say that somebody looks at the run now."""
        self.seen_at = time.monotonic()

    def take(self, event: TimedEvent) -> None:
        """Take in one event of the stream: keep it, and add what it says to the answer."""
        with self._lock:
            self._arrived.take(event)
            if event.deltas:
                self._change(Activity.STREAMING)
            else:
                self._change(self.activity, retry_wait=self.retry_wait)

    def finish(self, outcome: Outcome) -> None:
        """End the run; it does not change any more, whoever else tries to end it."""
        with self._lock:
            if self.finished:
                return
            if not outcome.text and not outcome.reasoning:  # it is none of a stream: what arrived is kept
                text, reasoning = self._arrived.texts()
                outcome = replace(outcome, text=text, reasoning=reasoning)
            self._arrived.forget_texts()
            self._outcome = outcome
            self._finished_at = utc_now()
            self._tell()
        self.ended.set_result(outcome.status)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every change from now on, in whatever thread makes the change. It must return at once."""
        with self._lock:
            self._listeners.append(listener)

    def leave(self, listener: Callable[[], None]) -> None:
        """Do not call this any more."""
        with self._lock:
            self._listeners.remove(listener)

    def _change(
        self, activity: Activity, place_in_queue: int | None = None, retry_wait: RetryWait | None = None
    ) -> None:
        self.activity = Activity.STOPPING if self._stopping else activity
        self.place_in_queue = place_in_queue
        self.retry_wait = None if self._stopping else retry_wait
        self._tell()

    def _tell(self) -> None:
        self.version += 1
        for listener in self._listeners:
            listener()

    def texts(self) -> tuple[str, str]:
        """The text of the answer and the reasoning as they stand now."""
        with self._lock:
            return (self._outcome.text, self._outcome.reasoning) if self._outcome else self._arrived.texts()

    def record(self) -> RunRecord:
        """The run as it stands now."""
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
                facts |= _of_outcome(self._outcome)
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
                prompt=self._asked.prompt,
                settings=self._asked.settings,
                owner=order.owner,
                **facts,
            )


def _of_outcome(outcome: Outcome) -> dict[str, Any]:
    """The facts that an outcome, its times and its usage name as the log does, and those that the log has otherwise."""
    parts = (outcome, outcome.timings, outcome.usage or Usage())
    same = {name: value for part in parts for name, value in vars(part).items() if name in FACTS}
    return same | {
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
    """The owner's run of that id while this process still has something of it to write; afterwards it is in the log."""
    run = log.live(run_id)
    return run if isinstance(run, Run) else None
