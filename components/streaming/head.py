"""Reads the head of an HTTP response and records what http.client does not: whether any byte arrived.

An exchange that breaks before the first byte may be retried. One that breaks inside the head may not: the endpoint has
begun to answer.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
from contextlib import suppress
from typing import IO, Any

from components.streaming import sentences
from components.streaming.faults import ErrorKind, StreamFault

_SWITCHING_PROTOCOLS = 101
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,6})\r\n")
_NEXT_CHUNK_HEAD = re.compile(rb"\r\n([0-9a-fA-F]{1,6})\r\n")


class WatchedResponse(http.client.HTTPResponse):
    """An http.client response that raises StreamFault when the head breaks off and skips interim responses."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._connection = sock

    def begin(self) -> None:
        """Read the status line and the headers of the final answer."""
        if self.headers is not None:
            return
        stream = self.fp
        self.fp = _Head(stream)
        try:
            super().begin()
            # http.client knows 100 only; a server may send any interim answer, for example 103 Early Hints.
            while 100 < self.status < 200 and self.status != _SWITCHING_PROTOCOLS:
                self.headers = self.msg = None
                super().begin()
        finally:
            if self.fp is not None:  # None when http.client has given up on the connection
                self.fp = stream

    def _close_conn(self) -> None:
        # Bytes after a body answer no request; the next call on this connection must not read them.
        stream, connection = self.fp, self._connection
        complete = self.length == 0 or (self.chunked and not self.closed)
        if complete and isinstance(stream, io.BufferedReader):
            with suppress(OSError):
                connection.settimeout(0)
                if stream.peek(1):
                    connection.shutdown(socket.SHUT_RDWR)
            connection.settimeout(None)
        super()._close_conn()  # type: ignore[misc]

    def _read1_chunked(self, amt: int) -> bytes:
        # All whole chunks that one read of the socket brought: to read each takes longer than to parse its event.
        if self.chunk_left:
            return super()._read1_chunked(amt)  # type: ignore[misc,no-any-return]
        received = self.fp.peek(1)
        pieces = []
        done = 0
        head = (_CHUNK_HEAD if self.chunk_left is None else _NEXT_CHUNK_HEAD).match(received)
        while head and (size := int(head[1], 16)) and (end := head.end() + size) <= len(received):
            pieces.append(received[head.end() : end])
            done = end
            head = _NEXT_CHUNK_HEAD.match(received, end)
        if not pieces:
            return super()._read1_chunked(amt)  # type: ignore[misc,no-any-return]
        self.fp.read(done)
        self.chunk_left = 0
        return b"".join(pieces)

    def _read_next_chunk_size(self) -> int:
        # int() takes "-5", "+5" and " 5" too; a negative size would make http.client read the frames as text.
        if self.fp.peek(1)[:1] not in _HEX_DIGITS:
            raise ValueError("no chunk size")
        return super()._read_next_chunk_size()  # type: ignore[misc,no-any-return]


class _Head:
    """A connection's bytes while the head is read, line by line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._began = False

    def readline(self, limit: int) -> bytes:
        stream = self._stream
        assert isinstance(stream, io.BufferedReader)  # noqa: S101 - what socket.makefile("rb") gives
        if not self._began:
            # Errors here precede the first byte and are passed on; a closed connection returns b"".
            self._began = bool(stream.peek(1))
            if not self._began:
                return b""
        try:
            line = stream.readline(limit)
        except ConnectionError:
            raise _cut() from None
        if line.endswith(b"\n") or len(line) >= limit or (line and not line.startswith(b"HTTP/")):
            return line
        raise _cut()

    def close(self) -> None:
        self._stream.close()


def _cut() -> StreamFault:
    return StreamFault(ErrorKind.RESET, sentences.BROKE_AT_THE_BEGINNING)
