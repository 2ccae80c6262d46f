"""The rows of tokens that a browser gets: all of the text, and each token's numbers or the reason for none."""

from __future__ import annotations

import json
from typing import Any

from components.live.frames import Reader
from components.live.token_rows import CUT, NO_TOKENS, OF_REASONING, OTHER_PROCESS, OTHER_TEXT, TokenRows
from components.log import sentences
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from tests.log.test_answer_tokens import a_token, an_event


def rows_of(rows: TokenRows) -> list[Any]:
    return [json.loads(row) for block in rows.blocks for row in block.split("\n")]


def ended(events: list[StoredEvent], text: str) -> list[Any]:
    rows = TokenRows()
    rows.take(events)
    rows.update(text, ended=True)
    return rows_of(rows)


def test_a_row_has_the_numbers_and_alternatives_of_a_token() -> None:
    token = a_token(" a") | {"top_logprobs": [a_token(" a"), {"token": "", "bytes": [240, 159], "logprob": -2.25}]}
    [row] = ended([an_event(" a", token)], " a")
    [text, [[own, logprob, rank, entropy, alternatives]]] = row
    assert (text, own, logprob, rank) == (" a", 0, -1, 1)
    assert entropy > 0
    assert alternatives == [[" a", -1.0], ["", -2.25, "f0 9f"]]


def test_model_text_is_sent_as_data() -> None:
    text = '<img src=x onerror=alert(1)>\n"\\'
    assert ended([an_event(text, a_token(text))], text) == [[text, [[0, -1.0, None, None, []]]]]


def test_missing_probabilities_have_a_note() -> None:
    assert ended([an_event("a")], "a") == ["a", {"note": NO_TOKENS}]
    assert ended([an_event("a", a_token("a"))], "b") == ["b", {"note": OTHER_TEXT}]
    cut = StoredEvent("message", "{", 1.0, 99)
    assert ended([an_event("a", a_token("a")), cut], "abc")[1:] == ["bc", {"note": CUT}]
    # The last events of a long answer are not stored.
    assert ended([an_event("a", a_token("a"))], "abc")[1:] == ["bc", {"note": CUT}]
    assert {"note": OTHER_TEXT} in ended([an_event("a", a_token("moon"))], "a")
    reasons = an_event("", a_token("r"), reasoning_content="r")
    [_, note] = ended([reasons, an_event("a", a_token("a"))], "a")
    assert note == {"note": OF_REASONING.format(count=1)}


def test_the_text_is_shown_if_tokens_cannot_be_read() -> None:
    def fail(_since: int) -> list[StoredEvent]:
        raise QueryFailed(sentences.DAMAGED_EVENTS)

    rows = TokenRows(fail)
    rows.update("a")
    assert rows_of(rows) == ["a", {"note": OTHER_PROCESS}]
    rows.update("ab", ended=True)
    assert rows_of(rows) == ["ab", {"note": f"n/a: {sentences.DAMAGED_EVENTS}"}]


def test_sent_bytes_are_linear_in_the_text() -> None:
    def sent(count: int) -> int:
        events = [an_event(" word", a_token(" word")) for _ in range(count)]
        rows, reader, size = TokenRows(lambda since: arrived[since:], grows=True), Reader(), 0
        for number in range(1, count + 1):
            arrived = events[:number]
            rows.update(" word" * number, ended=number == count)
            size += len(json.dumps(reader.frame(rows.blocks)))
        return size

    assert sent(400) < 4.2 * sent(100)
