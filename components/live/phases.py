"""The phases of a run: what its time was spent on."""

from __future__ import annotations

from typing import NamedTuple

from components.log.record import RunRecord


class Phase(NamedTuple):
    """A part of a run's time, in ms from the start of the last attempt."""

    name: str
    begin_ms: float
    end_ms: float


def phases(record: RunRecord) -> list[Phase]:
    """The phases that happened, in their order: waits for other attempts are not among them.

    Connecting holds finding the host and the TLS handshake; after it the request goes out. The first byte is that of
    the answer's head, the first token the first of any kind, the first output the first of the answer itself where
    that is another, and decoding lasts until the end.
    """
    sent = record.connect_ms or 0.0
    end = max((record.total_ms or 0.0) - (record.waited_ms or 0.0), sent)
    found = [] if record.connect_ms is None else [Phase("connect" if sent else "connection reused", 0.0, sent)]
    begin = sent
    output_ms = record.ttfo_ms if record.ttfo_ms != record.ttft_ms else None
    moments = ("first byte", record.first_byte_ms), ("first token", record.ttft_ms), ("first output", output_ms)
    for name, moment in moments:
        if moment is not None and sent + moment >= begin:
            found.append(Phase(name, begin, sent + moment))
            begin = sent + moment
    if end > begin:
        found.append(Phase("decode" if record.ttft_ms is not None else "end", begin, end))
    return found
