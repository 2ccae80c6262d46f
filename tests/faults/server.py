"""A server that misbehaves on purpose: raw loopback sockets, plain or with TLS; the fault decides every byte."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache

import requests
import trustme


class Caller:
    """One accepted connection, from the server's side."""

    def __init__(self, connection: socket.socket, turn: int, elsewhere: str) -> None:
        self._connection = connection
        self.turn = turn
        """Which connection of this server it is, from 0."""
        self.elsewhere = elsewhere
        """The base URL of an address that must not be called."""
        self.request = b""

    def read(self) -> bytes:
        """The whole request."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += self._some()
        self.request = head + b"\r\n\r\n" + body
        return self.request

    def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Send these pieces at this interval in seconds."""
        for number, piece in enumerate(pieces):
            if number and pause:
                time.sleep(pause)
            self._connection.sendall(piece)

    def drip(self, piece: bytes, pause: float = 0.02) -> None:
        """Send a piece repeatedly until the client hangs up."""
        while True:
            self._connection.sendall(piece)
            time.sleep(pause)

    def flood(self, piece: bytes) -> None:
        """Send a piece as often as the client reads it."""
        while True:
            self._connection.sendall(piece)

    def wait(self) -> None:
        """Stay silent until the client hangs up."""
        with suppress(OSError):
            while self._connection.recv(65536):
                pass

    def reset(self) -> None:
        """Close with a reset instead of a FIN; unsent data is discarded."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def finish(self) -> None:
        """Close the sending side, and wait for the client to hang up."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self.wait()

    def leave_tls(self) -> None:
        """Continue with the plain TCP connection, without closing TLS."""
        assert isinstance(self._connection, ssl.SSLSocket)
        self._connection = socket.socket(fileno=self._connection.detach())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _some(self) -> bytes:
        data = self._connection.recv(65536)
        if not data:
            raise ConnectionAbortedError("the client left before its request was complete")
        return data


Play = Callable[[Caller], object]


class BadServer:
    """Plays one fault to each connection, in a thread per connection."""

    def __init__(self, play: Play, certificate: str | None = None) -> None:
        self._bystander = socket.create_server(("127.0.0.1", 0))
        self._bystander.setblocking(False)
        self.attempts = 0
        """Connections that were accepted."""
        self.requests: list[bytes] = []
        self.left_at: list[float] = []
        """When each connection had ended, in monotonic seconds."""
        self.problems: list[BaseException] = []
        self._play = play
        self._context = server_context(certificate) if certificate else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._over = False
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, name="bad server", daemon=True)]
        self._threads[0].start()

    def all_connections_closed(self, within_s: float) -> bool:
        """Whether all connections end by themselves within this many seconds."""
        until = time.monotonic() + within_s
        while len(self.left_at) < self.attempts:
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        return True

    @property
    def called_elsewhere(self) -> bool:
        """Whether the forbidden address was called."""
        try:
            self._bystander.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Close all connections, and wait for every thread."""
        self._over = True
        self._bystander.close()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        self._listener.close()
        for connection in list(self._open):
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
            self.attempts += 1
            self._open.add(connection)
            arguments = (connection, self.attempts - 1)
            thread = threading.Thread(target=self._serve, args=arguments, name="bad server", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, turn: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller: Caller | None = None
        try:
            plain, connection = connection, self._under_tls(connection)
            self._open.discard(plain)
            self._open.add(connection)
            caller = Caller(connection, turn, f"http://127.0.0.1:{self._bystander.getsockname()[1]}/v1")
            self._play(caller)
        except OSError:
            pass  # the client hung up
        except BaseException as problem:  # noqa: BLE001 - reported to the test at its end
            self.problems.append(problem)
        finally:
            self._open.discard(connection)
            if caller is not None:
                self.requests.append(caller.request)
                caller.close()
            connection.close()
            self.left_at.append(time.monotonic())

    def _under_tls(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            return connection
        return self._context.wrap_socket(connection, server_side=True)


@contextmanager
def serving(play: Play, certificate: str | None = None) -> Iterator[BadServer]:
    """A server for one test; an error in a play fails the test."""
    server = BadServer(play, certificate)
    try:
        yield server
    finally:
        server.close()
    if server.problems:
        raise server.problems[0]


def answering(*pieces: bytes, pause: float = 0.0) -> Play:
    """A play that reads the request, sends these pieces and ends the connection properly."""

    def play(caller: Caller) -> None:
        caller.read()
        caller.send(*pieces, pause=pause)
        caller.finish()

    return play


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def trusted() -> Iterator[None]:
    """Within this block, requests trusts only the authority of the good certificates."""
    before = requests.adapters.DEFAULT_CA_BUNDLE_PATH
    with _authority().cert_pem.tempfile() as path:
        requests.adapters.DEFAULT_CA_BUNDLE_PATH = path
        try:
            yield
        finally:
            requests.adapters.DEFAULT_CA_BUNDLE_PATH = before


@cache
def server_context(certificate: str) -> ssl.SSLContext:
    """The server's TLS context, with a ``good``, ``self signed``, ``wrong name`` or ``expired`` certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    match certificate:
        case "good":
            made = _authority().issue_cert("127.0.0.1")
        case "self signed":
            made = trustme.CA().issue_cert("127.0.0.1")
        case "wrong name":
            made = _authority().issue_cert("elsewhere.example")
        case "expired":
            made = _authority().issue_cert(
                "127.0.0.1", not_before=now - timedelta(days=9), not_after=now - timedelta(days=2)
            )
        case other:
            raise ValueError(other)
    made.configure_cert(context)
    return context
