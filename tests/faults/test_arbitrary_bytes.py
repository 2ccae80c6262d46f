"""Arbitrary bytes from an endpoint, in arbitrary pieces: a run ends with a status and loses or invents no text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.streaming.faults import ErrorKind
from components.streaming.guard import safe_text
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.stream import AnswerStream
from tests.faults.fault import LIMITS
from tests.streaming.endpoint import DONE, chunk, event, framed, head, serve
from tests.streaming.endpoint import Endpoint as Changing

pytestmark = pytest.mark.timeout(3600)  # the long profile takes longer

SMALL = Limits.from_mapping(
    {**LIMITS, "first_event_s": 1, "idle_between_events_s": 1, "total_s": 2, "retries_before_first_byte": 0,
     "max_event_bytes": 200, "max_stream_bytes": 2000, "max_text_chars": 500, "max_bad_events": 5,
     "max_document_bytes": 400, "max_error_body_bytes": 100}
)  # fmt: skip
# No test here waits for a limit, so a busy machine must not reach one.
ROOMY = Limits(after_done_s=0.1, retries_before_first_byte=0)

content_types = st.sampled_from(
    ["text/event-stream", "text/event-stream", "text/event-stream", "application/json", "text/plain", "text/html", None]
)
encodings = st.sampled_from([(), (), (), ("Content-Encoding: gzip",), ("Transfer-Encoding: chunked",)])
telling = st.sampled_from(
    [b"data:", b"data: {}", b"\n", b"\n\n", b"\r", b"\r\n\r\n", b"[DONE]", b"error:", b"event: error", b": hi\n\n",
     chunk("a"), chunk("b"), chunk("\ud83d"), chunk("\ude00"), chunk(finish="stop"), chunk("x", index=1), DONE,
     b"\x00", b"\xff", b"\xef\xbb\xbf", b'{"choices": [{"message": {"content": "a"}}]}', event({"error": "no"}),
     b"5\r\n", b"0\r\n\r\n", b"-1\r\n", framed(chunk("a")), b"\x1f\x8b\x08\x00"]
)  # fmt: skip
lines_of_a_head = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 x\r\n\r\n", b"X: y\r\n", b"\r\n", b"Content-Length: 5\r\n",
     b"HTTP/1.1 307 x\r\nLocation: /\r\n\r\n"]
)  # fmt: skip
cuts = st.lists(st.integers(0, 2000), max_size=4)

leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
names = st.sampled_from(
    ["choices", "delta", "content", "index", "finish_reason", "error", "usage", "message", "model", "object", "role",
     "reasoning", "tool_calls", "function", "arguments", "type", "text", "thinking", "prompt_tokens", "detail"]
)  # fmt: skip
near_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
near_chunks = st.dictionaries(names, near_values, max_size=5)


def pieces_of(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def playing(first: bytes, body: bytes, places: list[int]) -> Callable[[object, bytes], None]:
    def play(connection: object, _request: bytes) -> None:
        for piece in (first, *pieces_of(body, places)):
            connection.sendall(piece)  # type: ignore[attr-defined]

    return play


def run(server: Changing, limits: Limits) -> Outcome:
    """One run, whose events must add up to the text of its outcome."""
    stream = AnswerStream(server.base_url, b"{}", limits=limits)
    texts: dict[int, str] = {}
    for each in stream:
        for delta in each.deltas:
            texts[delta.index] = texts.get(delta.index, "") + delta.text
    outcome = stream.outcome
    assert tuple(texts.get(index, "") for index in range(len(outcome.texts))) == outcome.texts
    assert outcome.status in (Status.OK, Status.DAMAGED, Status.INTERRUPTED, Status.ERROR)
    assert (outcome.error_kind is None) == (outcome.status in (Status.OK, Status.DAMAGED))
    assert outcome.error_kind is not ErrorKind.INTERNAL
    assert bool(outcome.message) == (outcome.error_kind is not None)
    for text in (*outcome.texts, outcome.reasoning, outcome.message or "", *outcome.warnings):
        assert safe_text(text) == text
    if outcome.status is Status.ERROR:
        assert not any(outcome.texts)
    return outcome


@pytest.fixture(scope="module")
def server() -> Iterator[Changing]:
    """One endpoint for many examples; each sets its own play."""
    with serve(b"") as endpoint:
        yield endpoint


@given(
    st.binary(max_size=300) | st.lists(telling, max_size=20).map(b"".join),
    cuts,
    content_types,
    encodings,
    st.sampled_from(["200 OK", "200 OK", "200 OK", "500 Error", "302 Found", "404 No"]),
)
@example(chunk("a") + b"\xff", [3], "text/event-stream", (), "200 OK")
def test_any_body_ends_with_a_status(
    server: Changing, body: bytes, places: list[int], content_type: str | None, headers: tuple[str, ...], status: str
) -> None:
    server.play = playing(head(status, *headers, content_type=content_type), body, places)
    run(server, SMALL)


@given(st.binary(max_size=200) | st.lists(telling | lines_of_a_head, max_size=8).map(b"".join), cuts)
@example(b"HTTP/1.1 103 x\r\n\r\n", [])
def test_any_head_ends_with_a_status(server: Changing, begin: bytes, places: list[int]) -> None:
    server.play = playing(b"", begin, places)
    run(server, SMALL)


@given(
    st.lists(st.text(st.characters(exclude_characters="\x00"), max_size=8), min_size=1, max_size=6),
    st.sampled_from(["finish", "done", "both", "neither"]),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.booleans(),
    cuts,
    st.data(),
)
def test_a_stream_cut_anywhere_gives_a_prefix_and_is_ok_only_if_proven_complete(
    server: Changing,
    pieces: list[str],
    ending: str,
    line_end: bytes,
    in_chunks: bool,
    places: list[int],
    data: st.DataObject,
) -> None:
    finish = chunk(finish="stop") if ending in ("finish", "both") else b""
    done = DONE if ending in ("done", "both") else b""
    body = (b"".join(map(chunk, pieces)) + finish + done).replace(b"\n", line_end)
    place = data.draw(st.integers(0, len(body)), label="cut after so many bytes")
    # A CRLF's own LF is not needed: the CR has ended the event.
    arrived = body[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    proof = any(part and part in arrived for part in (finish, done))
    if in_chunks:
        first = head("200 OK", "Transfer-Encoding: chunked")
        sent = framed(body[:place]) if place else b""
    else:
        first, sent = head("200 OK", f"Content-Length: {len(body)}"), body[:place]
    server.play = playing(first, sent, places)
    outcome = run(server, ROOMY)
    text = safe_text("".join(pieces))
    assert text.startswith(outcome.text)
    assert (outcome.status is Status.OK) == (proof and text != "")
    if not proof:
        assert outcome.status is (Status.INTERRUPTED if outcome.text else Status.ERROR)


@given(st.lists(st.tuples(st.text(max_size=8), near_chunks | st.dictionaries(st.text(max_size=8), values, max_size=4)),
                max_size=5))  # fmt: skip
@example([("a", {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": ["\ud83d"]}}]}}]})])
def test_malformed_chunks_lose_no_other_text(server: Changing, both: list[tuple[str, dict[str, object]]]) -> None:
    def odd(value: dict[str, object]) -> bytes:
        # An odd chunk may contain other values, but none that end or extend the text.
        return event({**value, "error": None, "object": None, "choices": without_text(value.get("choices"))})

    body = b"".join(chunk(text) + odd(value) for text, value in both)
    server.play = playing(head(), body + chunk(finish="stop") + DONE, [])
    outcome = run(server, ROOMY)
    text = safe_text("".join(text for text, _ in both))
    assert outcome.text == text
    assert outcome.status is Status.OK or not text


def without_text(choices: object) -> object:
    if not isinstance(choices, list):
        return choices
    says_nothing = {"delta": None, "message": None, "text": None, "error": None}
    return [{**choice, **says_nothing} if isinstance(choice, dict) else choice for choice in choices]


@given(st.lists(near_chunks, min_size=1, max_size=4), st.integers(0, 400), st.binary(max_size=3))
def test_mutated_chunks_end_with_a_status(
    server: Changing, chunks: list[dict[str, object]], place: int, inserted: bytes
) -> None:
    data = b"".join(map(event, chunks))
    place %= len(data) + 1
    server.play = playing(head(), chunk("Hello") + data[:place] + inserted + data[place:] + DONE, [])
    outcome = run(server, ROOMY)
    assert outcome.text.startswith("Hello")


@given(near_chunks, st.sampled_from(["200 OK", "400 Bad", "429 Wait"]))
def test_any_document_ends_with_a_status(server: Changing, value: dict[str, object], status: str) -> None:
    server.play = playing(head(status, content_type="application/json"), json.dumps(value).encode(), [])
    run(server, ROOMY)
