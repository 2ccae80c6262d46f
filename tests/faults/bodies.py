"""Group C: successful responses with an unexpected body, type or encoding."""

from __future__ import annotations

import gzip
import json
import zlib

from tests.faults.bombs import gzip_bomb, nested_gzip_bomb
from tests.faults.connecting import reset_after
from tests.faults.fault import FINISH, GOOD, HELLO, SOON, Fault, error, group, interrupted, ok, repeated, stream, then
from tests.faults.server import Caller, Play
from tests.streaming.endpoint import DONE, chunk, document, head

COMPLETION = {
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
}
WHOLE = "sent the whole answer at once"
WRONG_TYPE = "wrong content type"


def typed(name: str, content_type: str, **more: object) -> Fault:
    """A valid stream with this media type."""
    return ok(f"type_{name}", head(content_type=content_type) + GOOD, **more)


def not_sse(name: str, body: object, content_type: str | None, **more: object) -> Fault:
    return error(name, "not_sse", document(body, content_type=content_type), **more)


def encoded(encoding: str, body: bytes) -> bytes:
    return head("200 OK", f"Content-Encoding: {encoding}") + body


def deflated(body: bytes, wbits: int) -> bytes:
    compressor = zlib.compressobj(wbits=wbits)
    return compressor.compress(body) + compressor.flush()


def flushed(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(body) + compressor.flush(zlib.Z_SYNC_FLUSH)


def held_back(*pieces: bytes) -> Play:
    """A play that sends its pieces slowly enough to arrive one by one."""

    def play(caller: Caller) -> None:
        caller.read()
        caller.send(*pieces, pause=0.02)
        caller.finish()

    return play


def reported(name: str, body: object, content_type: str = "application/json") -> Fault:
    return error(name, "server_error_event", document(body, content_type=content_type), says="no such model")


BODIES = group(
    "C body",
    not_sse("html_200", "<html><title>Log in</title></html>", "text/html", says="text/html"),
    not_sse("html_without_type", "<html>", None, says="something"),
    not_sse("html_as_plain", "<!DOCTYPE html>\n<html>", "text/plain"),
    not_sse("html_as_json", "<html>", "application/json"),
    not_sse("html_as_event_stream", "<html>\n\n<body>data</body>", "text/event-stream", says="calls itself"),
    not_sse("xml", "<error/>", "application/xml"),
    not_sse("pdf", b"%PDF-1.7\n\xff\xfe", "application/pdf"),
    not_sse("image", b"\x89PNG\r\n\x1a\n" * 99, "image/png"),
    not_sse("words_as_plain", "upstream error", "text/plain"),
    not_sse("ndjson", json.dumps(COMPLETION) + "\n" + json.dumps(COMPLETION), "application/x-ndjson"),
    not_sse("grpc_web", b"\x00\x00\x00\x00\x05hello", "application/grpc-web+proto"),
    not_sse("json_list", [1, 2], "application/json"),
    not_sse("json_string", '"hello"', "application/json"),
    not_sse("json_null", "null", "application/json"),
    not_sse("json_without_choices", {"hello": "world"}, "application/json"),
    not_sse("json_empty_choices", {"choices": []}, "application/json"),
    not_sse("json_cut", json.dumps(COMPLETION)[:-9], "application/json"),
    not_sse("json_and_more", json.dumps(COMPLETION) + "more", "application/json"),
    not_sse("json_deep", "{" + '"a":[' * 50_000, "application/json"),
    not_sse("json_huge_number", '{"a": ' + "9" * 5000 + "}", "application/json"),
    error("page_of_10_mb", "not_sse", repeated(head(content_type="text/html"), b"x" * 1_000_000, 10), size=True),
    error("page_without_end", "not_sse", then(head(content_type="text/html"), "flood", b"x" * 65536), size=True),
    error("page_that_drips", "not_sse", then(head(content_type="text/html"), "drip", b"x")),
    error("page_gzip_bomb", "not_sse", head("200 OK", "Content-Encoding: gzip", content_type="text/html")
          + gzip_bomb(), size=True),
    ok("json_200_nonstream", document(COMPLETION), warns=WHOLE),
    ok("json_with_bom", document(b"\xef\xbb\xbf" + json.dumps(COMPLETION).encode()), warns=WHOLE),
    ok("json_with_charset", document(COMPLETION, content_type="application/json; charset=latin-1"), warns=WHOLE),
    ok("json_as_problem", document(COMPLETION, content_type="application/vnd.api+json"), warns=WHOLE),
    ok("json_as_plain", document(COMPLETION, content_type="text/plain"), warns=WHOLE),
    ok("json_as_event_stream", document(COMPLETION, content_type="text/event-stream"), warns="as text/event-stream"),
    ok("json_behind_blanks", document("\r\n\r\n  " + json.dumps(COMPLETION)), warns=WHOLE),
    ok("json_in_lines", document(json.dumps(COMPLETION, indent=2)), warns=WHOLE),
    ok("json_bad_utf8", document(json.dumps(COMPLETION).encode().replace(b"Hello", b"Hel\xfflo")), "Hel\ufffdlo"),
    ok("json_two_texts", document({"choices": [*COMPLETION["choices"], {"index": 1, "message": {"content": "x"}}]})),
    ok("json_one_choice_at_index_1", document({"choices": [{**COMPLETION["choices"][0], "index": 1}]})),
    ok("json_function_call_of_nothing", document({"choices": [{"message": {
        "content": "Hello", "tool_calls": None, "function_call": {"name": "", "arguments": ""}}}]})),
    ok("json_without_finish", document({"choices": [{"message": {"content": "Hello"}}]}), warns="finish_reason"),
    error("json_empty_text", "empty_answer", document({"choices": [{"message": {"content": ""}}]})),
    error("json_null_message", "empty_answer", document({"choices": [{"message": None}]})),
    error("json_empty_body", "empty_answer", document("")),
    error("json_blank_body", "empty_answer", document(" \r\n\t ")),
    error("json_cut_by_reset", "reset", reset_after(head(content_type="application/json") + b'{"choices"')),
    error("json_shorter_than_announced", "closed_early",
          head("200 OK", "Content-Length: 999", content_type="application/json") + json.dumps(COMPLETION).encode()),
    error("json_that_drips", "first_event_timeout", then(head(content_type="application/json"), "drip", b" "),
          limits={"first_event_s": SOON}),
    error("json_that_stalls", "first_event_timeout", then(head(content_type="application/json") + b'{"a', "wait"),
          limits={"first_event_s": SOON}),
    error("json_endless", "oversize_event", then(head(content_type="application/json") + b"{", "flood", b" " * 65536),
          says="one document", size=True),
    error("json_of_many_parts", "oversize_event",
          repeated(head(content_type="application/json") + b'{"a": [', b'{"":0},' * 100_000, 30), size=True),
    error("json_of_two_mb_of_parts", "not_sse", document('{"a": [' + '{"":0},' * 290_000 + "0]}"), size=True,
          within_s=2.0),
    reported("json_200_error", {"error": {"message": "no such model"}}),
    reported("json_200_error_object", {"object": "error", "message": "no such model"}),
    reported("json_200_error_string", {"error": "no such model"}),
    reported("json_200_error_list", {"error": [{"message": "no such model"}]}),
    reported("json_200_error_and_choices", {"error": {"message": "no such model"}, "choices": []}),
    reported("json_200_words_and_a_code", {"code": 50001, "message": "no such model", "data": None}),
    reported("json_200_detail", {"detail": "no such model"}),
    reported("json_200_words_as_event_stream", {"code": 50001, "message": "no such model"}, "text/event-stream"),
    reported("json_200_base_resp", {"choices": None, "base_resp": {"status_code": 9, "status_msg": "no such model"}}),
    interrupted("json_200_error_in_the_choice", "server_error_event",
                document({"choices": [{"message": {"content": "Hello"}, "error": {"message": "no such model"}}]})),
    reported("json_error_as_event_stream", {"error": {"message": "no such model"}}, "text/event-stream"),
    reported("json_error_as_plain", {"error": {"message": "no such model"}}, "text/plain"),
    error("empty_200", "empty_answer", stream()),
    error("empty_length_0", "empty_answer", head("200 OK", "Content-Length: 0")),
    error("empty_204", "empty_answer", head("204 No Content", content_type=None), 204),
    error("empty_205", "empty_answer", head("205 Reset Content", "Content-Length: 0"), 205),
    error("empty_chunked", "empty_answer", head("200 OK", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    error("empty_without_type", "empty_answer", head(content_type=None)),
    error("blank_lines_only", "empty_answer", stream(b"\n\r\n\r" * 99)),
    error("bom_only", "empty_answer", stream(b"\xef\xbb\xbf")),
    error("half_a_bom", "not_sse", stream(b"\xef\xbb"), says="calls itself"),
    *(
        ok(f"status_{code}", head(f"{code} Fine") + GOOD, http=code)
        for code in (200, 201, 202, 203, 206, 207, 208, 226, 299)
    ),
    error("status_204_with_a_body", "empty_answer", head("204 No Content") + GOOD, 204),
    typed("upper_case", "TEXT/EVENT-STREAM"),
    typed("with_parameters", "text/event-stream; charset=utf-8; boundary=x"),
    typed("with_odd_blanks", " \ttext/event-stream ;;  charset="),
    typed("with_quotes", 'text/event-stream; charset="utf-8'),
    typed("twice", "text/event-stream\r\nContent-Type: text/event-stream"),
    typed("and_another", "text/event-stream, text/html"),
    typed("as_plain", "text/plain; charset=utf-8", warns=WRONG_TYPE),
    typed("as_octets", "application/octet-stream", warns=WRONG_TYPE),
    typed("as_json", "application/json", warns=WRONG_TYPE),
    typed("as_nothing", "", warns=WRONG_TYPE),
    ok("sse_as_text_plain", head(content_type="text/plain") + GOOD, warns=WRONG_TYPE),
    ok("sse_as_plain_after_comment", head(content_type="text/plain") + b": hi\n\n" + GOOD, warns=WRONG_TYPE),
    ok("sse_as_plain_with_bom", head(content_type="text/plain") + b"\xef\xbb\xbf\r\n" + GOOD, warns=WRONG_TYPE),
    ok("sse_without_type_in_cr", head(content_type=None) + GOOD.replace(b"\n", b"\r"), warns=WRONG_TYPE),
    error("sse_as_html", "not_sse", head(content_type="text/html") + GOOD, says="text/html"),
    error("sse_as_bogus", "not_sse", head(content_type="text/x-bogus") + GOOD, says="text/x-bogus"),
    ok("sse_latin1_ct", head(content_type="text/event-stream; charset=iso-8859-1") + chunk("é…") + DONE, "é…"),
    ok("charset_unknown", head(content_type="text/event-stream; charset=klingon") + chunk("é…") + DONE, "é…"),
    ok("charset_utf_16", head(content_type="text/event-stream; charset=utf-16") + chunk("é…") + DONE, "é…"),
    error("utf_16_bytes", "not_sse", stream(GOOD.decode().encode("utf-16")), says="calls itself"),
    error("gzip_header_plain_body", "bad_encoding", encoded("gzip", GOOD)),
    error("deflate_header_plain_body", "bad_encoding", encoded("deflate", GOOD)),
    error("gzip_twice_announced", "bad_encoding", encoded("gzip, gzip", gzip.compress(GOOD))),
    error("brotli_announced", "bad_encoding", encoded("br", b"\x0b\x02\x80hello\x03"), says="compressed as br"),
    error("zstd_announced", "bad_encoding", encoded("zstd", b"\x28\xb5\x2f\xfd\x00\x00"), says="compressed as zstd"),
    error("gzip_and_brotli", "bad_encoding", encoded("gzip, br", b"\x0b\x02\x80hello\x03"), says="compressed as br"),
    error("compress_announced", "bad_encoding", encoded("compress", b"\x1f\x9d\x90"), says="as compress"),
    ok("gzip_stream", encoded("gzip", gzip.compress(GOOD))),
    ok("gzip_upper_case", encoded("GZIP", gzip.compress(GOOD))),
    ok("x_gzip_stream", encoded("x-gzip", gzip.compress(GOOD))),
    ok("deflate_stream", encoded("deflate", zlib.compress(GOOD))),
    ok("raw_deflate_stream", encoded("deflate", deflated(GOOD, -15))),
    ok("double_gzip", encoded("gzip, gzip", gzip.compress(gzip.compress(GOOD)))),
    ok("gzip_in_two_members", encoded("gzip", gzip.compress(HELLO) + gzip.compress(FINISH + DONE))),
    ok("gzip_and_garbage", encoded("gzip", gzip.compress(GOOD) + b"garbage")),
    ok("gzip_cut_behind_the_end", encoded("gzip", gzip.compress(GOOD)[:-8])),
    interrupted("gzip_cut", "closed_early", encoded("gzip", gzip.compress(HELLO)[:-8])),
    interrupted("gzip_broken", "bad_encoding", held_back(encoded("gzip", flushed(HELLO)), b"\xff" * 99)),
    ok("identity_encoding", encoded("identity", GOOD)),
    ok("nonsense_encoding", encoded("utf-8", GOOD)),
    ok("empty_encoding", encoded("", GOOD)),
    error("double_gzip_announced_once", "not_sse", encoded("gzip", gzip.compress(gzip.compress(GOOD)))),
    error("double_gzip_bomb", "oversize_event", encoded("gzip, gzip", nested_gzip_bomb()), size=True),
    ok("set_cookie", head("200 OK", "Set-Cookie: a=b; Path=/") + GOOD),
    ok("set_cookie_flood", head("200 OK", *(f"Set-Cookie: c{n}={'x' * 500}; Path=/" for n in range(90))) + GOOD),
    ok("set_cookie_junk", head("200 OK", "Set-Cookie: ;;;=\x00\xff; expires=never; max-age=x") + GOOD),
)  # fmt: skip
