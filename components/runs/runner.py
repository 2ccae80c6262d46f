"""Starts runs, each in its own thread, and finds them again to view or stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from components.endpoints.endpoint import EndpointUnavailable
from components.log.log import Log
from components.runs.gate import Gate, Refused
from components.runs.order import Order, Placement
from components.runs.run import Run
from components.streaming import sentences
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.reader_processes import AnswerListener, ReaderProcesses
from components.streaming.stream import AnswerStream

ENDED_RUNS = logging.getLogger("tempera.runs")
"""Gets a record for each run that ends, without its texts."""
_LOGGED_FACTS = ("status", "error_kind", "http_status", "endpoint", "model", "ttft_ms", "total_ms", "completion_tokens")
_FAULT_OF = "run %s ended by a fault of Tempera"
_SHUTDOWN_S = 4.0
"""For all runs together."""


class Runner:
    """Owns all runs of this process. A gate, if set, checks each before anything goes upstream."""

    def __init__(self, log: Log, limits: Limits | None = None, gate: Gate | None = None) -> None:
        self._log = log
        self._limits = limits or Limits()
        self._gate = gate
        self._runs: dict[str, Run] = {}
        """Those that are not completely written."""

    @property
    def is_gated(self) -> bool:
        """Whether a gate decides when a run is sent."""
        return self._gate is not None

    def start(self, order: Order, readers: ReaderProcesses | None = None, sent: Future[None] | None = None) -> Run:
        """Start a run and return at once. A process of ``readers`` reads its answer if one can, else a thread.

        With ``readers`` and without a gate, the request waits for ``sent``.

        Raises Refused when the owner's quota is used up or the gate does not admit the run; a later refusal by the gate
        ends the run with the status rejected.
        """
        if refusal := self._log.refusal(order.owner, order.network):
            raise Refused(refusal)
        if self._gate:
            self._gate.admit(order)
        run = Run(order, self._limits)
        self._runs[run.id] = run
        self._log.begin(run)
        if readers and self._gate is None:
            committed = self._log.committed(run)
            turn = sent or committed
            committed.add_done_callback(lambda _: turn.add_done_callback(lambda _: self._read_in_process(run, readers)))
        else:
            self._start_thread(run)
        return run

    def stop_at(self, placement: Placement) -> bool:
        """Stop the run at that placement; returns whether it was running."""
        run = next((run for run in self._under_way() if run.order.placement == placement), None)
        if run:
            run.stop()
        return run is not None

    def must_wait_to_retry(self, endpoint: str) -> bool:
        """Whether an active run of that endpoint waits to retry."""
        return any(run.waits_to_retry and run.order.endpoint.name == endpoint for run in self._under_way())

    def shutdown(self) -> None:
        """Stop all runs and wait briefly for their end; the log has what arrived of the others."""
        for run in self._under_way():
            run.stop()
        deadline = time.monotonic() + _SHUTDOWN_S
        for run in self._under_way():
            with suppress(TimeoutError):
                run.written.result(max(deadline - time.monotonic(), 0.0))

    def _under_way(self) -> list[Run]:
        return list(self._runs.values())

    def _start_thread(self, run: Run) -> None:
        threading.Thread(target=self._work, args=(run,), name=f"run {run.id[:8]}", daemon=True).start()

    def _work(self, run: Run) -> None:
        self._log.wait_until_committed(run)
        _finish(run, partial(self._outcome, run))
        self._log.end(run)
        self._release(run)

    def _read_in_process(self, run: Run, readers: ReaderProcesses) -> None:
        """Let another process read the answer; no thread of this one waits for it."""
        try:
            self._begin_in_process(run, readers)
        except Exception:  # a callback's error reaches no caller, and the run would wait for ever
            logging.getLogger(__name__).exception(_FAULT_OF, run.id)
            self._end(run, _fault())

    def _begin_in_process(self, run: Run, readers: ReaderProcesses) -> None:
        if run.stopping:
            self._end(run, _stopped())
            return
        address = run.order.endpoint.known_address
        stop = None
        if address and address.allows is None:  # the policy for addresses from visitors belongs to this process
            listener = AnswerListener(run.take, partial(_wait_to_retry, run), partial(self._end, run))
            order = run.order
            with suppress(OSError):  # no further process can be started
                stop = readers.begin(
                    address.base_url,
                    order.body,
                    listener,
                    key=address.key,
                    streaming=order.streaming,
                    limits=self._limits,
                )
        if stop:
            run.attach(stop)
        else:
            self._start_thread(run)

    def _end(self, run: Run, outcome: Outcome) -> None:
        _finish(run, lambda: outcome)
        self._log.ended(run).add_done_callback(lambda _: self._release(run))

    def _release(self, run: Run) -> None:
        _log_end(run)
        del self._runs[run.id]
        run.written.set_result(None)

    def _outcome(self, run: Run) -> Outcome:
        if self._gate is None:
            return self._answer(run)
        try:
            with self._gate.enter(run) as settle:
                outcome = self._answer(run)
                settle(outcome)
                return outcome
        except Refused as refused:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.REFUSED_HERE, refused.sentence)

    def _answer(self, run: Run) -> Outcome:
        try:
            address = run.order.endpoint.address(lambda: run.stopping)
        except EndpointUnavailable as unavailable:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.ENDPOINT_UNAVAILABLE, unavailable.sentence)
        stream = AnswerStream(
            address.base_url,
            run.order.body,
            key=address.key,
            streaming=run.order.streaming,
            limits=self._limits,
            on_retry=partial(_wait_to_retry, run),
            allows=address.allows,
        )
        run.attach(stream.stop)
        for event in stream:
            run.take(event)
        return stream.outcome


def _finish(run: Run, outcome: Callable[[], Outcome]) -> None:
    try:
        run.finish(outcome())
    except Exception:  # an internal error must not leave a run running for ever
        logging.getLogger(__name__).exception(_FAULT_OF, run.id)
        run.finish(_fault())


def _fault() -> Outcome:
    return Outcome(Status.ERROR, ErrorKind.INTERNAL, sentences.TEMPERA_FAILED)


def _log_end(run: Run) -> None:
    if ENDED_RUNS.isEnabledFor(logging.INFO):
        record = run.record()
        facts = {"run": run.id, **{name: getattr(record, name) for name in _LOGGED_FACTS}}
        ENDED_RUNS.info("run ended", extra={"facts": facts})


def _wait_to_retry(run: Run, fault: StreamFault, seconds: float) -> None:
    reason = fault.sentence if fault.http_status is None else f"{fault.sentence} (HTTP {fault.http_status})"
    run.wait_to_retry(reason, seconds)


def _stopped() -> Outcome:
    return Outcome(Status.CANCELLED, ErrorKind.CANCELLED, sentences.STOPPED_BEFORE_SENDING)
