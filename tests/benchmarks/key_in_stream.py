"""The cost of masking a key in a long answer: the processor time of a run of many deltas, with a key and without.

python -m tests.benchmarks.key_in_stream [--deltas 50000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from components.contract.messages import Message, Role
from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest
from components.endpoints.endpoint import Address, Endpoint
from components.log.log import Log
from components.runs.runner import Runner
from components.streaming.session import ApiKey
from tests.orders import order_of
from tests.streaming.endpoint import DONE, head, serve

KEYS = {
    "no key": None,
    "a key": "sk-tempera/J8x+Vq2nZ7wRk4LmT0yPq9Xc3Bd6Fg1Hh5Jk",
    "a long key": "eyJ" + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" * 20,
}
WORDS = (
    "The tests of this answer's words, as models send them, end in s and e often enough to say what looking costs. "
    '\n\nSome are *marked*, some hold $\\frac{a}{b}$, others "quotes" or 100% of a path/to/files. '
)


def chunk(number: int, word: str) -> bytes:
    choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
    about = {"id": "cmpl-4f1c2e", "object": "chat.completion.chunk", "created": 1795540000 + number, "model": "a-model"}
    return b"data: " + json.dumps({**about, "choices": [choice]}).encode() + b"\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    words = [f" {word}" for word in WORDS.split(" ")]
    sent = b"".join(chunk(number, words[number % len(words)]) for number in range(arguments.deltas))
    request = ChatCompletionStreamRequest(model="m", messages=[Message(role=Role.USER, content="Hello")])
    fastest = dict.fromkeys(KEYS, float("inf"))
    with tempfile.TemporaryDirectory() as folder, serve(head() + sent + DONE) as server:
        log = Log(f"sqlite:///{Path(folder) / 'runs.sqlite3'}")
        runner = Runner(log)
        for _ in range(arguments.rounds):
            for name, secret in KEYS.items():
                key = ApiKey(secret, server.base_url) if secret else None
                began = time.process_time()
                run = runner.start(order_of(Endpoint("e", BEEZY, Address(server.base_url, key)), request))
                run.ended.result()
                fastest[name] = min(fastest[name], time.process_time() - began)
                run.written.result()
                assert run.record().chunk_count == arguments.deltas
        log.close()
    for name, seconds in fastest.items():
        print(f"{name}: {seconds / arguments.deltas * 1e6:.1f} µs of the processor for each of {arguments.deltas:,}")


if __name__ == "__main__":
    main()
