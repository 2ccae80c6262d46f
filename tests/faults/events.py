"""Group E: events with wrong bytes, lines, JSON or size."""

from __future__ import annotations

import re

from tests.faults.bombs import gzip_bomb
from tests.faults.fault import (
    FINISH,
    GOOD,
    HELLO,
    Fault,
    chunked,
    damaged,
    error,
    group,
    interrupted,
    ok,
    repeated,
    stream,
    then,
)
from tests.streaming.endpoint import DONE, chunk, event, head

LONG = b"x" * 2_000_000
BAD = "could not be read"
TWO = (chunk("Hel"), chunk("lo"), FINISH + DONE)


def between(bad: bytes | str) -> bytes:
    """A stream with odd content in the middle of its text: raw bytes, or text as the data of an event."""
    first, second, rest = TWO
    return stream(first, bad if isinstance(bad, bytes) else event(bad), second, rest)


def hole(name: str, data: str, **more: object) -> Fault:
    """An unreadable event."""
    return damaged(name, between(data), warns=BAD, **more)


def passed_over(name: str, odd: bytes | str, **more: object) -> Fault:
    """Odd content without text, which loses no text."""
    return ok(name, between(odd), **more)


def texts(name: str, *pieces: str, text: str) -> Fault:
    """Pieces of text that must result in this text."""
    return ok(name, stream(*map(chunk, pieces), FINISH, DONE), text)


def cut(name: str, rest: bytes) -> Fault:
    return interrupted(name, "closed_early", stream(HELLO, rest))


def with_length(body: bytes) -> bytes:
    return head("200 OK", f"Content-Length: {len(body)}") + body


def too_large(name: str, data: bytes, **more: object) -> Fault:
    return interrupted(name, "oversize_event", stream(HELLO, data), size=True, **more)


def exactly(size: int) -> bytes:
    """An event of this many bytes, including its line but not its blank line."""
    begin, end = b'data: {"x": "', b'"}'
    return begin + b"x" * (size - len(begin) - len(end)) + end + b"\n\n"


def many_parts(count: int) -> bytes:
    return event('{"choices": [{"delta": {"content": [' + ",".join("5" * count) + "]}}]}")


EVENTS = group(
    "E events",
    hole("trunc_json_event", '{"choices": ['),
    hole("json_array_event", "[1,2]"),
    hole("json_string_event", '"just text"'),
    hole("json_number_event", "5"),
    hole("json_null_event", "null"),
    hole("json_true_event", "true"),
    hole("json_with_more", "{}{}"),
    hole("json_with_single_quotes", "{'choices': []}"),
    hole("json_with_comment", '{"choices": [] /* none */}'),
    hole("json_with_trailing_comma", '{"choices": [],}'),
    hole("json_with_control", '{"x": "a\x01b"}'),
    hole("json_behind_bom", "\ufeff{}"),
    hole("plain_words", "Internal Server Error"),
    hole("html_event", "<html>502</html>"),
    hole("done_in_lower_case", "[done]"),
    hole("done_in_quotes", '"[DONE]"'),
    hole("huge_int", '{"x": ' + "9" * 5000 + "}"),
    hole("huge_negative_int", '{"created": -' + "9" * 5000 + "}"),
    hole("deep_lists", '{"x": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    hole("deep_objects", '{"x": ' * 100_000 + "1" + "}" * 100_000),
    hole("deep_without_end", "[" * 500_000),
    passed_over("deep_but_fine", '{"choices": [], "x": ' + "[" * 200 + "]" * 200 + "}"),
    passed_over("huge_float", '{"choices": [], "x": 1e999999, "y": -1e999999, "z": 1e-999999}'),
    passed_over("long_float", '{"choices": [], "x": 0.' + "9" * 50_000 + "}"),
    passed_over("nan_json", '{"choices": [], "x": [NaN, Infinity, -Infinity]}'),
    passed_over("unknown_keys", '{"choices": [], "p": "abc", "\\u0000": {"\\ud83d": []}}'),
    passed_over("empty_object", "{}", warns="had no choices"),
    passed_over("empty_data", b"data:\n\ndata: \n\ndata\n\n"),
    passed_over("event_name_without_data", b"event: ping\n\n"),
    passed_over("ping_with_words", b"event: ping\ndata: still here\n\n", warns="skipped"),
    passed_over("named_event_with_json", b'event: status\ndata: {"state": "busy"}\n\n'),
    passed_over("comments", b": one\n:two\n:\n\n: three\n\n"),
    passed_over("unknown_fields", b"foo: bar\nbaz\n\xc3\xa9: x\n\n"),
    passed_over("id_retry_fields", b"id: 1\nretry: 999999999\n\nid\nretry: soon\n\n"),
    passed_over("id_with_nul", b"id: a\x00b\n\n"),
    passed_over("thousand_blank_lines", b"\n\r\n\r" * 1000),
    passed_over("data_with_capital", b"Data: {broken\nDATA: {broken\n\n"),
    passed_over("blank_before_the_field", b" data: {broken\n\n"),
    ok("dup_keys", stream(chunk("Hello").replace(b'"content"', b'"content": "no", "content"'), FINISH, DONE)),
    ok("data_in_two_lines", stream(chunk("Hello").replace(b', "choices"', b',\ndata: "choices"'), FINISH, DONE)),
    ok("data_without_a_blank", stream(GOOD.replace(b"data: ", b"data:"))),
    ok("data_with_blanks", stream(GOOD.replace(b"data: ", b"data:    "))),
    ok("data_ends_in_blanks", stream(GOOD.replace(b"\n\n", b" \t \n\n"))),
    ok("named_message", stream(GOOD.replace(b"data: ", b"event: message\ndata: "))),
    ok("named_chunk", stream(GOOD.replace(b"data: ", b"event: chat.completion.chunk\ndata: "))),
    ok("crlf", stream(GOOD.replace(b"\n", b"\r\n"))),
    ok("cr", stream(GOOD.replace(b"\n", b"\r"))),
    ok("mixed_line_ends", stream(TWO[0].replace(b"\n", b"\r"), TWO[1].replace(b"\n\n", b"\r\n\n"), FINISH, DONE)),
    ok("cr_then_lf_lines", stream(TWO[0].replace(b"\n\n", b"\r\r\n"), TWO[1], FINISH, DONE)),
    ok("bom", stream(b"\xef\xbb\xbf" + GOOD)),
    interrupted("bom_twice", "closed_early", stream(b"\xef\xbb\xbf" * 2 + chunk("lost") + HELLO)),
    passed_over("bom_in_the_middle", b"\xef\xbb\xbf\n\n"),
    ok("bad_utf8", stream(chunk("a?b").replace(b"?", b"\xff\xfe"), FINISH), "a\ufffd\ufffdb", warns="no UTF-8"),
    ok("half_utf8", stream(chunk("a?b").replace(b"?", b"\xe2\x82"), FINISH), "a\ufffdb", warns="no UTF-8"),
    ok("overlong_utf8", stream(chunk("a?b").replace(b"?", b"\xc0\xaf"), FINISH), "a\ufffd\ufffdb", warns="no UTF-8"),
    ok("surrogates_in_utf8", stream(chunk("a?").replace(b"?", b"\xed\xa0\x80"), FINISH), "a" + "\ufffd" * 3),
    ok("bad_utf8_in_a_comment", stream(b": \xff\xff\n\n", GOOD), warns="no UTF-8"),
    texts("lone_surrogates", "\ud83d", "\ude00", text="😀"),
    texts("surrogates_with_nothing_between", "a\ud83d", "", "\ude00b", text="a😀b"),
    texts("first_half_alone", "a\ud83d", "b", text="a\ufffdb"),
    texts("second_half_alone", "a", "\ude00b", text="a\ufffdb"),
    texts("first_half_at_the_end", "a\ud83d", text="a\ufffd"),
    texts("halves_the_wrong_way", "\ude00\ud83d", text="\ufffd\ufffd"),
    texts("nul_char", "a\x00b", text="a\ufffdb"),
    texts("nul_alone", "\x00", text="\ufffd"),
    texts("u2028_in_content", "a\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1eb", text="a\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1eb"),
    texts("line_ends_in_content", "a\nb\r\nc\rd", text="a\nb\r\nc\rd"),
    texts("astral_and_combining", "e\u0301\u200d👩‍👧\U0010ffff", text="e\u0301\u200d👩‍👧\U0010ffff"),
    texts("bidi_and_escapes", "\u202e\x1b[2J\ufeff", text="\u202e\x1b[2J\ufeff"),
    ok("raw_u2028", stream(chunk("?").replace(b"?", "\u2028\x85".encode()), FINISH), "\u2028\x85"),
    error("raw_nul_in_json", "unreadable_events", stream(chunk("a?b").replace(b"?", b"\x00"), DONE),
          says="1 that came"),
    passed_over("nul_lines", b"\x00\x00\n\n\x00: x\n\n"),
    error("only_bad_events", "unreadable_events", stream(event("bad") * 3), says="No event could be read of the 3"),
    error("only_bad_events_and_done", "unreadable_events", stream(event("[1]") * 2, DONE), says="of the 2"),
    damaged("hundred_bad_events", stream(HELLO, event("bad") * 100, FINISH, DONE), warns=BAD),
    interrupted("too_many_bad_events", "unreadable_events", stream(HELLO, event("bad") * 101, FINISH, DONE)),
    error("too_many_bad_events_first", "unreadable_events", stream(event("bad") * 200, GOOD), says="More than 100"),
    error("flood_of_bad_events", "unreadable_events", then(head(), "flood", event("bad") * 999)),
    cut("trunc_json_eof", b'data: {"choices": [{"delta": {"content": "half'),
    cut("unterminated_last_event", chunk("never")[:-1]),
    cut("unterminated_done", DONE[:-1]),
    cut("unterminated_done_without_line_end", DONE[:-2]),
    cut("unterminated_finish", FINISH[:-1]),
    cut("bad_utf8_at_the_end", b"data: \xe2\x82"),
    *(
        ok(f"unterminated_{name}_{way}", whole(HELLO + tail))
        for name, tail in [
            ("done", DONE[:-1]), ("done_without_line_end", DONE[:-2]), ("done_in_crlf", DONE[:-2] + b"\r\n"),
            ("finish", FINISH[:-1]), ("finish_without_line_end", FINISH[:-2]),
            ("usage", FINISH + event({"choices": [], "usage": {"total_tokens": 5}})[:-1])
        ]
        for way, whole in [("in_chunks", chunked), ("with_length", with_length)]
    ),
    interrupted("unterminated_text_in_chunks", "closed_early", chunked(HELLO, chunk("never")[:-1])),
    interrupted("half_an_event_in_chunks", "closed_early", chunked(HELLO, FINISH[:-9])),
    interrupted("unterminated_error_in_chunks", "server_error_event", chunked(HELLO, event({"error": "no"})[:-1])),
    ok("unterminated_behind_done", stream(GOOD, b"data: {unfinished")),
    ok("done_twice", stream(GOOD, DONE)),
    ok("words_behind_done", stream(GOOD, event("good bye"), event("[1]")), warns="no part of the answer"),
    ok("bad_events_behind_done", stream(GOOD, event("bad") * 300)),
    ok("html_behind_done", stream(GOOD, b"<html>\n\n")),
    ok("chunk_behind_done", stream(chunk("Hel"), DONE, chunk("lo"))),
    ok("huge_event_behind_done", stream(GOOD, b"data: " + LONG)),
    ok("event_of_one_mib", stream(HELLO, exactly(1024 * 1024), FINISH, DONE)),
    too_large("event_of_one_mib_and_a_byte", exactly(1024 * 1024 + 1) + FINISH + DONE),
    interrupted("huge_line_50mb", "oversize_event", repeated(stream(HELLO, b"data: "), b"x" * 1_000_000, 50), size=True,
                within_s=1.0),
    too_large("huge_comment", b": " + LONG),
    too_large("huge_field_name", LONG),
    too_large("huge_event_of_small_lines", b"data: x\n" * 300_000),
    too_large("huge_event_with_an_end", b"data: " + LONG + b"\n\n" + FINISH),
    error("endless_no_newline", "oversize_event", then(head(), "flood", b"x" * 65536), size=True),
    error("endless_small_lines", "oversize_event", then(head(), "flood", b"data: x\n" * 999), size=True),
    interrupted("gzip_bomb", "oversize_event", head("200 OK", "Content-Encoding: gzip")
                + gzip_bomb(HELLO + b"data: "), size=True),
    error("gzip_bomb_first", "oversize_event", head("200 OK", "Content-Encoding: gzip") + gzip_bomb(), size=True),
    interrupted("stream_over_its_bytes", "deadline", then(head(), "flood", chunk("x") + exactly(60_000)),
                re.compile("x+"), limits={"max_stream_bytes": 1_000_000}, within_s=1.0),
    interrupted("text_over_its_limit", "deadline", stream(chunk("x" * 600) * 9), re.compile("x+"),
                limits={"max_text_chars": 1000}, says="1,000 characters"),
    ok("text_at_its_limit", stream(chunk("x" * 500) * 2, DONE), "x" * 1000, limits={"max_text_chars": 1000}),
    damaged("event_of_many_parts", stream(many_parts(400_000), event("x"), chunk("Hello"), DONE), size=True,
            warns="content part", within_s=2.0),
    ok("tokens_100k", repeated(head(), chunk("x") * 100, 1000, FINISH + DONE), "x" * 100_000, within_s=12.0),
)  # fmt: skip
