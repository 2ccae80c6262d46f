"""The wall clock of one exchange: it ends the exchange from another thread, by shutting the socket down.

A read timeout cannot do this: a byte or a comment now and then resets it for ever. Shutting down wakes whoever is
connecting, shaking hands, waiting for headers or reading, and closing is then left to that thread.
"""

from __future__ import annotations

import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from components.streaming.faults import ErrorKind

_LOOKS_EACH_S = 0.25
_LOOKS_ON_S = 2.0
"""After the last exchange, before the thread sleeps until the next one wakes it."""
_NO_LINGERING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Watch:
    """Ends an exchange when its time is up or when it is stopped.

    ``ended`` tells why, and stays None when the exchange came to its own end. Safe to use from several threads.
    """

    def __init__(self, total_s: float) -> None:
        self.ended: ErrorKind | None = None
        self._condition = threading.Condition()
        self._socket: socket.socket | None = None
        self._closed = False
        self._total = time.monotonic() + total_s
        self._limit = (self._total, ErrorKind.DEADLINE)
        _clock.add(self)

    @property
    def deadline(self) -> float:
        """When the exchange is ended unless more time is given, in seconds of the monotonic clock."""
        return min(self._limit[0], self._total)

    def expect(self, kind: ErrorKind, within_s: float, since: float | None = None) -> None:
        """End the exchange for ``kind`` unless the next ``expect`` comes within so many seconds (of ``since``)."""
        self._limit = ((time.monotonic() if since is None else since) + within_s, kind)
        _clock.look_by(self._limit[0])

    def hold(self, connection: socket.socket) -> None:
        """Watch this socket from now on. A duplicate is kept, so that it reaches the connection under TLS as well."""
        with self._condition:
            self._let_go()
            # Of a socket under TLS too, which has no dup() of its own.
            self._socket = socket.fromfd(connection.fileno(), connection.family, connection.type)
            if self.ended:
                self._shut_down()

    def release(self) -> bool:
        """Let go of the socket, which ``ended`` no longer touches; returns whether it never did."""
        with self._condition:
            self._let_go()
            return self.ended is None

    def stop(self) -> None:
        """End the exchange on request."""
        self._end(ErrorKind.CANCELLED)

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Sleep, but wake at once when the exchange ends, or when ``wake`` is called and ``until`` has come true."""
        with self._condition:
            self._condition.wait_for(lambda: self.ended or self._closed or until(), seconds)

    def wake(self) -> None:
        """Wake a waiting ``sleep`` to check its condition."""
        with self._condition:
            self._condition.notify_all()

    def end_if_due(self) -> None:
        """End the exchange if its time is up."""
        deadline, kind = min(self._limit, (self._total, ErrorKind.DEADLINE))
        if time.monotonic() >= deadline:
            self._end(kind)

    def close(self) -> None:
        """Stop watching; the exchange came to its end."""
        _clock.remove(self)
        with self._condition:
            self._closed = True
            self._let_go()
            self._condition.notify_all()

    def _end(self, kind: ErrorKind) -> None:
        with self._condition:
            if self.ended is None and not self._closed:
                self.ended = kind
                self._shut_down()
                self._condition.notify_all()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the other side may have closed already
                # The close to come is a reset: an endpoint that is busy sending would not notice anything less.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Clock:
    """The thread that looks at all watches: one for each would cost a short exchange a tenth of its time."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._watches: set[Watch] = set()
        self._looks_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._condition:
            self._watches.add(watch)
            # A process that was forked has none of its parent's threads.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
        self.look_by(watch.deadline)

    def remove(self, watch: Watch) -> None:
        with self._condition:
            self._watches.discard(watch)

    def look_by(self, deadline: float) -> None:
        # It sleeps until the deadline it knew; a later one it finds by itself, which keeps this call cheap.
        if deadline < self._looks_at:
            with self._condition:
                self._condition.notify()

    def _run(self) -> None:
        used_at = 0.0
        while True:
            with self._condition:
                # Before the deadlines are read, so that whoever sets an earlier one meanwhile wakes this thread.
                self._looks_at = math.inf
                now = time.monotonic()
                if self._watches:
                    used_at = now
                # Short sleeps while there are exchanges: no deadline beyond one has to wake this thread.
                if now - used_at < _LOOKS_ON_S:
                    deadlines = (watch.deadline for watch in self._watches)
                    self._looks_at = min(deadlines, default=math.inf)
                    self._looks_at = min(self._looks_at, now + _LOOKS_EACH_S)
                wait_s = self._looks_at - now
                if wait_s > 0:
                    self._condition.wait(min(wait_s, threading.TIMEOUT_MAX))
                due = [watch for watch in self._watches if watch.deadline <= time.monotonic()]
            for watch in due:
                watch.end_if_due()
                if watch.ended:  # and not if it was given more time at this very moment
                    self.remove(watch)


_clock = _Clock()
