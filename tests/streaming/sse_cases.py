"""The parse cases of the web platform tests: bytes, and the events that a browser dispatches for them.

https://github.com/web-platform-tests/wpt/tree/master/eventsource
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """``events`` are pairs of event name and data. ``accepted`` is false for an invalid media type."""

    name: str
    wpt_file: str
    body: bytes
    events: tuple[tuple[str, str], ...]
    content_type: str = "text/event-stream"
    accepted: bool = True


def _case(name: str, body: bytes, *data: str, named: str = "message", variant: str = "any", **more: str | bool) -> Case:
    """A case whose first event is named ``named``; the others are plain messages."""
    names = [named] + ["message"] * len(data)
    wpt_file = f"{name.partition('/')[0]}.{variant}.js"
    return Case(name, wpt_file, body, tuple(zip(names, data, strict=False)), **more)  # type: ignore[arg-type]


_LONG = b"x" * 2048

CASES = (
    # One leading byte order mark is dropped; a second one belongs to the field's name.
    _case("format-bom", b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n\n", "1", "3"),
    _case("format-bom-2", b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\ndata:3\n\n\n", "2", "3"),
    _case(
        "format-comments",
        b"data:1\r:\x00\n:\r\ndata:2\n:" + _LONG + b"\rdata:3\n:data:fail\r:" + _LONG + b"\ndata:4\n\n",
        "1\n2\n3\n4",
    ),
    # An event without its blank line is not dispatched.
    _case("format-data-before-final-empty-line", b"retry:1000\ndata:test1\n\nid:test\ndata:test2\n", "test1"),
    _case("format-field-data", b"data:\n\ndata\ndata\n\ndata:test\n\n\n", "", "\n", "test"),
    _case("format-field-event-empty", b"event: \ndata:data\n\n\n", "data"),
    _case("format-field-event", b"event:test\ndata:x\n\ndata:x\n\n\n", "x", "x", named="test"),
    _case("format-field-id", b"id: \xe2\x80\xa6\nretry: 200\ndata: hello\n\n", "hello"),
    _case(
        "format-field-id-2",
        b"id: \xe2\x80\xa6\nretry: 200\ndata: hello\n\ndata: \xe2\x80\xa6\n\ndata: \xe2\x80\xa6\n\n",
        "hello",
        "…",
        "…",
    ),
    _case(
        "format-field-id-3/persists",
        b"id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n",
        "1",
        "2",
        "3",
        "4",
        variant="window",
    ),
    _case("format-field-id-3/resets", b"id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n", "1", "2", "3", variant="window"),
    _case(
        "format-field-id-3/resets-no-colon",
        b"id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n",
        "1",
        "2",
        "3",
        variant="window",
    ),
    _case("format-field-id-null/0", b"id: \x00\x00\nretry: 200\ndata: hello\n\n", "hello", variant="window"),
    _case("format-field-id-null/1", b"id: x\x00\nretry: 200\ndata: hello\n\n", "hello", variant="window"),
    _case("format-field-id-null/2", b"id: \x00x\nretry: 200\ndata: hello\n\n", "hello", variant="window"),
    _case("format-field-id-null/3", b"id: x\x00x\nretry: 200\ndata: hello\n\n", "hello", variant="window"),
    _case("format-field-id-null/4", b"id:  \x00\nretry: 200\ndata: hello\n\n", "hello", variant="window"),
    # Field names are case-sensitive, and one leading space of a value is dropped.
    _case(
        "format-field-parsing",
        b"data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\n"
        b"data:4\n\n",
        "\x00\n 2\n1\n3\n\n4",
    ),
    _case("format-field-retry", b"retry:03000\ndata:x\n\n\n", "x"),
    _case("format-field-retry-bogus", b"retry:3000\nretry:1000x\ndata:x\n\n\n", "x"),
    _case("format-field-retry-empty", b"retry\ndata:test\n\n\n", "test"),
    _case(
        "format-field-unknown",
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n\n",
        "test\n\ntest",
    ),
    _case("format-leading-space", b"data:\ttest\rdata: \ndata:test\n\n\n", "\ttest\n\ntest"),
    _case("format-mime-bogus", b"data: data\n\n\n", content_type="x bogus", accepted=False),
    _case("format-mime-trailing-semicolon", b"data: data\n\n\n", "data", content_type="text/event-stream;"),
    _case("format-mime-valid-bogus", b"data: data\n\n\n", content_type="text/x-bogus", accepted=False),
    _case("format-newlines", b"data:test\r\ndata\ndata:test\r\n\r\n", "test\n\ntest"),
    _case("format-null-character", b"data:\x00\n\n\n\n\n", "\x00"),
    # UTF-8, for any charset parameter.
    _case("format-utf-8", b"data:ok\xe2\x80\xa6\n\n\n", "ok…", content_type="text/event-stream;charset=windows-1252"),
    # Blocks without data give no event.
    _case(
        "event-data",
        b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
        "msg\nmsg",
        "",
        "end",
    ),
)
