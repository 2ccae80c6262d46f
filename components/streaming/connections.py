"""Connections to endpoints: the watch of a call holds its connection, and a later call may use it again.

A connection is kept once a response has been read to its end, for calls to the same origin with the same
``Authorization`` header. Each call checks the address of the peer against its own policy.
"""

from __future__ import annotations

import atexit
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import BaseHTTPResponse

from components.streaming.connect import connect
from components.streaming.head import WatchedResponse
from components.streaming.watch import Watch

_MAX_IDLE = 64
_MAX_IDLE_S = 50.0
"""Many load balancers drop an idle connection after 60 s, some silently."""

_PoolKey = tuple[int, str | None, str, int | None, str | None]
"""Process, scheme, host, port and ``Authorization`` header."""


@dataclass(frozen=True)
class Call:
    """A call as its connection needs it.

    ``on_send`` is called just before the first byte of the request goes out, with whether the connection is reused.
    ``allows`` returns whether an IP address may be called; see ``connect``.
    """

    watch: Watch
    connect_s: float
    on_send: Callable[[bool], None] = lambda _reused: None
    allows: Callable[[str], bool] | None = None


class CallAdapter(HTTPAdapter):
    """The transport of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        super().__init__(max_retries=0)

    def init_poolmanager(self, *_arguments: Any, **_options: Any) -> None:
        """Without a pool manager: the call has a pool of its own."""

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool through which this call gets its connection."""
        origin = urlsplit(request.url or "")
        pool = _HTTPSPool if origin.scheme == "https" else _Pool
        return pool(origin.hostname or "", origin.port, self._call, request.headers.get("Authorization"))


class _Pool(HTTPConnectionPool):
    """The connections of one call: an idle one or a new one."""

    ConnectionCls: Any

    def __init__(self, host: str, port: int | None, call: Call, authorization: str | None) -> None:
        super().__init__(host, port or self.ConnectionCls.default_port)
        self._call = call
        self._pool_key = (os.getpid(), self.scheme, host, self.port, authorization)

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = _idle_connections.take(self._pool_key, self._call.allows) or self._new_conn()
        connection.begin(self._call)
        return connection

    def _put_conn(self, conn: Any) -> None:
        # urllib3 calls this once the response is closed: read to its end, or given up and its connection closed.
        if conn is None or conn.sock is None:
            return
        if self._call.watch.release() and conn.is_connected:
            _idle_connections.keep(self._pool_key, conn)
        else:
            conn.close()

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> BaseHTTPResponse:
        try:
            return super()._make_request(conn, *args, **kwargs)
        except (ConnectionError, ssl.SSLError):
            # Before the first byte of an answer; inside its head, WatchedResponse raises StreamFault.
            if not conn.reused or self._call.watch.ended:
                raise
        # An endpoint may close an idle connection just as the request goes out.
        conn.close()
        conn.begin(self._call)
        return super()._make_request(conn, *args, **kwargs)


class _HTTPSPool(_Pool, HTTPSConnectionPool):
    pass


class _Connection(HTTPConnection):
    """A connection whose socket the watch of the current call holds from before the first packet."""

    response_class = WatchedResponse
    reused = False
    _call: Call
    _sending = False
    _parts: list[bytes] | None = None
    """The parts of a request while it is put together."""

    def begin(self, call: Call) -> None:
        """Serve this call from now on."""
        self._call = call
        self.reused = self.sock is not None
        self._sending = False
        if self.reused:
            call.watch.hold(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, its head and its body together: each would be a packet of its own, and a TLS record."""
        parts: list[bytes] = []
        self._parts = parts
        try:
            super().request(*args, **kwargs)
        finally:
            self._parts = None
        self.send(b"".join(parts))

    def send(self, data: Any) -> None:
        """Send bytes of the request; connects first if necessary."""
        if self._parts is not None:
            self._parts.append(data)
            return
        if self.sock is None:
            self.connect()
        if not self._sending:
            self._sending = True
            self._call.on_send(self.reused)
        super().send(data)

    def _new_conn(self) -> socket.socket:
        call = self._call
        return connect(call.watch, call.connect_s, self._dns_host, self.port or self.default_port, call.allows)


class _HTTPSConnection(_Connection, HTTPSConnection):
    pass


_Pool.ConnectionCls = _Connection
_HTTPSPool.ConnectionCls = _HTTPSConnection


class IdleConnections:
    """The open connections that no call uses, oldest first; none for longer than ``max_idle_s``. Thread-safe."""

    def __init__(self, max_idle_s: float = _MAX_IDLE_S) -> None:
        self._max_idle_s = max_idle_s
        self._lock = threading.Lock()
        self._connections: dict[_Connection, tuple[_PoolKey, float]] = {}

    def take(self, pool_key: _PoolKey, allows: Callable[[str], bool] | None) -> _Connection | None:
        """The newest connection of this key that is alive and whose peer may be called."""
        self.close(_MAX_IDLE)
        while connection := self._newest(pool_key):
            with suppress(OSError):
                if connection.is_connected and (allows is None or allows(connection.sock.getpeername()[0])):
                    return connection
            connection.close()
        return None

    def keep(self, pool_key: _PoolKey, connection: _Connection) -> None:
        """Keep a connection for a later call."""
        with self._lock:
            self._connections[connection] = pool_key, time.monotonic()
        self.close(_MAX_IDLE)

    def close(self, limit: int = 0) -> None:
        """Close those that were idle for too long, and the oldest beyond ``limit``."""
        expired_before = time.monotonic() - self._max_idle_s
        with self._lock:
            oldest_first = list(self._connections.items())
            closed = [
                connection
                for number, (connection, (_, since)) in enumerate(oldest_first)
                if since < expired_before or len(oldest_first) - number > limit
            ]
            for connection in closed:
                del self._connections[connection]
        for connection in closed:
            connection.close()

    def _newest(self, pool_key: _PoolKey) -> _Connection | None:
        with self._lock:
            connections = reversed(self._connections.items())
            newest = next((connection for connection, (key, _) in connections if key == pool_key), None)
            if newest:
                del self._connections[newest]
            return newest


_idle_connections = IdleConnections()


@atexit.register
def close_kept_connections() -> None:
    """Close every connection that no call uses."""
    _idle_connections.close()
