"""Group D: silence, drips, cuts and wrong framing after the headers."""

from __future__ import annotations

import re
import sys
import time

from tests.faults.bodies import held_back
from tests.faults.connecting import reset_after
from tests.faults.fault import (
    FINISH,
    GOOD,
    HELLO,
    SOON,
    Fault,
    chunked,
    error,
    group,
    interrupted,
    ok,
    stream,
    then,
)
from tests.faults.server import Caller, Play
from tests.streaming.endpoint import DONE, chunk, framed, head

# Before Python 3.13, ssl does not distinguish a reset from an end.
RESET_UNDER_TLS = "reset" if sys.version_info >= (3, 13) else "closed_early"
FIRST_EVENT = {"first_event_s": SOON}
IDLE = {"idle_between_events_s": SOON}
CHUNKS = head("200 OK", "Transfer-Encoding: chunked")
SAID = CHUNKS + framed(HELLO)


def silent(name: str, play: Play, **more: object) -> Fault:
    """No event arrives in time."""
    return error(name, "first_event_timeout", play, limits=FIRST_EVENT, says="no event within 0.2 s", **more)


def stall(name: str, play: Play, **more: object) -> Fault:
    """Text arrives, then no event in time."""
    return interrupted(name, "stall", play, limits=IDLE, says="0.2 s of silence", **more)


def cut(name: str, play: Play | bytes, **more: object) -> Fault:
    """Text arrives, then the body ends without proof that it is complete."""
    return interrupted(name, "closed_early", play, **more)


def framed_as(size: bytes, data: bytes) -> bytes:
    return size + b"\r\n" + data + b"\r\n"


def byte_by_byte(data: bytes) -> Play:
    def play(caller: Caller) -> None:
        caller.read()
        for place in range(len(data)):
            caller.send(data[place : place + 1])
        caller.finish()

    return play


def tls_cut(caller: Caller) -> None:
    caller.read()
    caller.send(stream(HELLO))
    caller.leave_tls()
    caller.finish()


def tls_cut_behind_the_proof(caller: Caller) -> None:
    caller.read()
    caller.send(stream(GOOD))
    caller.leave_tls()
    caller.finish()


def tls_garbage(caller: Caller) -> None:
    caller.read()
    caller.send(stream(HELLO))
    time.sleep(0.05)
    caller.leave_tls()
    caller.send(b"no TLS record at all")
    caller.wait()


BREAKS = group(
    "D time and framing",
    silent("headers_then_stall", then(head(), "wait")),
    silent("chunked_then_stall", then(CHUNKS, "wait")),
    silent("chunk_size_then_stall", then(CHUNKS + b"40\r\n", "wait")),
    silent("length_then_stall", then(head("200 OK", "Content-Length: 99"), "wait")),
    silent("half_event_then_stall", then(stream(b"data: {"), "wait")),
    silent("event_without_its_blank_line", then(stream(chunk("x")[:-1]), "wait")),
    silent("keepalive_only", then(head(), "drip", b": ping\n\n")),
    silent("keepalive_flood", then(head(), "flood", b": ping\n\n" * 1000)),
    silent("blank_line_flood", then(head(), "flood", b"\n" * 10_000)),
    silent("events_without_data", then(head(), "drip", b"event: ping\n\n")),
    silent("events_with_empty_data", then(head(), "drip", b"data:\n\n")),
    silent("ids_without_data", then(head(), "drip", b"id: 1\nretry: 1\n\n")),
    silent("body_drip", then(head(), "drip", b"d")),
    silent("body_drip_plain", then(head(content_type="text/plain"), "drip", b"d")),
    silent("blanks_drip_without_type", then(head(content_type=None), "drip", b"\n")),
    silent("chunk_size_drip", then(CHUNKS, "drip", b"0")),
    silent("chunk_extension_drip", then(CHUNKS + b"5;", "drip", b"x")),
    silent("empty_event_stream_held_open", then(CHUNKS + framed(b": hi\n\n"), "wait")),
    stall("stall_mid", then(stream(HELLO), "wait")),
    stall("stall_in_chunk", then(SAID + b"99\r\ndata", "wait")),
    stall("stall_in_chunk_size", then(SAID + b"9", "wait")),
    stall("stall_behind_chunk", then(SAID[:-2], "wait")),
    stall("stall_of_comments", then(stream(HELLO), "drip", b": ping\n\n")),
    stall("stall_of_empty_data", then(stream(HELLO), "drip", b"data: \n\n")),
    stall("stall_of_one_event_that_drips", then(stream(HELLO), "drip", b"d")),
    stall("stall_of_trailers", then(SAID + b"0\r\n", "drip", b"X: y\r\n")),
    stall("stall_flood_of_trailers", then(SAID + b"0\r\n", "flood", b"X: y\r\n" * 1000)),
    stall("stall_under_tls", then(stream(HELLO), "wait"), certificate="good"),
    ok("stall_behind_the_finish", then(stream(HELLO, FINISH), "wait"), limits=IDLE),
    ok("open_behind_done", then(stream(GOOD), "wait")),
    ok("open_behind_the_last_chunk", then(chunked(GOOD), "wait")),
    ok("comments_behind_done", then(stream(GOOD), "drip", b": bye\n\n")),
    ok("flood_of_comments_behind_done", then(stream(GOOD), "flood", b": bye\n\n" * 999)),
    ok("flood_without_line_end_behind_done", then(stream(GOOD), "flood", b"x" * 65536)),
    ok("slow_but_steady", held_back(head(), *[chunk("x")] * 8, DONE), "x" * 8, limits={"idle_between_events_s": 0.3}),
    cut("close_no_done_no_finish", stream(HELLO)),
    cut("close_chunked_no_done", chunked(HELLO)),
    cut("close_with_length_no_done", head("200 OK", f"Content-Length: {len(HELLO)}") + HELLO),
    cut("fin_mid_chunked", SAID),
    cut("fin_in_chunk_data", SAID + b"40\r\nda"),
    cut("fin_in_chunk_size", SAID + b"4"),
    cut("fin_behind_chunk_data", SAID[:-2]),
    cut("fin_before_the_last_chunk", chunked(HELLO, end=b"")),
    cut("bad_chunk_size", SAID + b"zz\r\n"),
    cut("negative_chunk_size", SAID + framed_as(b"-5", FINISH + DONE)),
    cut("signed_chunk_size", SAID + framed_as(b"+%x" % len(FINISH), FINISH)),
    cut("blank_chunk_size", SAID + framed_as(b"", FINISH)),
    cut("chunk_size_behind_a_blank", SAID + framed_as(b" 5", b"12345")),
    cut("endless_chunk_size", SAID + b"0" * 70_000),
    cut("chunk_of_exabytes", SAID + b"ffffffffffffffff\r\nda"),
    cut("chunk_longer_than_its_size", SAID + framed_as(b"4", b"123456789")),
    cut("chunk_shorter_than_its_size", SAID + framed_as(b"fff", b"1234")),
    cut("length_too_small", head("200 OK", f"Content-Length: {len(HELLO)}") + GOOD),
    cut("length_too_large", head("200 OK", "Content-Length: 99999") + HELLO),
    ok("content_length_short", head("200 OK", "Content-Length: 99999") + GOOD),
    ok("length_of_exabytes", head("200 OK", f"Content-Length: {2**70}") + GOOD),
    ok("length_beside_chunks", head("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked") + framed(GOOD)),
    ok("chunked_upper_case", head("200 OK", "Transfer-Encoding: Chunked") + framed(GOOD) + b"0\r\n\r\n"),
    ok("chunked_in_http_1_0", chunked(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    ok("chunked_without_end", SAID + framed(FINISH)),
    ok("chunk_sizes_in_upper_case", CHUNKS + framed_as(b"%X" % len(GOOD), GOOD)),
    ok("chunk_size_with_zeros", CHUNKS + framed_as(b"0000%x" % len(GOOD), GOOD)),
    ok("chunk_extensions", CHUNKS + framed_as(b'%x;a=b;c="d;e"' % len(GOOD), GOOD) + b"0;last\r\n\r\n"),
    ok("chunk_size_and_blanks", CHUNKS + framed_as(b"%x   " % len(GOOD), GOOD)),
    ok("chunk_lines_end_in_lf", CHUNKS + b"%x\n" % len(GOOD) + GOOD + b"\r\n0\n\n"),
    ok("chunk_of_each_byte", chunked(*(GOOD[place : place + 1] for place in range(len(GOOD))))),
    ok("trailers", chunked(GOOD, end=b"0\r\nX-Checksum: abc\r\nContent-Type: text/html\r\n\r\n")),
    ok("trailers_cut", chunked(GOOD, end=b"0\r\nX-Check")),
    ok("trailer_huge", chunked(GOOD, end=b"0\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")),
    ok("trailer_flood", then(chunked(GOOD, end=b"0\r\n"), "flood", b"X: y\r\n" * 999)),
    ok("second_answer_behind_the_first", chunked(GOOD) + stream(chunk("never"))),
    ok("close_delimited", head("200 OK", "Connection: close") + GOOD),
    ok("keep_alive_without_length", head("200 OK", "Connection: keep-alive") + GOOD),
    ok("transfer_encoding_identity", head("200 OK", "Transfer-Encoding: identity") + GOOD),
    ok("byte_by_byte", byte_by_byte(stream(GOOD)), within_s=1.0),
    ok("done_trailing_space", stream(HELLO, b"data: [DONE] \n\n"), warns="without a finish_reason"),
    ok("done_without_finish", stream(HELLO, DONE), warns="without a finish_reason"),
    ok("finish_without_done", stream(HELLO, FINISH)),
    error("reset_behind_the_headers", "reset", reset_after(head())),
    error("reset_behind_a_comment", "reset", reset_after(stream(b": hi\n\n"))),
    error("reset_in_the_first_event", "reset", reset_after(stream(b"data: {"))),
    interrupted("reset_mid", "reset", reset_after(stream(HELLO))),
    interrupted("reset_in_a_chunk", "reset", reset_after(SAID + b"99\r\nda")),
    ok("reset_behind_the_finish", reset_after(stream(HELLO, FINISH))),
    ok("reset_behind_done", reset_after(stream(GOOD))),
    interrupted("reset_under_tls", RESET_UNDER_TLS, reset_after(stream(HELLO)), certificate="good"),
    cut("tls_cut_without_goodbye", tls_cut, certificate="good"),
    ok("tls_cut_behind_the_proof", tls_cut_behind_the_proof, certificate="good"),
    interrupted("tls_record_of_garbage", "closed_early", tls_garbage, certificate="good"),
    error("closed_in_the_first_event", "closed_early", stream(b"data: {")),
    error("closed_in_the_first_line", "closed_early", stream(b"dat")),
    error("closed_behind_a_first_empty_chunk", "closed_early", stream(chunk(""))),
    error("closed_behind_comments", "empty_answer", stream(b": one\n\n: two\n\n")),
    interrupted("endless", "deadline", then(head(), "drip", chunk("x")), re.compile("x+"), limits={"total_s": 0.3}),
    interrupted("endless_flood", "deadline", then(head(), "flood", chunk("x") * 100), re.compile("x+"),
                limits={"total_s": 0.4}, within_s=1.0),
    error("endless_without_text", "deadline", then(head(), "drip", chunk("")), limits={"total_s": 0.3}),
)  # fmt: skip
