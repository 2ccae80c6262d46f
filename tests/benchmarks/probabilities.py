"""The cost of token probabilities on the server: processor time of the reader and each view, bytes sent and logged."""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any

from components.contract.chunk import read_chunk
from components.contract.token_probabilities import LikelihoodSum
from components.live.frames import Reader
from components.live.token_rows import TokenRows
from components.log.events import StoredEvent, packed, stored
from components.markdown.answer import AnswerBlocks
from components.streaming.answer import Answer, TimedEvent
from components.streaming.limits import Limits

WORDS = [" the", " keeper", " of", " light", " was", " old", " map", ",", " sea", " found"] * 2
CASES: tuple[tuple[str, int | None], ...] = (
    ("plain", None),
    ("markdown", None),
    ("plain", 5),
    ("tokens", 0),
    ("tokens", 5),
    ("tokens", 20),
)
"""Views, with the number of alternatives; None for an answer without probabilities."""


def an_event(alternatives: int | None) -> tuple[str, str]:
    """A word and its event."""
    word = random.choice(WORDS)
    choice: dict[str, Any] = {"index": 0, "delta": {"content": word}, "finish_reason": None}
    if alternatives is not None:
        others = [_token(each) for each in WORDS[:alternatives]]
        choice["logprobs"] = {"content": [{**_token(word), "top_logprobs": others}]}
    head = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk", "created": 1, "model": "smollm2"}
    return word, json.dumps({**head, "choices": [choice]}, separators=(",", ":"))


def _token(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": -random.random() * 5, "bytes": list(text.encode())}


def measure(view: str, alternatives: int | None, tokens: int) -> str:
    """A row of the table, each number for one token."""
    arrived: list[StoredEvent] = []
    answer = Answer(Limits(), likelihood=LikelihoodSum())
    blocks: Any = TokenRows(lambda since: arrived[since:], grows=True) if view == "tokens" else AnswerBlocks(view)  # type: ignore[arg-type]
    reader, text, reading, drawing, sent = Reader(), "", 0.0, 0.0, 0
    for number, (word, data) in enumerate([an_event(alternatives) for _ in range(tokens)], 1):
        began = time.thread_time()
        arrived.append(stored(TimedEvent("message", data, float(number), answer.add(read_chunk(data)))))
        reading += time.thread_time() - began
        text += word
        began = time.thread_time()
        blocks.update(text, ended=number == tokens)
        message = json.dumps(reader.frame(blocks.blocks), ensure_ascii=False, separators=(",", ":"))
        drawing += time.thread_time() - began
        sent += len(message)
    logged = sum(len(content) for _, content in packed(arrived))
    numbers = (f"{part / tokens * 1e6:.0f} us" for part in (reading, drawing))
    said = "–" if alternatives is None else str(alternatives)
    return f"| {view} | {said} | {' | '.join(numbers)} | {sent / tokens:.0f} | {logged / tokens:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2_000)
    tokens: int = parser.parse_args().tokens
    print(
        "| view | alternatives | reader | view | bytes to the browser | bytes in the log |\n|---|---|---|---|---|---|"
    )
    for view, alternatives in CASES:
        print(measure(view, alternatives, tokens))


if __name__ == "__main__":
    main()
