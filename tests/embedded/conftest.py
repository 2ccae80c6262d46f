from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
MODEL = "smollm2-135m-instruct"
KEY = "key-of-the-tests"

# Greedy decoding repeats this loop until the context is full, which takes far longer than any test. A tiny top_p
# selects it, because with temperature 0 the prompt would be read anew each time.
ENDLESS = {
    "messages": [
        {"role": "user", "content": "Say fox again and again."},
        {"role": "assistant", "content": "fox " * 20, "prefix": True},
    ],
    "top_p": 0,
}
LONG_PROMPT = {"messages": [{"role": "user", "content": "Say hello. " * 600}], "max_tokens": 20}


@dataclass
class Stream:
    """A stream read in a separate thread: its chunks and their times."""

    response: requests.Response
    chunks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def read(self) -> list[dict[str, Any]]:
        """All chunks up to the end, which must be [DONE]."""
        ended = False
        for line in self.response.iter_lines():
            if line == b"data: [DONE]":
                ended = True
            elif line:
                assert line.startswith(b"data: ")
                self.chunks.append((time.monotonic(), json.loads(line[6:])))
        assert ended
        return [chunk for _, chunk in self.chunks]


@dataclass(frozen=True)
class Endpoint:
    """A served embedded endpoint, with methods to send requests."""

    base_url: str
    key: str = KEY

    def post(self, body: dict[str, Any] | bytes, key: str | None = None, **options: Any) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps({"model": MODEL, **body}).encode()
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.key if key is None else key}"
            options.setdefault("timeout", 60)
            return session.post(f"{self.base_url}/chat/completions", data=data, **options)

    def get(self, path: str, key: str | None = None) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.key if key is None else key}"
            return session.get(self.base_url + path, timeout=10)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        response = self.post(body)
        assert response.status_code == 200, response.text
        return response.json()

    def text(self, body: dict[str, Any]) -> str:
        return self.answer(body)["choices"][0]["message"]["content"]

    def chunks(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        with self.post({**body, "stream": True}, stream=True) as response:
            assert response.status_code == 200, response.text
            return Stream(response).read()


def say(text: str, **fields: Any) -> dict[str, Any]:
    """A request with one user message."""
    return {"messages": [{"role": "user", "content": text}], **fields}


def streamed_text(chunks: list[dict[str, Any]]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def eventually(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true result of ``condition``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        outcome = condition()
        if outcome:
            return outcome
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def run_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m components.embedded`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "components.embedded", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
