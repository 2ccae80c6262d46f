"""The numbers of an answer are those of its source, which recorded each token and its time."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from components.contract.chunk import Usage
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from components.streaming.rate import decode_rate
from components.streaming.stream import AnswerStream
from tests.streaming.endpoint import DONE, event, head, serve

STEP = 10.0
"""Milliseconds in which the source makes a token of each choice: 100 tokens a second."""
PROMPT = 200.0
"""Milliseconds that it takes to read the prompt."""

Sent = tuple[float, Sequence[bytes]]
"""A time in ms since the request, and the events that the source sends then."""


class Source:
    """Sends a script by its own clock, which waits until the reader has read everything sent."""

    def __init__(self, script: Iterable[Sent]) -> None:
        self._script = list(script)
        self._taken: queue.Queue[None] = queue.Queue()
        self._began = time.monotonic()
        self._at_ms = 0.0

    def clock(self) -> float:
        return self._began + self._at_ms / 1000

    def play(self, connection: socket.socket, _request: bytes) -> None:
        beginning = head()
        for at_ms, events in self._script:
            self._at_ms = at_ms
            connection.sendall(beginning + b"".join(events))
            beginning = b""
            for _ in events:
                self._taken.get(timeout=30)

    def outcome(self) -> Outcome:
        with serve(self.play) as endpoint:
            stream = AnswerStream(endpoint.base_url, b"{}", clock=self.clock)
            for _ in stream:
                self._taken.put(None)
        return stream.outcome


def piece(index: int = 0, **delta: Any) -> bytes:
    return event({"choices": [{"index": index, "delta": delta}]})


def reasoning(count: int) -> list[bytes]:
    return [piece(reasoning_content="hm ")] * count


def text(count: int, index: int = 0) -> list[bytes]:
    return [piece(index, content="word ")] * count


def tool(count: int) -> list[bytes]:
    begin = piece(tool_calls=[{"index": 0, "id": "1", "function": {"name": "look", "arguments": ""}}])
    return [begin, *[piece(tool_calls=[{"index": 0, "function": {"arguments": "1"}}])] * (count - 1)]


def at(begin: float, events: Sequence[bytes], step: float = STEP) -> list[Sent]:
    return [(begin + number * step, [one]) for number, one in enumerate(events)]


def usage(completion: int, reasoning_tokens: int | None = None, apart: int = 0) -> dict[str, Any]:
    """Usage as reported by a source; ``apart`` are tokens in the total only."""
    found: dict[str, Any] = {
        "prompt_tokens": 7,
        "completion_tokens": completion,
        "total_tokens": 7 + completion + apart,
    }
    if reasoning_tokens is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": reasoning_tokens}
    return found


@dataclass(frozen=True)
class Answer:
    """The sends of a source with their true numbers; ``counts`` is part of the basis of the rate."""

    sends: list[Sent]
    reports: dict[str, Any] | None
    ttft_ms: float
    ttfo_ms: float | None
    rate: float | None = 100.0
    counts: str = "completion tokens"
    choices: int = 1

    def outcome(self) -> Outcome:
        last_ms = self.sends[-1][0]
        finishes = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(self.choices)]
        end = event({"choices": finishes, **({"usage": self.reports} if self.reports else {})})
        return Source([*self.sends, (last_ms + 3, [end, DONE])]).outcome()


THOUGHT = at(PROMPT, [*reasoning(100), *text(20)])
ANSWERS = {
    "plain": Answer(at(PROMPT, text(60)), usage(60), 200, 200),
    "reasoning streamed": Answer(THOUGHT, usage(120, 100), 200, 1200, counts="streamed reasoning included"),
    "reasoning hidden but counted": Answer(
        at(PROMPT + 1000, text(20)), usage(120, 100), 1200, 1200, counts="without 100 of hidden reasoning"
    ),
    "reasoning streamed and counted apart": Answer(
        THOUGHT, usage(20, 100, apart=100), 200, 1200, counts="100 reasoning tokens, which are reported apart"
    ),
    "reasoning hidden and counted apart": Answer(at(PROMPT + 1000, text(20)), usage(20, 100, apart=100), 1200, 1200),
    "reasoning streamed and not reported": Answer(THOUGHT, usage(120), 200, 1200, counts="streamed reasoning included"),
    "reasoning streamed and left out of all counts": Answer(
        THOUGHT, usage(20), 200, 1200, rate=None, counts="too few tokens are reported to hold it"
    ),
    "only reasoning, cut": Answer(at(PROMPT, reasoning(50)), usage(50, 50), 200, None, counts="reasoning included"),
    "only hidden reasoning is counted": Answer(
        at(PROMPT, text(3)), usage(100, 100), 200, 200, rate=None, counts="all completion tokens are reported as hidden"
    ),
    "tools after text": Answer(at(PROMPT, [*text(20), *tool(20)]), usage(40), 200, 200),
    "tools alone": Answer(at(PROMPT, tool(30)), usage(30), 200, 200),
    "tools after reasoning": Answer(
        at(PROMPT, [*reasoning(30), *tool(30)]), usage(60, 30), 200, 500, counts="streamed reasoning included"
    ),
    "two choices": Answer(
        at(PROMPT, [piece for pair in zip(text(20), text(20, 1), strict=True) for piece in pair], STEP / 2),
        usage(40),
        200,
        200,
        rate=200.0,
        choices=2,
    ),
    "five tokens a chunk": Answer(at(PROMPT, text(12), 5 * STEP), usage(60), 200, 200),
    "two chunks a read": Answer([(PROMPT + 2 * number * STEP, text(2)) for number in range(30)], usage(60), 200, 200),
    "one chunk": Answer(at(PROMPT, text(1)), usage(60), 200, 200, rate=None, counts="one chunk"),
    "one read": Answer([(PROMPT, text(60))], usage(60), 200, 200, rate=None, counts="one read of the socket"),
    "no tokens reported": Answer(
        at(PROMPT, text(9)), None, 200, 200, rate=None, counts="the endpoint reported no completion tokens"
    ),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_times_and_rate_are_those_of_the_source(answer: Answer) -> None:
    outcome = answer.outcome()
    # Far below 5 ms and 3 %, since the reader uses the source's clock.
    assert outcome.timings.ttft_ms == pytest.approx(answer.ttft_ms, abs=0.01)
    assert outcome.timings.ttfo_ms == pytest.approx(answer.ttfo_ms, abs=0.01)
    assert outcome.timings.last_token_ms == pytest.approx(answer.sends[-1][0], abs=0.01)
    assert outcome.rate.per_second == (answer.rate and pytest.approx(answer.rate, rel=0.001))
    assert answer.counts in outcome.rate.basis


def test_chunk_gaps_are_measured_between_reads_with_tokens() -> None:
    gaps = [10.0, 12.0, 11.0, 300.0, 9.0, 10.5, 70.0]
    moments = [PROMPT + sum(gaps[:number]) for number in range(len(gaps) + 1)]
    # Two chunks a read, and between two reads an event without a token.
    sends = [sent for moment in moments for sent in ((moment - 1, [piece(role="assistant")]), (moment, text(2)))]
    timings = Answer(sends, usage(16), 0, 0).outcome().timings
    expected = pd.Series(gaps)
    assert timings.gap_count == len(gaps)
    assert timings.gap_p50_ms == pytest.approx(expected.median(), abs=0.01)
    assert timings.gap_p95_ms == pytest.approx(expected.quantile(0.95), abs=0.01)
    assert timings.gap_max_ms == pytest.approx(300.0, abs=0.01)


def test_one_gap_is_every_percentile_and_one_read_has_none() -> None:
    two = Answer(at(PROMPT, text(2)), usage(2), 0, 0).outcome().timings
    assert [two.gap_p50_ms, two.gap_p95_ms, two.gap_max_ms, two.gap_count] == pytest.approx([10, 10, 10, 1])
    one = Answer([(PROMPT, text(9))], usage(9), 0, 0).outcome().timings
    assert (one.gap_p50_ms, one.gap_p95_ms, one.gap_max_ms, one.gap_count) == (None, None, None, 0)


def test_an_answer_that_was_not_streamed_has_no_rate() -> None:
    outcome = Outcome(Status.OK, usage=Usage(1, 9, 10), streamed=False)
    assert outcome.rate == (None, "the answer was not streamed")


@pytest.mark.parametrize(
    ("reported", "per_second"),
    [
        # Reasoning beyond the completion tokens is counted separately, for any total.
        (Usage(None, 20, None, reasoning_tokens=100), 20.0),
        (Usage(5, 20, 25, reasoning_tokens=100), 20.0),
        (Usage(None, 120, None, reasoning_tokens=100), 20.0),
        (Usage(5, 20, 25, reasoning_tokens=0), 20.0),
    ],
)
def test_hidden_reasoning_is_subtracted_once(reported: Usage, per_second: float) -> None:
    timings = Timings(ttft_ms=50.0, last_token_ms=1000.0, token_chunks=20, first_token_chunks=1)
    rate = decode_rate(reported, timings)
    assert rate.per_second == pytest.approx(per_second)
