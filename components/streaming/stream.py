"""Reads one answer: calls the endpoint, retries where that is harmless, yields timed events and returns the outcome.

Faults are not raised: the iterator yields what arrived, and ``outcome`` names the fault.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from components.contract.chunk import UnreadableEvent, read_object
from components.contract.token_probabilities import LikelihoodSum
from components.streaming import sentences
from components.streaming.answer import Answer, TimedEvent
from components.streaming.call import post_json
from components.streaming.connections import Call
from components.streaming.event_reader import EventReader
from components.streaming.exchange import Exchange
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.masked_events import MaskedEvents
from components.streaming.moments import Moments
from components.streaming.outcome import Outcome, Retry, Status
from components.streaming.response_reader import ResponseReader
from components.streaming.session import ApiKey
from components.streaming.watch import Watch

_EXPLAINED_BY_THE_ENDPOINT = (ErrorKind.CLOSED_EARLY, ErrorKind.EMPTY_ANSWER)
"""Faults for which an event with the words of an error gives a better reason."""


class AnswerStream:
    """One answer, as an iterator of timed events. Iterate it once, in one thread; any thread may call ``stop``.

    ``on_retry`` is called before each wait with the fault and the seconds. ``allows`` returns whether an IP address may
    be called, see ``connect``; without it, every address may. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        base_url: str,
        body: bytes,
        *,
        key: ApiKey | None = None,
        streaming: bool = True,
        limits: Limits | None = None,
        on_retry: Callable[[StreamFault, float], None] | None = None,
        allows: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = limits or Limits()
        mask = (key.mask or None) if key else None
        count = _field_of(body, "n")
        self._likelihood = LikelihoodSum()
        self._exchange = Exchange(
            url=f"{base_url}/chat/completions",
            body=body,
            streaming=streaming,
            limits=limits,
            mask=mask,
            answer=Answer(limits, mask, several=isinstance(count, int) and count > 1, likelihood=self._likelihood),
            moments=Moments(clock),
            watch=Watch(limits.total_s),
        )
        self._outcome: Outcome | None = None
        self._key = key
        self._masked_events = MaskedEvents(mask) if mask else None
        self._on_retry = on_retry
        self._allows = allows
        self._clock = clock
        self._attempts = 0
        self._retries: list[Retry] = []
        self._events = EventReader(self._exchange)
        self._response = ResponseReader(self._exchange, self._events)
        """The reader of the last attempt's response."""

    @property
    def outcome(self) -> Outcome:
        """How the answer ended. Raises RuntimeError before the end of the iteration."""
        if self._outcome is None:
            raise RuntimeError("The answer has not ended yet.")
        return self._outcome

    def stop(self) -> None:
        """End the answer at once, in any phase; what arrived is kept."""
        self._exchange.watch.stop()

    def __iter__(self) -> Generator[TimedEvent]:
        fault: StreamFault | None = StreamFault(ErrorKind.CANCELLED, "Stopped.")
        try:
            try:
                yield from self._masked(self._attempts_until_done())
                fault = None
            except StreamFault as raised:
                fault = raised
            except Exception:  # an internal error must not look like a stop, nor lose what arrived
                logging.getLogger(__name__).exception("a stream ended by a fault of Tempera")
                fault = StreamFault(ErrorKind.INTERNAL, sentences.TEMPERA_FAILED)
            yield from self._flush()
        finally:
            # A consumer that leaves early closes the generator: the answer counts as cancelled.
            self._conclude(fault)
            self._exchange.watch.close()
            # The fault's traceback refers to this frame: the cycle would keep both until the next collection.
            fault = None

    def _masked(self, events: Generator[TimedEvent]) -> Iterator[TimedEvent]:
        if self._masked_events is None:
            yield from events
            return
        with closing(events):
            for event in events:
                yield from self._masked_events.feed(event)

    def _flush(self) -> Iterator[TimedEvent]:
        """The text that was held back."""
        if self._masked_events:
            yield from self._masked_events.flush()
        if deltas := self._exchange.answer.flush():
            yield TimedEvent("flush", "", self._exchange.moments.at_ms(), deltas)

    def _attempts_until_done(self) -> Generator[TimedEvent]:
        limits, watch = self._exchange.limits, self._exchange.watch
        while True:
            self._attempts += 1
            self._response = ResponseReader(self._exchange, self._events)
            try:
                yield from self._attempt()
                return
            except StreamFault as fault:
                # A refused address is not looked up again: DNS rebinding depends on a second lookup.
                is_final = watch.ended or fault.kind is ErrorKind.ADDRESS_REFUSED
                pause = None if is_final else _pause_before_retry(fault, self._attempts, limits)
                if pause is None:
                    raise
                self._retries.append(Retry(fault.kind, fault.http_status, round(pause * 1000, 3)))
                if self._on_retry:
                    self._on_retry(fault, pause)
            wait_began = self._clock()
            watch.expect(ErrorKind.DEADLINE, limits.total_s)
            watch.wait(pause)
            self._exchange.moments.wait_since(wait_began)
            self._exchange.raise_if_ended()

    def _attempt(self) -> Iterator[TimedEvent]:
        exchange = self._exchange
        limits, watch, moments = exchange.limits, exchange.watch, exchange.moments
        moments.begin()
        # Without streaming, the endpoint is silent until the whole answer is made.
        watch.expect(ErrorKind.FIRST_BYTE_TIMEOUT, limits.first_byte_s if exchange.streaming else limits.total_s)
        call = Call(watch, limits.connect_s, moments.send, self._allows)
        try:
            response = post_json(call, exchange.url, exchange.body, self._key)
        except StreamFault:
            exchange.raise_if_ended()
            raise
        try:
            moments.mark("first_byte")
            first_event_s = limits.first_event_s if exchange.streaming else limits.total_s
            watch.expect(ErrorKind.FIRST_EVENT_TIMEOUT, first_event_s, since=moments.sent)
            yield from self._response.read(response)
        finally:
            response.close()

    def _conclude(self, fault: StreamFault | None) -> None:
        exchange, events = self._exchange, self._events
        answer = exchange.answer
        answer.flush()  # for a consumer that left early
        status, fault = answer.conclude(fault)
        needs_reason = fault.kind in _EXPLAINED_BY_THE_ENDPOINT if fault else not answer.finished
        if needs_reason and events.error_data is not None:
            status = status if fault else Status.INTERRUPTED
            fault = exchange.reported_fault(events.error_data, events.error_data)
        elif needs_reason and not answer.choices[0].text:
            fault = events.other_api or fault
        first, *further = answer.choices
        if first.text and _field_of(exchange.body, "logprobs") and not self._likelihood.count:
            answer.warn(sentences.NO_PROBABILITIES)

        def without_key(text: str | None) -> str | None:
            return exchange.hide(text) if text else text

        self._outcome = Outcome(
            status=status,
            error_kind=fault.kind if fault else None,
            message=without_key(fault.sentence) if fault else None,
            raw_error=without_key(fault.raw) if fault else None,
            http_status=None if status is Status.REJECTED else self._response.http_status,
            finish_reason=without_key(first.finish_reason),
            usage=answer.usage,
            served_model=without_key(answer.model),
            system_fingerprint=without_key(answer.system_fingerprint),
            request_id=without_key(self._response.request_id),
            text=first.text,
            reasoning=first.reasoning,
            tool_calls=first.tool_calls,
            further_choices=tuple(further),
            timings=exchange.moments.timings(),
            likelihood=self._likelihood.likelihood(),
            chunk_count=answer.chunk_count,
            attempts=self._attempts,
            retries=tuple(self._retries),
            streamed=self._response.streamed,
            warnings=tuple(map(exchange.hide, answer.warnings)),
        )


def _field_of(body: bytes, name: str) -> object:
    """The value of a request's field; None when it is omitted."""
    if f'"{name}"'.encode() not in body:  # spares parsing a long conversation
        return None
    try:
        return read_object(body.decode(errors="replace")).get(name)
    except UnreadableEvent:
        return None


def _pause_before_retry(fault: StreamFault, attempts: int, limits: Limits) -> float | None:
    """The wait in seconds before the next attempt, after ``attempts`` of them; None for no further one."""
    if not fault.unprocessed or attempts > limits.retries_before_first_byte:
        return None
    if fault.retry_after is not None:
        return fault.retry_after if fault.retry_after <= limits.max_retry_after_s else None
    backoff = min(limits.backoff_s * 2.0 ** (attempts - 1), limits.max_backoff_s)
    return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
