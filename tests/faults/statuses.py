"""Group B: redirects and HTTP statuses that are errors, with bodies of every kind."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.faults.bombs import gzip_bomb, nested_gzip_bomb, zlib_bomb
from tests.faults.connecting import reset_after
from tests.faults.fault import GOOD, KEY, Fault, error, group, ok, repeated, stream, then
from tests.faults.server import Caller, Play
from tests.streaming.endpoint import DONE, document, event, framed, head

NO = {"message": "no"}


def redirect(name: str, status: int, location: str | None, what: str = "finish", *arguments: object, **more: object):
    """A redirect; ``{elsewhere}`` in its target is the forbidden address."""

    def play(caller: Caller) -> None:
        caller.read()
        headers = [] if location is None else [f"Location: {location.format(elsewhere=caller.elsewhere)}"]
        caller.send(head(f"{status} Moved", *headers, "Content-Encoding: gzip" if more.get("size") else "X: x"))
        getattr(caller, what)(*arguments)

    return error(name, "redirect_refused", play, status, **more)


def status(code: int, kind: str, attempts: int = 1, **more: object) -> Fault:
    """This status with a body of "no"."""
    return error(
        "s429_plain" if code == 429 else f"s{code}",
        kind,
        document(NO, f"{code} Reason"),
        code,
        attempts=attempts,
        **more,
    )


def retry_after(name: str, header: str, attempts: int, code: int = 429, **more: object) -> Fault:
    kind = {429: "rate_limited", 503: "overloaded", 500: "server_error", 408: "timeout_status"}[code]
    answer = document(NO, f"{code} Wait", f"Retry-After: {header}")
    return error(name, kind, answer, code, attempts=attempts, **more)


def server_error(name: str, answer: bytes | Play, says: str = "500 Internal Server Error", **more: object) -> Fault:
    return error(name, "server_error", answer, 500, says=says, **more)


def failed(body: bytes, *headers: str, content_type: str | None = "application/json") -> bytes:
    return head("500 Internal Server Error", *headers, content_type=content_type) + body


def too_large_before_the_body(caller: Caller) -> None:
    caller.send(document(NO, "413 Payload Too Large"))
    caller.finish()


def in_turn(*answers: bytes) -> Play:
    """One answer for each connection."""

    def play(caller: Caller) -> None:
        caller.read()
        caller.send(answers[min(caller.turn, len(answers) - 1)])
        caller.finish()

    return play


def slowly_in_pieces(caller: Caller) -> None:
    caller.read()
    caller.send(failed(b""))
    for piece in (b'{"mess', b'age": ', b'"no"}'):
        time.sleep(0.02)
        caller.send(piece)
    caller.finish()


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


_HOUR = "Try again in 1 h: no"
_OTHER_4XX = (402, 405, 406, 407, 409, 410, 411, 415, 418, 421, 423, 424, 425, 426, 428, 431, 444, 451, 460, 499)
_OTHER_5XX = (501, 505, 506, 507, 508, 510, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 561, 599, 600, 799, 999)

STATUSES = group(
    "B redirects and HTTP status",
    *(
        redirect(f"redir_other_port_{code}", code, "{elsewhere}/chat/completions", says="to http://127.0.0.1:")
        for code in (300, 301, 302, 303, 305, 306, 307, 308, 399)
    ),
    *(
        redirect(f"redir_other_host_{code}", code, "https://elsewhere.invalid/v1", says="https://elsewhere.invalid/v1")
        for code in (301, 302, 303, 307, 308)
    ),
    *(redirect(f"redir_nowhere_{code}", code, None, says="to nowhere") for code in (300, 301, 302, 304, 307, 308)),
    redirect("redir_same_place", 307, "/v1/chat/completions", says="to /v1/chat/completions"),
    redirect("redir_relative", 302, "../elsewhere", says="to ../elsewhere"),
    redirect("redir_empty_location", 302, "", says="to nowhere"),
    redirect("redir_to_a_file", 302, "file:///etc/passwd", says="to file:///etc/passwd"),
    redirect("redir_with_script", 302, "javascript:<script>alert(1)</script>", says="to javascript:,"),
    redirect("redir_with_controls", 302, "http://x/\x1b[2J\x00\x07", says="never followed"),
    redirect("redir_huge_location", 302, "http://x/" + "y" * 60_000, says="yyy…, which is never followed"),
    redirect("redir_with_key", 307, f"https://elsewhere.invalid/?key={KEY}", says="?key=***"),
    redirect("redir_with_key_at_the_cut", 307, "x" * 190 + KEY, says="never followed"),
    redirect("redir_twice", 307, "http://a.invalid/\r\nLocation: http://b.invalid/", says="a.invalid"),
    redirect("redir_endless_body", 307, "{elsewhere}", "flood", b"x" * 65536, within_s=1.0),
    redirect("redir_drip_body", 307, "{elsewhere}", "drip", b"x"),
    redirect("redir_silent_body", 307, "{elsewhere}", "wait"),
    redirect("redir_gzip_bomb", 307, "{elsewhere}", "send", gzip_bomb(), size=True),
    status(400, "invalid_request"),
    status(401, "auth"),
    status(403, "auth"),
    status(404, "not_found", says="no /v1/chat/completions: no"),
    status(408, "timeout_status", 3),
    status(413, "too_large", says="of 16 bytes: no"),
    status(422, "invalid_request"),
    status(429, "rate_limited", 3),
    status(500, "server_error"),
    status(502, "server_error", 3),
    status(503, "overloaded", 3),
    status(504, "server_error", 3),
    status(529, "overloaded", 3),
    *(status(code, "invalid_request", says="no") for code in _OTHER_4XX),
    *(status(code, "server_error", says="no") for code in _OTHER_5XX),
    error("s413_before_the_body", "too_large", too_large_before_the_body, 413, body=b"x" * 4_000_000,
          says="4,000,000 bytes", within_s=1.0),
    error("s401_asks_for_basic", "auth", document(NO, "401 No", 'WWW-Authenticate: Basic realm="x"'), 401, says="no"),
    error("s422_fields", "invalid_request", document({"detail": [{"loc": ["body", "top_p"], "msg": "bad"}]}, "422 No"),
          422, says="top_p: bad"),
    error("s404_html", "not_found", document("<h1>Not here</h1>", "404 No", content_type="text/html"), 404,
          says="Not here"),
    ok("s502_then_good", in_turn(document(NO, "502 Bad Gateway"), stream(GOOD)), attempts=2),
    ok("s503_twice_then_good", in_turn(document(NO, "503 Loading"), document(NO, "503 Loading"), stream(GOOD)),
       attempts=3),
    error("s429_then_401", "auth", in_turn(document(NO, "429 Wait"), document(NO, "401 No")), 401, attempts=2),
    error("s503_then_500", "server_error", in_turn(document(NO, "503 Wait"), document(NO, "500 No")), 500, attempts=2),
    error("close_then_404", "not_found", in_turn(b"", document(NO, "404 No")), 404, attempts=2),
    retry_after("s429_retry_after_0", "0", 3),
    retry_after("s429_retry_after_blanks", "  0  ", 3),
    retry_after("s429_retry_after_past", http_date(-3600), 3),
    retry_after("s429_retry_after_junk", "soon", 3),
    retry_after("s429_retry_after_negative", "-5", 3),
    retry_after("s429_retry_after_fraction", "0.05", 3),
    retry_after("s429_retry_after_61_and_a_half", "61.5", 1, says="Try again in 62 s: no"),
    retry_after("s429_retry_after_empty", "", 3),
    retry_after("s429_retry_after_twice", "0\r\nRetry-After: 0", 3),
    retry_after("s429_retry_after_other_digits", "\xb2\xb3", 3),
    retry_after("s429_retry_after_bad_date", "Fri, 99 Foo 2099 99:99:99 GMT", 3),
    retry_after("s429_retry_after_61", "61", 1, says="Try again in 61 s: no"),
    retry_after("s429_retry_after_3600", "3600", 1, says=_HOUR),
    retry_after("s429_retry_after_90_min", "5400", 1, says="Try again in 1 h 30 min"),
    retry_after("s429_retry_after_days", "864000", 1, says="Try again in 10 days"),
    retry_after("s429_retry_after_huge", "9" * 400, 1, says="more than a year"),
    retry_after("s429_retry_after_date", http_date(86_000), 1, says="Try again in 23 h"),
    retry_after("s429_retry_after_far_date", "Fri, 31 Dec 9999 23:59:59 GMT", 1, says="more than a year"),
    retry_after("s503_retry_after_3600", "3600", 1, 503, says=_HOUR),
    retry_after("s408_retry_after_3600", "3600", 1, 408, says=_HOUR),
    retry_after("s500_retry_after_0", "0", 1, 500),
    error("s429_waits_over_the_total", "deadline", document(NO, "429 Wait", "Retry-After: 30"), 429,
          limits={"total_s": 0.2}, retries=1),
    error("s502_html", "server_error",
          document("<script>alert(1)</script><h1>Bad &amp; broken</h1>", "502 No", content_type="text/html"), 502,
          attempts=3, says="Bad & broken"),
    server_error("s500_empty", failed(b"", content_type=None)),
    server_error("s500_10mb", repeated(failed(b""), b"x" * 1_000_000, 10), "xxx…", size=True),
    server_error("s500_10mb_in_one_chunk", failed(framed(b"x" * 10_000_000), "Transfer-Encoding: chunked"), "xxx…",
                 size=True),
    server_error("s500_endless_body", then(failed(b""), "flood", b"x" * 65536), "xxx…", size=True),
    server_error("s500_drip_body", then(failed(b""), "drip", b"x"), "xxx"),
    server_error("s500_silent_body", then(failed(b"so far"), "wait"), "so far"),
    server_error("s500_in_pieces", slowly_in_pieces, "no"),
    server_error("s500_reset_in_body", reset_after(failed(b"so far")), "so far"),
    server_error("s500_body_cut", failed(b"so far", "Content-Length: 99"), "so far"),
    server_error("s500_chunk_cut", failed(b"6\r\nso far\r\nzz\r\n", "Transfer-Encoding: chunked"), "so far"),
    server_error("s500_gzip", failed(gzip.compress(json.dumps(NO).encode()), "Content-Encoding: gzip"), "no"),
    server_error("s500_gzip_bomb", failed(gzip_bomb(), "Content-Encoding: gzip"), "xxx…", size=True),
    server_error("s500_deflate_bomb", failed(zlib_bomb(), "Content-Encoding: deflate"), "xxx…", size=True),
    server_error("s500_double_gzip_bomb", failed(nested_gzip_bomb(), "Content-Encoding: gzip, gzip"), "xxx…",
                 size=True),
    server_error("s500_not_gzip", failed(b"plain", "Content-Encoding: gzip")),
    server_error("s500_truncated_deflate", failed(zlib.compress(b"x" * 99)[:-9], "Content-Encoding: deflate"), ""),
    server_error("s500_brotli", failed(b"\x0b\x02\x80no\x03", "Content-Encoding: br")),
    server_error("s500_binary", failed(bytes(range(256)) * 40), ""),
    server_error("s500_utf_16", failed('{"message": "no"}'.encode("utf-16")), ""),
    server_error("s500_deep_json", failed(b"[" * 60_000), "[[["),
    server_error("s500_deep_objects", failed(b'{"message":' * 8000), '{"message":'),
    server_error("s500_huge_number", failed(b'{"code": ' + b"9" * 60_000 + b"}"), "999"),
    server_error("s500_open_tags", failed(b"<a " * 20_000, content_type="text/html"), ""),
    server_error("s500_a_stream", document(GOOD, "500 No", content_type="text/event-stream"), "Hel"),
    server_error("s500_error_in_a_stream", document(b": no\n\n" + event({"error": {"message": "no such model"}}) + DONE,
                                                    "500 No", content_type="text/event-stream"), "no such model"),
    server_error("s500_error_in_an_event_of_its_name", failed(b'event: error\ndata: {"detail": "no such model"}'),
                 "no such model"),
    server_error("s500_key_echoed", document({"message": f"Bad {KEY}"}, "500 No"), "Bad ***"),
    server_error("s500_key_at_the_cut_of_the_body", failed(b"x" * 65526 + KEY.encode()), "xxx…"),
    server_error("s500_key_at_the_cut_of_the_sentence", failed(b"x" * 490 + KEY.encode() + b"y" * 90), "xxx***"),
    server_error("s500_key_in_entities", failed(b"a" * 490 + KEY.replace("-", "&#45;").encode() + b"y" * 90), "a***"),
    server_error("s500_key_escaped", failed(json.dumps({"message": KEY}).replace("c", "\\u0063").encode()), "***"),
)  # fmt: skip
