from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ANSWER = "Good 😀 morning"
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


class Recorder:
    """An endpoint that records each request's headers and body, and always sends the same response."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.status = 200

    def fields(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            recorder.bodies.append(body)
            recorder.paths.append(self.path)
            recorder.headers.append({name.lower(): value for name, value in self.headers.items()})
            streamed = json.loads(body)["stream"] and recorder.status == 200
            self.send_response(recorder.status)
            self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
            self.end_headers()
            if recorder.status != 200:
                self.wfile.write(b'{"message": "No such model here"}')
            else:
                self.wfile.write(_stream() if streamed else _at_once())

    return Handler


def _stream() -> bytes:
    choices: list[list[dict[str, Any]]] = [
        [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
        *([{"index": 0, "delta": {"content": word}, "finish_reason": None}] for word in ANSWER.partition("😀")),
        [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}],
        [],
    ]
    common = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [{**common, "choices": choice} for choice in choices]
    chunks[-1]["usage"] = USAGE
    return b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"


def _at_once() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    return json.dumps(answer).encode()


@contextmanager
def recording() -> Iterator[Recorder]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    recorder = Recorder(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.RequestHandlerClass = _handler(recorder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


def environment(key: str) -> dict[str, str]:
    """The environment of a snippet: its key, and other keys that it must not send."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "NO_PROXY": "127.0.0.1",
        # Clients load all certificates first, which takes longer than a call over plain HTTP.
        "SSL_CERT_DIR": "/nonexistent",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONIOENCODING": "utf-8",
        "OPENAI_API_KEY": "foreign-key",
        "MISTRAL_API_KEY": "foreign-key",
        "API_KEY": key,
    }
