"""The times of a run, taken in the reader thread from the monotonic clock."""

from __future__ import annotations

import statistics
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from components.contract.chunk import ChoiceDelta


@dataclass(frozen=True)
class Timings:
    """Times in milliseconds, taken in the reader thread; None for events that did not happen.

    ``first_byte_ms`` (headers complete), ``first_event_ms``, ``reasoning_ms`` (first reasoning), ``ttft_ms`` (time to
    first token: the first reasoning, text or piece of a tool call that is not empty), ``ttfo_ms`` (time to first output
    token: the first text, or the first piece of a tool call in an answer without text) and ``last_token_ms`` (the last
    of any kind) count from the last attempt's send. ``total_ms`` counts from the start of the run to its end and
    includes ``waited_ms``, the waits before retries. ``connect_ms`` is the time before the last attempt's send: name
    lookup, connection and TLS handshake; 0 for a reused connection. ``queued_ms`` is the request's wait for a slot as
    reported by the endpoint; times that count from the send include it.

    Each time is that of the socket read that returned the data. A chunk gap is the time between two consecutive reads
    with tokens of any kind and choice; chunks of one read have no gap. ``gap_p50_ms`` to ``gap_max_ms`` describe
    ``gap_count`` gaps, percentiles with linear interpolation. ``token_chunks`` counts the chunks with tokens,
    ``first_token_chunks`` those of the first read with tokens.
    """

    first_byte_ms: float | None = None
    first_event_ms: float | None = None
    reasoning_ms: float | None = None
    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    last_token_ms: float | None = None
    waited_ms: float = 0.0
    total_ms: float = 0.0
    queued_ms: float | None = None
    connect_ms: float | None = None
    gap_p50_ms: float | None = None
    gap_p95_ms: float | None = None
    gap_max_ms: float | None = None
    gap_count: int = 0
    token_chunks: int = 0
    first_token_chunks: int = 0


class Moments:
    """The times of one run. Those of the answer count from the last attempt's send.

    ``clock`` returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._arrived = clock()
        self._waited = 0.0
        self.begin()

    def begin(self) -> None:
        """Begin a new attempt; the times of the previous one are dropped."""
        self._begun = self.sent = self._clock()
        self._connect_ms: float | None = None
        self.queued_ms: float | None = None
        """The attempt's wait for a slot, if the endpoint reported it."""
        self._first: dict[str, float] = {}
        # Eight bytes each, because an answer may take a million reads.
        self._token_reads = array("d")
        self._token_chunks = self._first_token_chunks = 0

    def send(self, reused: bool = False) -> None:
        """Note that the request is sent now, on a new or a ``reused`` connection."""
        self.sent = self._clock()
        self._connect_ms = 0.0 if reused else round((self.sent - self._begun) * 1000, 3)

    def arrive(self) -> None:
        """Note a socket read: everything in it gets this time."""
        self._arrived = self._clock()

    def wait_since(self, begin: float) -> None:
        """Note the end of a wait before a retry that began at that monotonic time."""
        self._waited += self._clock() - begin

    def mark(self, moment: str) -> None:
        """Note the first occurrence of an event, with the time of its read."""
        self._first.setdefault(moment, self._clock() if moment == "first_byte" else self._arrived)

    def take(self, choices: Sequence[ChoiceDelta]) -> None:
        """Note the time of a chunk's tokens, if it has any."""
        has_tokens = False
        for choice in choices:
            if choice.reasoning:
                self.mark("reasoning")
                has_tokens = True
            if choice.text:
                self.mark("text")
                has_tokens = True
            if choice.tool_calls:
                self.mark("tool_calls")
                has_tokens = True
        if not has_tokens:
            return
        if not self._token_reads or self._token_reads[-1] != self._arrived:
            self._token_reads.append(self._arrived)
        self._token_chunks += 1
        if len(self._token_reads) == 1:
            self._first_token_chunks += 1

    def __contains__(self, moment: str) -> bool:
        return moment in self._first

    def at_ms(self) -> float:
        """The time of the last read, in milliseconds since the send."""
        return round((self._arrived - self.sent) * 1000, 3)

    def timings(self) -> Timings:
        """The timings of a run that ends now."""
        reads = self._token_reads
        gaps = [round((later - earlier) * 1000, 3) for earlier, later in pairwise(reads)]
        # Of one gap, each quantile is the gap itself.
        twentieths = statistics.quantiles(gaps if len(gaps) > 1 else gaps * 2, n=20, method="inclusive") if gaps else ()
        return Timings(
            first_byte_ms=self._since_sent(self._first.get("first_byte")),
            first_event_ms=self._since_sent(self._first.get("first_event")),
            reasoning_ms=self._since_sent(self._first.get("reasoning")),
            ttft_ms=self._since_sent(reads[0] if reads else None),
            ttfo_ms=self._since_sent(self._first.get("text", self._first.get("tool_calls"))),
            last_token_ms=self._since_sent(reads[-1] if reads else None),
            connect_ms=self._connect_ms,
            queued_ms=self.queued_ms,
            waited_ms=round(self._waited * 1000, 3),
            total_ms=round((self._clock() - self._started) * 1000, 3),
            gap_p50_ms=round(twentieths[9], 3) if twentieths else None,
            gap_p95_ms=round(twentieths[18], 3) if twentieths else None,
            gap_max_ms=max(gaps, default=None),
            gap_count=len(gaps),
            token_chunks=self._token_chunks,
            first_token_chunks=self._first_token_chunks,
        )

    def _since_sent(self, at: float | None) -> float | None:
        return None if at is None else round((at - self.sent) * 1000, 3)
