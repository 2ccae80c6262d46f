"""Unusual texts and numbers are stored the same by every database."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from components.log.log import Log
from components.log.query import find_run
from components.log.tables import runs, to_row
from components.runs.run import Run
from components.streaming.outcome import Outcome, Status
from tests.orders import text_event

TEXTS = {
    "emoji": ("Hi 🐙 👩‍👩‍👧‍👦 é e\u0301", "Hi 🐙 👩‍👩‍👧‍👦 é e\u0301"),
    "every plane": ("".join(map(chr, range(1, 0x110000, 997))), None),
    "nul": ("a\0b", "a\ufffdb"),
    "unpaired surrogate": ("a\ud83db", "a\ufffdb"),
    "surrogate pair": ("\ud83d\ude00", "😀"),
    "surrogate pair in two pieces": ("x\ud83d|\ude00", "x\ufffd|\ufffd"),
    "controls": ("\x01\x1b[31m\r\n\t\x7f\x85\u2028\ufeff\uffff", "\x01\x1b[31m\r\n\t\x7f\x85\u2028\ufeff\uffff"),
    "right to left": ("\u202eabc\u202c שלום", "\u202eabc\u202c שלום"),
    "quotes": ("'; drop table runs; -- \" \\ %s :id ?", "'; drop table runs; -- \" \\ %s :id ?"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_survive_storage(log: Log, new_run: Callable[[], Run], name: str) -> None:
    text, expected = TEXTS[name]
    if expected is None:
        expected = text = "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)
    run = new_run()
    run.take(text_event(text, 1.0, text))
    run.finish(Outcome(Status.OK, raw_error=text, message=text, warnings=(text,)))
    log.begin(run)
    log.end(run)
    found = find_run(log.database, run.id)
    assert (found.text, found.reasoning, found.raw_error, found.error_message) == (expected,) * 4


def test_two_million_characters_survive_storage(log: Log, new_run: Callable[[], Run]) -> None:
    text = "🐙é" * 1_000_000
    run = new_run()
    run.take(text_event(text, 1.0))
    run.finish(Outcome(Status.OK))
    log.begin(run)
    log.end(run)
    assert find_run(log.database, run.id).text == text


@pytest.mark.parametrize(
    ("number", "expected"),
    [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (2**63, None), (10**40, None), (0, 0), (None, None)],
)
def test_integers_of_up_to_64_bits_survive_storage(
    log: Log, new_run: Callable[[], Run], number: int | None, expected: int | None
) -> None:
    record = replace(new_run().record(), prompt_tokens=number)
    log.write(lambda connection: connection.execute(runs.insert(), [to_row(record)]))
    assert find_run(log.database, record.id).prompt_tokens == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        (0.1 + 0.2, 0.1 + 0.2),
        (sys.float_info.max, sys.float_info.max),
        (5e-324, 5e-324),
    ],
)
def test_finite_numbers_survive_storage(
    log: Log, new_run: Callable[[], Run], number: float, expected: float | None
) -> None:
    record = replace(new_run().record(), ttft_ms=number)
    log.write(lambda connection: connection.execute(runs.insert(), [to_row(record)]))
    assert find_run(log.database, record.id).ttft_ms == expected


def test_times_are_read_correctly_in_every_time_zone(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    if log.database.reader.dialect.name == "postgresql":
        with log.database.reader.begin() as connection:
            connection.exec_driver_sql("set time zone 'Asia/Tokyo'")
            assert connection.exec_driver_sql("select created_at from runs").scalar() == run.created_at
    found = find_run(log.database, run.id)
    assert found.created_at == run.created_at
    assert found.created_at.endswith("Z")
