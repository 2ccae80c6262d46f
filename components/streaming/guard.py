"""Makes an endpoint's bytes safe for sseclient-py, and its text safe for the page and the log.

sseclient-py 1.9 alone merges events across mixed line ends, loses the first event behind a byte order mark, dispatches
an unterminated last event and dies on invalid UTF-8. The guard passes on complete and valid events within the limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.streaming import sentences
from components.streaming.faults import ErrorKind, StreamFault

_BOM = b"\xef\xbb\xbf"
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class EventGuard:
    """Cuts a byte stream into whole events, by the rules of the WHATWG's event stream interpretation.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._start = b""
        self._at_start = True
        self._buffer = bytearray()
        self._skip_line_feed = False
        self.replaced_bytes = False
        """Whether bytes that are not UTF-8 were replaced by U+FFFD."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that ``data`` completes: each valid UTF-8, with LF line ends, ended by one blank line.

        An event without its blank line is never returned. Raises StreamFault for an event beyond the limit, complete
        or not.
        """
        if self._at_start:
            self._start += data
            if len(self._start) < len(_BOM) and _BOM.startswith(self._start):
                return
            data = self._start.removeprefix(_BOM)
            self._at_start, self._start = False, b""
        if self._skip_line_feed and data.startswith(b"\n"):
            data = data[1:]
            self._skip_line_feed = False
        if data:
            self._skip_line_feed = data.endswith(b"\r")
        seen = max(len(self._buffer) - 1, 0)
        # Bytes can be split at line ends before they are decoded: no UTF-8 sequence holds a CR or an LF.
        self._buffer += data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        begin = 0
        while (end := self._buffer.find(b"\n\n", max(seen, begin))) >= 0:
            self._check_size(end - begin)
            block = bytes(self._buffer[begin : end + 2])
            begin = end + 2
            if block := block.lstrip(b"\n"):
                yield self._clean(block)
        if begin:
            del self._buffer[:begin]
        # A final line end does not count: the next byte may turn it into the blank line.
        self._check_size(len(self._buffer) - self._buffer.endswith(b"\n"))

    def unfinished(self) -> bytes:
        """The last event if it lacks its blank line, else empty."""
        block = bytes(self._buffer).strip(b"\n")
        return self._clean(block + b"\n\n") if block else b""

    def _check_size(self, size: int) -> None:
        if size > self._max_event_bytes:
            raise StreamFault(
                ErrorKind.OVERSIZE_EVENT,
                sentences.EVENT_TOO_LARGE.format(limit=self._max_event_bytes),
            )

    def _clean(self, block: bytes) -> bytes:
        try:
            block.decode()
        except UnicodeDecodeError:
            self.replaced_bytes = True
            block = block.decode(errors="replace").encode()
        if b"error:" in block:
            block = _name_error_event(block)
        return block


def _name_error_event(block: bytes) -> bytes:
    """Turn llama.cpp's ``error: {json}`` line, a field no parser knows, into an event named error."""
    lines = block.split(b"\n")
    for number, line in enumerate(lines):
        if line.startswith(b"error:"):
            lines[number] = b"event: error\ndata:" + line.removeprefix(b"error:")
    return b"\n".join(lines)


class SafeText:
    """Joins the halves of surrogate pairs across the pieces of one text. NUL and lone halves become U+FFFD.

    Pages and databases refuse both.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """The text that can be shown now; half of a pair at the end waits for the next piece."""
        if not self._half and not _UNSAFE.search(piece):
            return piece
        piece = self._half + piece
        self._half = ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return piece.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def flush(self) -> str:
        """The remainder at the end of the text."""
        remainder = "\ufffd" if self._half else ""
        self._half = ""
        return remainder


def safe_text(text: str) -> str:
    """A whole text as ``SafeText`` gives it."""
    safe = SafeText()
    return safe.feed(text) + safe.flush()
