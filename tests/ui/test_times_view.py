"""The phases of a run follow each other without a gap for any outcome."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from components.ui.answer.times_view import Phase, phases
from tests.experiments.conftest import a_run

RECORD = a_run("Hello").record()
MOMENTS = st.none() | st.floats(0, 1e6)


def test_each_phase_begins_at_the_end_of_the_previous_one() -> None:
    record = replace(RECORD, connect_ms=5.0, first_byte_ms=10.0, ttft_ms=30.0, waited_ms=100.0, total_ms=200.0)
    assert phases(record) == [
        Phase("connect", 0.0, 5.0),
        Phase("first byte", 5.0, 15.0),
        Phase("first token", 15.0, 35.0),
        Phase("decode", 35.0, 100.0),
    ]


def test_a_reused_connection_has_a_phase_without_duration() -> None:
    record = replace(RECORD, connect_ms=0.0, first_byte_ms=10.0, ttft_ms=None, waited_ms=0.0, total_ms=10.0)
    assert phases(record) == [Phase("connection reused", 0.0, 0.0), Phase("first byte", 0.0, 10.0)]


def test_a_run_without_an_answer_has_no_decoding_phase() -> None:
    record = replace(RECORD, connect_ms=None, first_byte_ms=None, ttft_ms=None, waited_ms=None, total_ms=50.0)
    assert phases(record) == [Phase("end", 0.0, 50.0)]


@given(connect=MOMENTS, first_byte=MOMENTS, ttft=MOMENTS, waited=MOMENTS, total=MOMENTS)
def test_phases_have_no_gap_and_no_negative_length(
    connect: float | None, first_byte: float | None, ttft: float | None, waited: float | None, total: float | None
) -> None:
    record = replace(
        RECORD, connect_ms=connect, first_byte_ms=first_byte, ttft_ms=ttft, waited_ms=waited, total_ms=total
    )
    found = phases(record)
    assert all(phase.end_ms >= phase.begin_ms for phase in found)
    assert [phase.end_ms for phase in found[:-1]] == [phase.begin_ms for phase in found[1:]]
