"""Starts runs, each in a thread of its own, and finds them again for whoever wants to look or stop."""

from __future__ import annotations

import logging
import threading

from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.endpoints.endpoint import AnyEndpoint, EndpointUnavailable
from components.log.log import Log
from components.log.owned import LOCAL
from components.runs.gate import Gate, Refused
from components.runs.placement import Placement
from components.runs.run import Activity, Run, live_run
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.stream import AnswerStream

_SHUTDOWN_S = 2.0


class Runner:
    """Owns all runs of this process. Where there is a gate, each of them passes it before anything goes upstream."""

    def __init__(self, log: Log, limits: Limits | None = None, gate: Gate | None = None) -> None:
        self._log = log
        self._limits = limits or Limits()
        self._gate = gate
        self._threads: dict[str, threading.Thread] = {}

    def start(
        self,
        endpoint: AnyEndpoint,
        request: ChatCompletionStreamRequest,
        draft: str | None = None,
        owner: str = LOCAL,
        network: str | None = None,
    ) -> Run:
        """Start a run and return at once. ``draft`` is the form it was made from, as JSON, kept beside the run.

        Raises UnsendableField when the endpoint's dialect has no name for a field of the request, and what ``send``
        raises.
        """
        return self.send(
            endpoint,
            model=request.model,
            body=to_bytes(request, endpoint.profile),
            streaming=request.stream,
            draft=draft,
            owner=owner,
            network=network,
        )

    def send(
        self,
        endpoint: AnyEndpoint,
        *,
        model: str,
        body: bytes,
        streaming: bool,
        draft: str | None = None,
        placement: Placement | None = None,
        owner: str = LOCAL,
        network: str | None = None,
    ) -> Run:
        """Start a run with these very bytes, such as those of an earlier one, and return at once.

        ``network`` is where the owner calls from. Raises Refused when the owner keeps as much as they may, or when the
        gate does not let it be made at all; what the gate refuses later ends as a run that was rejected.
        """
        kept = self._log.kept(owner, network)
        if kept and kept.is_full:
            raise Refused(kept.refusal())
        if self._gate:
            self._gate.admit(owner, network, body)
        run = Run(
            endpoint=endpoint.name,
            dialect=endpoint.profile.name,
            model=model,
            request_body=body,
            streaming=streaming,
            draft=draft,
            placement=placement,
            limits=self._limits,
            owner=owner,
            network=network,
        )
        thread = threading.Thread(target=self._work, args=(run, endpoint), name=f"run {run.id[:8]}", daemon=True)
        self._log.begin(run)
        self._threads[run.id] = thread
        thread.start()
        return run

    def find(self, run_id: str) -> Run | None:
        """The run of that id while this process works on it; afterwards it is in the log."""
        return live_run(self._log, run_id)

    def wait(self, run_id: str) -> None:
        """Return when that run has ended and is written, or when the database turns out not to take it."""
        if thread := self._threads.get(run_id):
            thread.join()

    def stop_at(self, placement: Placement) -> bool:
        """Stop the run of exactly that place; whether there is one under way."""
        found = (self.find(run_id) for run_id in list(self._threads))
        run = next((run for run in found if run and run.placement == placement), None)
        if run:
            run.stop()
        return run is not None

    def is_told_to_wait(self, endpoint: str) -> bool:
        """Whether a run under way was told by that endpoint to come again later, and waits for that."""
        found = (self.find(run_id) for run_id in list(self._threads))
        return any(
            run.activity is Activity.RETRYING and run.endpoint == endpoint and not run.finished for run in found if run
        )

    def shutdown(self) -> None:
        """Stop all runs and wait a moment until they have ended."""
        for run_id in list(self._threads):
            run = self.find(run_id)
            if run:
                run.stop()
        for thread in list(self._threads.values()):
            thread.join(_SHUTDOWN_S)

    def _work(self, run: Run, endpoint: AnyEndpoint) -> None:
        try:
            self._log.wait_until_committed(run)
            run.finish(self._outcome(run, endpoint))
        except Exception:  # a fault of our own must not leave a run running for ever
            logging.getLogger(__name__).exception("run %s ended by a fault of Tempera", run.id)
            run.finish(
                Outcome(Status.ERROR, ErrorKind.INTERNAL, "Tempera itself failed; its terminal says more. Run again.")
            )
        finally:
            self._log.end(run)
            del self._threads[run.id]
            run.written.set_result(None)

    def _outcome(self, run: Run, endpoint: AnyEndpoint) -> Outcome:
        if self._gate is None:
            return self._answer(run, endpoint)
        try:
            with self._gate.enter(run, endpoint) as tell:
                outcome = self._answer(run, endpoint)
                tell(outcome)
                return outcome
        except Refused as refused:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.REFUSED_HERE, refused.sentence)

    def _answer(self, run: Run, endpoint: AnyEndpoint) -> Outcome:
        try:
            address = endpoint.address(lambda: run.stopping)
        except EndpointUnavailable as unavailable:
            if run.stopping:
                return _stopped()
            return Outcome(Status.REJECTED, ErrorKind.ENDPOINT_UNAVAILABLE, unavailable.sentence)
        stream = AnswerStream(
            address.base_url,
            run.request_body,
            key=address.key,
            streaming=run.streaming,
            limits=self._limits,
            on_retry=lambda fault, seconds: run.wait_to_retry(_why(fault), seconds),
            allows=address.allows,
        )
        run.attach(stream.stop)
        for event in stream:
            run.take(event)
        return stream.outcome


def _why(fault: StreamFault) -> str:
    return fault.sentence if fault.http_status is None else f"{fault.sentence} (HTTP {fault.http_status})"


def _stopped() -> Outcome:
    return Outcome(Status.CANCELLED, ErrorKind.CANCELLED, "Stopped before anything was sent.")
