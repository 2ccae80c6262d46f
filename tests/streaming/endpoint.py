"""A tiny endpoint for tests: real loopback sockets, one thread per connection; the test decides every byte.

``serve(play)`` listens; ``play`` receives each accepted socket and the request's bytes, and sends any response.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Play = Callable[[socket.socket, bytes], object]

DONE = b"data: [DONE]\n\n"


class Endpoint:
    """The test's view of its server: its address and the received requests."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.requests: list[bytes] = []
        self.closed_at: list[float] = []
        """When ``until_closed`` saw a client hang up, in monotonic seconds."""
        self.problems: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._over = False
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="endpoint")]
        self._threads[0].start()

    def until_closed(self, connection: socket.socket, _request: bytes = b"") -> None:
        """Stay silent until the client hangs up; a complete play."""
        with suppress(OSError):
            while connection.recv(65536):
                pass
        self.closed_at.append(time.monotonic())

    def close(self) -> None:
        """Close all connections, and wait for every thread."""
        self._over = True
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._over:
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="endpoint")
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = read_request(connection)
                self.requests.append(request)
                self.play(connection, request)
            except OSError:
                pass  # the client hung up
            except BaseException as problem:  # noqa: BLE001 - reported to the test at its end
                self.problems.append(problem)


@contextmanager
def serve(play: Play | bytes) -> Iterator[Endpoint]:
    """An endpoint that plays this for every request; bytes are sent verbatim. All sockets are closed at the end."""
    endpoint = Endpoint(sending(play) if isinstance(play, bytes) else play)
    try:
        yield endpoint
    finally:
        endpoint.close()
    if endpoint.problems:
        raise endpoint.problems[0]


def sending(*pieces: bytes, pause: float = 0.0) -> Play:
    """A play that sends these pieces at this interval in seconds, then hangs up."""

    def play(connection: socket.socket, _request: bytes) -> None:
        for number, piece in enumerate(pieces):
            if number and pause:
                time.sleep(pause)
            connection.sendall(piece)

    return play


def head(status: str = "200 OK", *headers: str, content_type: str | None = "text/event-stream") -> bytes:
    """The head of a response whose body ends with the connection, unless a header says otherwise."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def document(value: object, status: str = "200 OK", *headers: str, content_type: str = "application/json") -> bytes:
    """A complete response with a body: JSON, or text and bytes verbatim."""
    body = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return head(status, *headers, f"Content-Length: {len(body)}", content_type=content_type) + body


def event(data: object) -> bytes:
    """One event: JSON, or text verbatim."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def chunk(content: str | None = None, finish: str | None = None, index: int = 0, **more: object) -> bytes:
    """The event of one chunk of a completion."""
    delta = {} if content is None else {"content": content}
    return event(
        {"id": "c", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **more}
    )


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def read_request(connection: socket.socket) -> bytes:
    """The next request on a connection. Raises ConnectionAbortedError when there is none."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    header, _, body = received.partition(b"\r\n\r\n")
    for line in header.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += _some(connection)
    return header + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionAbortedError("the client left before its request was complete")
    return data
