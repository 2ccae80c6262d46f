"""Group A: faults before the headers are complete: name lookup, connection, TLS and head."""

from __future__ import annotations

import time

from tests.faults.fault import GOOD, SOON, Fault, Where, error, group, ok, stream, then
from tests.faults.server import Caller, Play
from tests.streaming.endpoint import head

FIRST_BYTE = {"first_byte_s": SOON}
TLS_HELLO = 22
"""The first byte of a TLS record that greets."""


def without_reading(first: bytes, what: str, *arguments: object) -> Play:
    """A play that ignores the request, such as a port that does not speak TLS."""

    def play(caller: Caller) -> None:
        caller.send(first)
        getattr(caller, what)(*arguments)

    return play


def after_a_moment(what: str) -> Play:
    """A play that hangs up after the client has sent the request, without reading it."""

    def play(caller: Caller) -> None:
        time.sleep(0.02)
        getattr(caller, what)()

    return play


def never_reading(caller: Caller) -> None:
    time.sleep(2 * SOON)
    caller.wait()


def tls(name: str, kind: str, play: Play, **more: object) -> Fault:
    """A server that plays this instead of TLS."""
    return error(name, kind, play, http=None, tls=True, **more)


def untrusted(name: str, certificate: str) -> Fault:
    return error(name, "tls", Caller.wait, http=None, certificate=certificate, says="certificate")


def reset_when_half_sent(caller: Caller) -> None:
    caller.read()
    caller.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/ev")
    time.sleep(0.05)  # a reset discards unread data
    caller.reset()


def reset_after(first: bytes) -> Play:
    def play(caller: Caller) -> None:
        caller.read()
        caller.send(first)
        time.sleep(0.05)
        caller.reset()

    return play


def not_http(name: str, answer: bytes, **more: object) -> Fault:
    return error(name, "protocol", answer, http=None, **more)


CONNECTING = group(
    "A connect",
    error("connect_refused", "connect_refused", b"", None, attempts=3, where=Where.CLOSED_PORT, says="refused"),
    error("dns_failure", "dns", b"", None, attempts=3, where=Where.UNKNOWN_NAME, says="no-such-host.invalid",
          within_s=4),  # however slow this machine's resolver is
    error("dns_illegal_name", "dns", b"", None, attempts=3, where=Where.ILLEGAL_NAME, says="not known"),
    error(
        "connect_timeout", "connect_timeout", b"", None, attempts=3, where=Where.FULL,
        limits={"connect_s": SOON}, within_s=3 * SOON + 0.5,
    ),
    untrusted("tls_self_signed", "self signed"),
    untrusted("tls_hostname_mismatch", "wrong name"),
    untrusted("tls_expired", "expired"),
    tls("tls_to_plain", "first_byte_timeout", Caller.wait, limits=FIRST_BYTE, says="may not speak TLS"),
    tls("tls_answered_in_plain", "tls", without_reading(b"HTTP/1.1 400 Bad Request\r\n\r\n", "finish")),
    tls("tls_closed_in_handshake", "tls", without_reading(b"", "finish")),
    tls("tls_reset_in_handshake", "reset", after_a_moment("reset"), attempts=3),
    tls("tls_alert", "tls", without_reading(b"\x15\x03\x03\x00\x02\x02\x28", "finish")),
    tls("tls_garbage", "tls", without_reading(b"\x00" * 2000, "finish")),
    tls(
        "tls_stall_in_handshake", "first_byte_timeout",
        without_reading(bytes([TLS_HELLO, 3, 3, 0, 122, 2, 0]), "wait"), limits=FIRST_BYTE,
    ),
    tls(
        "tls_drip_in_handshake", "first_byte_timeout",
        without_reading(bytes([TLS_HELLO, 3, 3, 64, 0]), "drip", b"\x02"), limits=FIRST_BYTE,
    ),
    ok("tls_good", stream(GOOD), certificate="good"),
    not_http("plain_to_tls", b"\x15\x03\x01\x00\x02\x02\x46"),
    error("accept_then_close", "reset", b"", None, attempts=3),
    error("accept_then_reset", "reset", then(b"", "reset"), None, attempts=3),
    error("close_with_request_unread", "reset", after_a_moment("close"), None, attempts=3),
    error("reset_with_request_unread", "reset", after_a_moment("reset"), None, attempts=3),
    error("request_never_read", "first_byte_timeout", never_reading, None, body=b"x" * 12_000_000, limits=FIRST_BYTE,
          within_s=1.0),
    error("silence", "first_byte_timeout", then(b"", "wait"), None, limits=FIRST_BYTE, says="within 0.2 s"),
    error("status_line_drip", "first_byte_timeout", then(b"HTTP/1.1 200 ", "drip", b"O"), None, limits=FIRST_BYTE),
    error("status_line_stall", "first_byte_timeout", then(b"HTTP/1.1 2", "wait"), None, limits=FIRST_BYTE),
    error("headers_drip", "first_byte_timeout", then(b"HTTP/1.1 200 OK\r\nX: ", "drip", b"x"), None, limits=FIRST_BYTE),
    error("headers_stall", "first_byte_timeout", then(head()[:-2], "wait"), None, limits=FIRST_BYTE),
    error("status_line_cut", "reset", b"HTTP/1.1 20", None, says="only beginning"),
    error("status_line_cut_by_reset", "reset", reset_after(b"HTTP/1.1 20"), None),
    error("headers_cut", "reset", head()[:-2], None),
    error("headers_cut_in_a_line", "reset", head()[:-9], None),
    error("headers_cut_by_reset", "reset", reset_when_half_sent, None),
    error("interim_then_close", "reset", b"HTTP/1.1 100 Continue\r\n\r\n", None),
    error("interim_then_reset", "reset", reset_after(b"HTTP/1.1 100 Continue\r\n\r\n"), None),
    ok("many_100_continue", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + stream(GOOD)),
    ok("early_hints", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 20 + stream(GOOD)),
    ok("processing_and_odd_interims", b"".join(b"HTTP/1.1 %d x\r\n\r\n" % n for n in (102, 199, 100)) + stream(GOOD)),
    error("interim_flood", "first_byte_timeout", then(b"", "flood", b"HTTP/1.1 100 Continue\r\n\r\n" * 500), None,
          limits=FIRST_BYTE),
    error("early_hints_drip", "first_byte_timeout", then(b"", "drip", b"HTTP/1.1 103 Early Hints\r\n\r\n"), None,
          limits=FIRST_BYTE),
    error("switching_protocols", "protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", 101),
    not_http("header_bomb", head("200 OK", *(f"X-{number}: x" for number in range(5000))) + GOOD),
    not_http("header_endless", head("200 OK", "X: " + "x" * 200_000)[:-4]),
    not_http("header_line_huge", head("200 OK", "X: " + "x" * 200_000) + GOOD),
    not_http("status_line_huge", b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"),
    not_http("garbage_status", b"SSH-2.0-OpenSSH_9.2p1\r\n", says="does not speak HTTP"),
    not_http("garbage_without_line_end", b"hello"),
    not_http("smtp_banner", b"220 mail.example ESMTP\r\n"),
    not_http("redis_error", b"-ERR unknown command 'POST'\r\n"),
    not_http("nul_flood", b"\x00" * 100_000),
    not_http("http_0_9", b"<html><body>hello</body></html>\r\n"),
    not_http("http_2_preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    not_http("http_2_status", b"HTTP/2 200\r\ncontent-type: text/event-stream\r\n\r\n" + GOOD),
    not_http("http_2_settings", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"),
    not_http("http_9_9", b"HTTP/9.9 200 OK\r\n\r\n" + GOOD),
    not_http("status_of_letters", b"HTTP/1.1 abc OK\r\n\r\n"),
    not_http("status_99", b"HTTP/1.1 99 Low\r\n\r\n"),
    not_http("status_1000", b"HTTP/1.1 1000 High\r\n\r\n"),
    not_http("status_negative", b"HTTP/1.1 -200 OK\r\n\r\n"),
    not_http("blank_line_first", b"\r\n" + stream(GOOD)),
    not_http("lengths_that_differ", head("200 OK", "Content-Length: 5", "Content-Length: 6") + GOOD),
    ok("http_1_0", stream(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    ok("status_without_reason", stream(GOOD).replace(b"200 OK", b"200", 1)),
    ok("reason_in_latin_1", stream(GOOD).replace(b"200 OK", b"200 Tr\xe8s bien", 1)),
    ok("headers_end_in_lf", head().replace(b"\r\n", b"\n") + GOOD),
    ok("header_folded", head("200 OK", "X: a\r\n b\r\n\tc") + GOOD),
    ok("header_with_nul", head("200 OK", "X: a\x00b", "Y: \xff") + GOOD),
    ok("header_without_name", stream(GOOD).replace(b"Content-Type", b": nothing\r\nContent-Type", 1)),
    ok("ninety_headers", head("200 OK", *(f"X-{number}: x" for number in range(90))) + GOOD),
    ok("length_twice_the_same", head("200 OK", *[f"Content-Length: {len(GOOD)}"] * 2) + GOOD),
    ok("length_not_a_number", head("200 OK", "Content-Length: many") + GOOD),
    ok("length_negative", head("200 OK", "Content-Length: -1") + GOOD),
)  # fmt: skip
