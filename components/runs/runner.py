"""Starts runs, each in its own thread, and finds them again to view or stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from components.endpoints.endpoint import EndpointUnavailable
from components.log.log import Log
from components.runs.gate import Gate, Refused
from components.runs.order import Order
from components.runs.placement import Placement
from components.runs.run import Run, live_run
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader_processes import RemoteAnswer
from components.streaming.stream import AnswerStream

ENDED_RUNS = logging.getLogger("tempera.runs")
"""Gets a record for each run that ends, without its texts."""
_TOLD_FACTS = ("status", "error_kind", "http_status", "endpoint", "model", "ttft_ms", "total_ms", "completion_tokens")
_SHUTDOWN_S = 4.0
"""For all runs together."""


Read = Callable[..., AnswerStream | RemoteAnswer]
"""Begins to read an answer; takes the arguments of ``AnswerStream``."""


class Runner:
    """Owns all runs of this process. A gate, if set, checks each before anything goes upstream."""

    def __init__(self, log: Log, limits: Limits | None = None, gate: Gate | None = None) -> None:
        self._log = log
        self._limits = limits or Limits()
        self._gate = gate
        self._threads: dict[str, threading.Thread] = {}

    def start(self, order: Order, read: Read = AnswerStream) -> Run:
        """Start a run and return at once. ``read`` reads its answer.

        Raises Refused when the owner's quota is used up or the gate does not admit the run; a later refusal by the gate
        ends the run with the status rejected.
        """
        if refusal := self._log.refusal(order.owner, order.network):
            raise Refused(refusal)
        if self._gate:
            self._gate.admit(order)
        run = Run(order, self._limits)
        thread = threading.Thread(target=self._work, args=(run, read), name=f"run {run.id[:8]}", daemon=True)
        self._log.begin(run)
        self._threads[run.id] = thread
        thread.start()
        return run

    def stop_at(self, placement: Placement) -> bool:
        """Stop the run at that placement; returns whether it was running."""
        run = next((run for run in self._under_way() if run.order.placement == placement), None)
        if run:
            run.stop()
        return run is not None

    def is_told_to_wait(self, endpoint: str) -> bool:
        """Whether an active run of that endpoint waits to retry."""
        return any(run.waits_to_retry and run.order.endpoint.name == endpoint for run in self._under_way())

    def shutdown(self) -> None:
        """Stop all runs and wait briefly for their end; the log has what arrived of the others."""
        for run in self._under_way():
            run.stop()
        deadline = time.monotonic() + _SHUTDOWN_S
        for thread in list(self._threads.values()):
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _under_way(self) -> list[Run]:
        found = (live_run(self._log, run_id) for run_id in list(self._threads))
        return [run for run in found if run]

    def _work(self, run: Run, read: Read) -> None:
        try:
            self._log.wait_until_committed(run)
            run.finish(self._outcome(run, read))
        except Exception:  # an internal error must not leave a run running for ever
            logging.getLogger(__name__).exception("run %s ended by a fault of Tempera", run.id)
            run.finish(
                Outcome(Status.ERROR, ErrorKind.INTERNAL, "Tempera itself failed; its terminal says more. Run again.")
            )
        finally:
            self._log.end(run)
            _tell(run)
            del self._threads[run.id]
            run.written.set_result(None)

    def _outcome(self, run: Run, read: Read) -> Outcome:
        if self._gate is None:
            return self._answer(run, read)
        try:
            with self._gate.enter(run) as tell:
                outcome = self._answer(run, read)
                tell(outcome)
                return outcome
        except Refused as refused:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.REFUSED_HERE, refused.sentence)

    def _answer(self, run: Run, read: Read) -> Outcome:
        try:
            address = run.order.endpoint.address(lambda: run.stopping)
        except EndpointUnavailable as unavailable:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.ENDPOINT_UNAVAILABLE, unavailable.sentence)
        stream = read(
            address.base_url,
            run.order.body,
            key=address.key,
            streaming=run.order.streaming,
            limits=self._limits,
            on_retry=lambda fault, seconds: run.wait_to_retry(_why(fault), seconds),
            allows=address.allows,
        )
        run.attach(stream.stop)
        for event in stream:
            run.take(event)
        return stream.outcome


def _tell(run: Run) -> None:
    if ENDED_RUNS.isEnabledFor(logging.INFO):
        record = run.record()
        facts = {"run": run.id, **{name: getattr(record, name) for name in _TOLD_FACTS}}
        ENDED_RUNS.info("run ended", extra={"facts": facts})


def _why(fault: StreamFault) -> str:
    return fault.sentence if fault.http_status is None else f"{fault.sentence} (HTTP {fault.http_status})"


def _stopped() -> Outcome:
    return Outcome(Status.CANCELLED, ErrorKind.CANCELLED, "Stopped before anything was sent.")
