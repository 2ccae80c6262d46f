from __future__ import annotations

import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.log.events import MAX_PACK_EVENTS, StoredEvent, pack, packed, stored, unpack
from components.runs.run import Activity, Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.event_reader import DONE
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from tests.orders import order

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
EVENTS = st.builds(
    StoredEvent,
    name=TEXTS,
    data=TEXTS,
    at_ms=st.floats(allow_nan=False, allow_infinity=False),
    size=st.integers(0, 2**60),
)
GOOD = pack([StoredEvent("message", f'{{"text": "{number}"}}', number / 3, 14) for number in range(50)])


def limited(**limits: int) -> Run:
    return Run(order(body=b"{}"), Limits(**limits))


@given(st.lists(EVENTS))
def test_packing_is_lossless(events: list[StoredEvent]) -> None:
    assert unpack(pack(events)) == events


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_packed(text: str) -> None:
    (event,) = unpack(pack([StoredEvent(text, text, 1.0, len(text))]))
    mended = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    assert (event.name, event.data) == (mended, mended)


def test_nul_and_half_a_surrogate_are_replaced_as_in_the_texts_of_a_run() -> None:
    (event,) = unpack(pack([StoredEvent("\0", "a\0b \ud83dc \ud83d\ude00", 1.0, 9)]))
    assert (event.name, event.data) == ("\ufffd", "a\ufffdb \ufffdc 😀")


@given(st.binary())
def test_bytes_that_are_not_a_pack_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"damaged\. .+\.$"):
        unpack(content)


@pytest.mark.parametrize(
    "rows",
    [
        {},
        [1],
        [{}],
        [{"name": "message", "data": None, "at_ms": 1.0, "size": 2}],
        [{"name": "message", "data": "", "at_ms": "1", "size": 2}],
        [{"name": "message", "data": "", "at_ms": 1.0, "size": 2.5}],
    ],
)
def test_packed_json_of_another_shape_is_refused(rows: Any) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(zlib.compress(json.dumps(rows).encode()))


@pytest.mark.parametrize("content", [GOOD[:-1], GOOD[: len(GOOD) // 2], GOOD + b"x", GOOD + GOOD, b""])
def test_packs_that_are_cut_or_too_long_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(content)


def test_every_changed_byte_is_noticed() -> None:
    for place in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[place] ^= random.Random(place).randrange(1, 256)
        with pytest.raises(ValueError, match="damaged"):
            unpack(bytes(changed))


def test_a_compression_bomb_is_refused_before_it_fills_the_memory() -> None:
    bomb = zlib.compress(b"[" + b" " * (100 << 20) + b"]")
    tracemalloc.start()
    with pytest.raises(ValueError, match="damaged"):
        unpack(bomb)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40 << 20


@pytest.mark.parametrize("character", ["\x01", '"', "🐙", "\x7f"])
def test_the_largest_pack_can_be_unpacked(character: str) -> None:
    event = stored(TimedEvent(character * 1_000_000, character * 1_000_000, 123456.789))
    events = [event] * MAX_PACK_EVENTS
    assert unpack(pack(events)) == events


def test_events_with_probabilities_are_kept_longer_in_packs_of_the_same_size() -> None:
    event = stored(TimedEvent("message", '"logprob":' + "\x01" * 1_000_000, 1.0))
    assert len(event.data) > len(stored(TimedEvent("message", "\x01" * 1_000_000, 1.0)).data)
    events = [event] * MAX_PACK_EVENTS
    assert [found for _, content in packed(events) for found in unpack(content)] == events


def test_a_run_keeps_every_event_including_those_without_text(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(TimedEvent("message", "no JSON", 1.0))
    run.take(TimedEvent("message", '{"text": "Hi"}', 2.0, (Delta(0, "Hi"),)))
    run.take(TimedEvent("message", '{"usage": 1}', 3.0))
    run.take(TimedEvent("flush", "", 4.0))
    run.take(TimedEvent("message", DONE, 5.0))
    assert run.events() == [
        StoredEvent("message", "no JSON", 1.0, 7),
        StoredEvent("message", '{"text": "Hi"}', 2.0, 14),
        StoredEvent("message", '{"usage": 1}', 3.0, 12),
        StoredEvent("flush", "", 4.0, 0),
        StoredEvent("message", DONE, 5.0, 6),
    ]
    assert run.events(since=3) == run.events()[3:]
    record = run.record()
    assert (record.text, record.chunk_count, record.event_count, record.ttft_ms) == ("Hi", 1, 5, 2.0)


def test_held_back_text_is_not_an_event(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(TimedEvent("flush", "", 4.0, (Delta(0, "<thin"),)))
    assert (run.events(), run.record().event_count, run.record().text) == ([], 0, "<thin")


def test_an_event_without_text_notifies_and_keeps_the_activity(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.attach(lambda: None)
    heard: list[int] = []
    run.listen(lambda: heard.append(run.version))
    run.take(TimedEvent("message", "{}", 1.0))
    assert heard == [run.version]
    assert run.activity is Activity.WAITING
    run.take(TimedEvent("message", "{}", 1.0, (Delta(0, "x"),)))
    assert run.activity is Activity.STREAMING


def test_long_data_is_cut_and_its_size_kept(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(TimedEvent("n" * 5_000, "🐙" * 5_000, 1.0, (Delta(0, "🐙" * 5_000),)))
    assert run.events() == [StoredEvent("n" * 256, "🐙" * 2_048, 1.0, 5_000)]
    assert run.record().text == "🐙" * 5_000


def test_events_beyond_the_maximum_number_are_only_counted() -> None:
    run = limited(max_kept_events=3)
    for number in range(5):
        run.take(TimedEvent("message", f"{number}", 1.0, (Delta(0, f"{number}"),)))
    assert [event.data for event in run.events()] == ["0", "1", "2"]
    assert (run.kept_events, run.record().event_count, run.record().text) == (3, 5, "01234")


def test_events_after_the_character_limit_are_only_counted() -> None:
    run = limited(max_kept_event_chars=24)
    for data in ("12345", "123456", "too long", "1"):
        run.take(TimedEvent("name", data, 1.0))
    assert [event.data for event in run.events()] == ["12345", "123456"]
    assert run.record().event_count == 4


def test_the_size_of_a_run_counts_its_events_and_its_draft() -> None:
    run = limited(max_kept_events=10)
    empty = run.size
    for _ in range(10):
        run.take(TimedEvent("message", "x" * 1_000, 1.0))
    full = run.size
    assert 10_000 < full - empty < 15_000
    run.take(TimedEvent("message", "x" * 1_000, 1.0))
    assert run.size == full
    with_draft = Run(order(body=b"{}", draft="y" * 1_000))
    assert empty + 1_000 <= with_draft.size < empty + 1_200


def test_a_run_that_has_ended_still_shows_its_events(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(TimedEvent("message", "one", 1.0))
    run.finish(Outcome(Status.OK))
    assert [event.data for event in run.events()] == ["one"]
    assert run.record().event_count == 1
