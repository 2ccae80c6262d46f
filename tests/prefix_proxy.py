"""A proxy in front of the app that adds a path prefix, as on hosting sites."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from socketserver import BaseRequestHandler, ThreadingTCPServer


@contextmanager
def prefix_proxy(port: int, prefix: str, host: str | None = None, takes_turns_with: int | None = None) -> Iterator[int]:
    """The port of a proxy in front of ``port``. It removes ``prefix`` from every path, and sends another ``host``.

    With ``takes_turns_with`` every second request goes to that port.
    """
    ports = cycle([port, takes_turns_with or port])

    class Handler(BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = self.request.recv(65_536)
                if not piece:
                    return
                head += piece
            head, _, body = head.partition(b"\r\n\r\n")
            method, path, rest = head.split(b" ", 2)
            if not path.startswith(prefix.encode()):
                self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            head = b" ".join((method, b"/" + path[len(prefix) :].lstrip(b"/"), rest))
            if host is not None:
                head = re.sub(rb"(?im)^host:.*?$", b"Host: " + host.encode() + b"\r", head)
            # One request per connection, unless it becomes a WebSocket.
            head = re.sub(rb"(?im)^connection: *keep-alive", b"Connection: close", head)
            with socket.create_connection(("127.0.0.1", next(ports))) as app, suppress(OSError):
                app.sendall(head + b"\r\n\r\n" + body)
                threading.Thread(target=_pass_on, args=(self.request, app), daemon=True).start()
                _pass_on(app, self.request)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
