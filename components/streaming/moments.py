"""When things happened in a run, taken in the reader's thread from the monotonic clock."""

from __future__ import annotations

import time

from components.streaming.outcome import Timings


class Moments:
    """The moments of one run. Those of an answer count from the send of the last attempt."""

    def __init__(self) -> None:
        self._started = self._begun = self.sent = self._arrived = time.monotonic()
        self._connect_ms: float | None = None
        self._waited = 0.0
        self.queued_ms: float | None = None
        """How long the last attempt waited for a slot of the endpoint, if that said so."""
        self._first: dict[str, float] = {}

    def begin(self) -> None:
        """A new attempt begins; what happened in the one before does not count."""
        self._begun = self.sent = time.monotonic()
        self._first.clear()
        self.queued_ms = None
        self._connect_ms = None

    def send(self) -> None:
        """The connection is made, and the request goes out now."""
        self.sent = time.monotonic()
        self._connect_ms = round((self.sent - self._begun) * 1000, 3)

    def arrive(self) -> None:
        """Bytes were read: what they bring happened now."""
        self._arrived = time.monotonic()

    def wait_since(self, begin: float) -> None:
        """A wait before a retry is over that began then, in monotonic seconds."""
        self._waited += time.monotonic() - begin

    def mark(self, moment: str) -> None:
        """Note when something happened for the first time: at the read that brought it."""
        self._first.setdefault(moment, time.monotonic() if moment == "first_byte" else self._arrived)

    def mark_again(self, moment: str) -> None:
        """Note when something happened for the last time."""
        self._first[moment] = self._arrived

    def __contains__(self, moment: str) -> bool:
        return moment in self._first

    def at_ms(self) -> float:
        """When the last read was, in milliseconds since the send."""
        return round((self._arrived - self.sent) * 1000, 3)

    def timings(self) -> Timings:
        """All of them, for a run that ends now."""
        return Timings(
            first_byte_ms=self._since_sent("first_byte"),
            first_event_ms=self._since_sent("first_event"),
            reasoning_ms=self._since_sent("reasoning"),
            ttft_ms=self._since_sent("token"),
            last_token_ms=self._since_sent("last_token"),
            connect_ms=self._connect_ms,
            queued_ms=self.queued_ms,
            waited_ms=round(self._waited * 1000, 3),
            total_ms=round((time.monotonic() - self._started) * 1000, 3),
        )

    def _since_sent(self, moment: str) -> float | None:
        at = self._first.get(moment)
        return None if at is None else round((at - self.sent) * 1000, 3)
