"""A listener that records every received byte and never answers, to show what a caller sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Recorder:
    """Listens on ``port`` of 127.0.0.1 until it is closed."""

    def __init__(self) -> None:
        self._connections = 0
        self._received = b""
        self._last: object = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="recorder")
        self._thread.start()

    def seen(self) -> tuple[int, bytes]:
        """The number of connections and all received bytes. Stops listening first, so that nothing is in transit."""
        self.close()
        return self._connections, self._received

    def close(self) -> None:
        if self._thread.is_alive():
            with socket.socket() as last:  # connections are accepted in order
                last.bind(("127.0.0.1", 0))
                self._last = last.getsockname()
                last.connect(("127.0.0.1", self.port))
                self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, caller = self._listener.accept()
            with connection, suppress(OSError):
                if caller == self._last:
                    return
                self._connections += 1
                connection.settimeout(5)
                while data := connection.recv(65536):
                    self._received += data
                    connection.shutdown(socket.SHUT_WR)


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()
    try:
        yield recorder
    finally:
        recorder.close()
