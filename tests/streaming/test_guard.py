"""The guard before sseclient-py, and texts that page and log can store."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sseclient import SSEClient

from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.guard import EventGuard, SafeText, safe_text
from components.streaming.limits import Limits
from components.streaming.stream import AnswerStream

from .endpoint import head, serve
from .sse_cases import CASES, Case

ACCEPTED = [case for case in CASES if case.accepted]
# Pieces that give mixed line ends, blank lines, byte order marks and broken sequences more often than random bytes.
TELLING = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"data:", b"x", b": c", b"\xef\xbb\xbf", b"\xef", b"\xff", "é".encode(), b"error: e"]
)
bodies = st.binary(max_size=60) | st.lists(TELLING, max_size=30).map(b"".join)


def blocks_of(*pieces: bytes, limit: int = 1_000_000) -> list[bytes]:
    guard = EventGuard(limit)
    return [block for piece in pieces for block in guard.feed(piece)]


def events_of(*pieces: bytes) -> tuple[tuple[str, str], ...]:
    return tuple((event.event, event.data) for event in SSEClient(iter(blocks_of(*pieces))).events())


def one_by_one(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def cut_at(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def test_all_thirty_cases_are_included():
    assert (len(CASES), len({case.name for case in CASES})) == (30, 30)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
class TestBrowserEvents:
    def test_a_complete_body_gives_the_events(self, case: Case):
        assert events_of(case.body) == case.events

    def test_a_body_split_anywhere_gives_the_events(self, case: Case):
        for cut in range(1, len(case.body)):
            assert events_of(case.body[:cut], case.body[cut:]) == case.events, cut

    def test_a_body_fed_byte_by_byte_gives_the_events(self, case: Case):
        assert events_of(*one_by_one(case.body)) == case.events


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_stream_gives_the_events_of_a_browser_if_the_media_type_is_valid(case):
    with serve(head(content_type=case.content_type) + case.body) as endpoint:
        stream = AnswerStream(endpoint.base_url, b"{}", limits=Limits(error_body_s=0.5))
        events = tuple((event.event, event.data) for event in stream)
    assert events == case.events
    assert (stream.outcome.error_kind is ErrorKind.NOT_SSE) is not case.accepted


@given(bodies, st.lists(st.integers(0, 1000), max_size=6))
@example(b"data:1\r\n\r\ndata:2\n\r\n", [7, 8, 9])
@example(b"\xef\xbb\xbfdata:1\n\n", [1, 2])
def test_any_bytes_give_the_same_blocks_however_they_are_split(body, cuts):
    assert blocks_of(*cut_at(body, cuts)) == blocks_of(body) == blocks_of(*one_by_one(body))


@given(bodies)
def test_each_block_is_utf8_with_line_feeds_and_ends_with_one_blank_line(body):
    for block in blocks_of(body):
        block.decode()
        assert b"\r" not in block
        assert block.endswith(b"\n\n")
        assert block.count(b"\n\n") == 1
        assert not block.startswith(b"\n")
        assert not block.endswith(b"\n\n\n")


@given(bodies, st.lists(st.integers(0, 1000), max_size=6), st.integers(1, 12))
def test_an_event_over_the_limit_ends_the_stream_at_the_same_place_however_it_is_split(body, cuts, limit):
    def until_the_end(pieces):
        guard, blocks = EventGuard(limit), []
        try:
            for piece in pieces:
                blocks.extend(guard.feed(piece))
        except StreamFault as fault:
            return blocks, fault.kind
        return blocks, None

    assert until_the_end(cut_at(body, cuts)) == until_the_end([body]) == until_the_end(one_by_one(body))


@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n"], ids=["open", "line-ended", "finished"])
def test_the_limit_of_an_event_is_exact_and_holds_before_the_event_is_finished(size, fits, ending):
    data = b"data:" + b"x" * (size - 5) + ending
    if fits:
        assert len(blocks_of(data, limit=100)) == (ending == b"\n\n")
    else:
        with pytest.raises(StreamFault, match="larger than 100 bytes") as fault:
            blocks_of(data, limit=100)
        assert fault.value.kind is ErrorKind.OVERSIZE_EVENT


def test_events_before_a_too_large_one_are_returned():
    guard = EventGuard(20)
    events = guard.feed(b"data:1\n\ndata:2\n\ndata:" + b"x" * 100)
    assert [next(events), next(events)] == [b"data:1\n\n", b"data:2\n\n"]
    with pytest.raises(StreamFault):
        next(events)


def test_invalid_utf8_is_replaced_with_a_warning():
    guard = EventGuard(100)
    assert list(guard.feed(b"data:\xff\xfe.\n\n")) == ["data:��.\n\n".encode()]
    assert guard.replaced_bytes


def test_a_character_split_over_pieces_is_not_damaged():
    guard = EventGuard(100)
    assert [block for piece in one_by_one("data:é😀\n\n".encode()) for block in guard.feed(piece)] == [
        "data:é😀\n\n".encode()
    ]
    assert not guard.replaced_bytes


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_only_cr_and_lf_end_a_line(character):
    assert events_of(f"data:a{character}b\n\n".encode()) == (("message", f"a{character}b"),)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_error_field_becomes_an_error_event(end):
    assert events_of(b'error: {"message": "no"}' + end + end) == (("error", '{"message": "no"}'),)
    assert events_of(b"data: an error: no" + end + end) == (("message", "an error: no"),)


def test_an_unfinished_event_is_never_returned():
    assert events_of(b"data:1\n\ndata:2\n") == (("message", "1"),)
    assert events_of(b"data:2") == ()


class TestSafeText:
    def halves(self, text: str) -> list[str]:
        data = text.encode("utf-16-le", "surrogatepass")
        return [chr(int.from_bytes(data[i : i + 2], "little")) for i in range(0, len(data), 2)]

    @given(st.text(st.characters(exclude_categories=())), st.lists(st.integers(0, 1000), max_size=5))
    @example("\ud83d\ud83d\ude00\ude00\x00😀", [1, 3])
    def test_surrogate_halves_join_for_any_split(self, text, cuts):
        halves = self.halves(text)
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "\ufffd")
        edges = [0, *sorted(cut % (len(halves) + 1) for cut in cuts), len(halves)]
        pieces = ["".join(halves[begin:end]) for begin, end in pairwise(edges)]
        for split in (pieces, halves, [text]):
            safe = SafeText()
            assert "".join([safe.feed(piece) for piece in split] + [safe.flush()]) == joined
        assert safe_text(text) == joined
        joined.encode()

    def test_a_surrogate_half_waits_for_the_other(self):
        safe = SafeText()
        assert [safe.feed("a\ud83d"), safe.feed(""), safe.feed("\ude00b")] == ["a", "", "😀b"]
        assert safe.flush() == ""

    def test_a_lone_surrogate_half_is_replaced(self):
        safe = SafeText()
        assert [safe.feed("\ud83d"), safe.feed("a\ude00"), safe.feed("\ud83d"), safe.flush()] == ["", "�a�", "", "�"]

    def test_nul_is_replaced(self):
        assert safe_text("a\x00b") == "a�b"
