"""The phases of a run: how its time was spent."""

from __future__ import annotations

from typing import NamedTuple

from components.log.record import RunRecord


class Phase(NamedTuple):
    """A part of a run's time, in ms from the start of the last attempt."""

    name: str
    begin_ms: float
    end_ms: float


def phases(record: RunRecord) -> list[Phase]:
    """The phases of the last attempt, in order.

    Connecting includes the DNS lookup and the TLS handshake. The first byte is that of the response's head, the first
    token the first of any kind, and the first output the first token of the answer itself, where that is another one.
    Decoding lasts until the end.
    """
    sent = record.connect_ms or 0.0
    end = max((record.total_ms or 0.0) - (record.waited_ms or 0.0), sent)
    result = [] if record.connect_ms is None else [Phase("connect" if sent else "connection reused", 0.0, sent)]
    begin = sent
    output_ms = record.ttfo_ms if record.ttfo_ms != record.ttft_ms else None
    moments = ("first byte", record.first_byte_ms), ("first token", record.ttft_ms), ("first output", output_ms)
    for name, moment in moments:
        if moment is not None and sent + moment >= begin:
            result.append(Phase(name, begin, sent + moment))
            begin = sent + moment
    if end > begin:
        result.append(Phase("decode" if record.ttft_ms is not None else "end", begin, end))
    return result
