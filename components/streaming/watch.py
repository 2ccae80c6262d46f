"""The time limits of one exchange: another thread ends it by shutting the socket down.

A read timeout cannot do this: every byte or comment resets it. The shutdown wakes the thread that is connecting,
shaking hands, waiting for headers or reading; that thread then closes the socket.
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

_MAX_SLEEP_S = 0.25
_AWAKE_S = 2.0
"""The time after the last exchange in which the thread stays awake."""
_NO_LINGERING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Watch:
    """Ends an exchange when its time is up or when it is stopped.

    ``ended`` is the reason, or None for an exchange that ended normally. Thread-safe.
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
        """The time at which the exchange ends unless it is extended, in monotonic seconds."""
        return min(self._limit[0], self._total)

    def expect(self, kind: ErrorKind, within_s: float, since: float | None = None) -> None:
        """End the exchange for ``kind`` unless ``expect`` is called again within this many seconds (of ``since``)."""
        self._limit = ((time.monotonic() if since is None else since) + within_s, kind)
        _clock.wake_by(self._limit[0])

    def hold(self, connection: socket.socket) -> None:
        """Watch this socket from now on. The watch keeps a duplicate, which also reaches the connection under TLS."""
        with self._condition:
            self._release_socket()
            # A TLS socket has no dup().
            self._socket = socket.fromfd(connection.fileno(), connection.family, connection.type)
            if self.ended:
                self._shut_down()

    def release(self) -> bool:
        """Release the socket; returns whether the exchange has not been ended."""
        with self._condition:
            self._release_socket()
            return self.ended is None

    def stop(self) -> None:
        """End the exchange on request."""
        self._end(ErrorKind.CANCELLED)

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Sleep until the exchange ends, or until ``wake`` is called and ``until`` is true, but no longer than that."""
        with self._condition:
            self._condition.wait_for(lambda: self.ended or self._closed or until(), seconds)

    def wake(self) -> None:
        """Wake a waiting thread to check its condition."""
        with self._condition:
            self._condition.notify_all()

    def end_if_due(self) -> None:
        """End the exchange if its time is up."""
        deadline, kind = min(self._limit, (self._total, ErrorKind.DEADLINE))
        if time.monotonic() >= deadline:
            self._end(kind)

    def close(self) -> None:
        """Stop watching an exchange that ended normally."""
        _clock.remove(self)
        with self._condition:
            self._closed = True
            self._release_socket()
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
                # The following close resets the connection: an endpoint that is busy sending notices nothing less.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
                self._socket.shutdown(socket.SHUT_RDWR)

    def _release_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Clock:
    """One thread for all watches: a thread for each would cost a short exchange a tenth of its time."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._watches: set[Watch] = set()
        self._next_check = math.inf
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._condition:
            self._watches.add(watch)
            # A process that was forked has none of its parent's threads.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
        self.wake_by(watch.deadline)

    def remove(self, watch: Watch) -> None:
        with self._condition:
            self._watches.discard(watch)

    def wake_by(self, deadline: float) -> None:
        # The thread finds a later deadline without a call, so this is cheap.
        if deadline < self._next_check:
            with self._condition:
                self._condition.notify()

    def _run(self) -> None:
        used_at = 0.0
        while True:
            with self._condition:
                # Before the deadlines are read, so that an earlier one that is set in between wakes this thread.
                self._next_check = math.inf
                now = time.monotonic()
                if self._watches:
                    used_at = now
                # Short sleeps while there are exchanges: no deadline beyond one has to wake this thread.
                if now - used_at < _AWAKE_S:
                    deadlines = (watch.deadline for watch in self._watches)
                    self._next_check = min(deadlines, default=math.inf)
                    self._next_check = min(self._next_check, now + _MAX_SLEEP_S)
                wait_s = self._next_check - now
                if wait_s > 0:
                    self._condition.wait(min(wait_s, threading.TIMEOUT_MAX))
                due = [watch for watch in self._watches if watch.deadline <= time.monotonic()]
            for watch in due:
                watch.end_if_due()
                if watch.ended:  # unless it was extended at this moment
                    self.remove(watch)


_clock = _Clock()
