"""The reader against endpoints that behave and misbehave: how each run ends, and that nothing that arrived is lost."""

import gzip
import os
import random
import socket
import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components import __version__
from components.contract.chunk import Usage
from components.streaming.faults import ErrorKind
from components.streaming.guard import safe_text
from components.streaming.limits import Limits
from components.streaming.outcome import Status
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream

from .endpoint import DONE, chunk, document, event, framed, head, sending, serve

BODY = b'{"stream": true}'
KEY = "sk-canary-0123456789"
# Short enough for tests; each test shortens what it is about.
LIMITS = {"total_s": 10, "first_byte_s": 5, "first_event_s": 5, "idle_between_events_s": 5, "after_done_s": 0.1}
HELLO = chunk("Hel") + chunk("lo")
GOOD = HELLO + chunk(finish="stop") + DONE
EDGES = 0.5
"""How much later than its limit a run may end, in seconds."""


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def ask(base_url, *, body=BODY, key=None, streaming=True, on_retry=None, **limits):
    """The events and the outcome of one run; what the events added must be what the outcome holds."""
    stream = AnswerStream(
        base_url, body, key=key, streaming=streaming, limits=Limits(**LIMITS | limits), on_retry=on_retry
    )
    events = list(stream)
    texts = ["" for _ in stream.outcome.texts]
    for each in events:
        for delta in each.deltas:
            texts[delta.index] += delta.text
    assert tuple(texts) == stream.outcome.texts
    return events, stream.outcome


def run(play, **more):
    """How a run against this play ended."""
    with serve(play) as endpoint:
        return ask(endpoint.base_url, **more)[1]


def after_hello(*pieces):
    """A stream that said Hello before the rest."""
    return head() + HELLO + b"".join(pieces)


def how(outcome):
    return outcome.status.value, outcome.error_kind and outcome.error_kind.value, outcome.text


OK = ("ok", None, "Hello")


class TestAnAnswerIsComplete:
    def test_when_all_of_it_came(self):
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        first = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        outcome = run(head() + first + HELLO + chunk(finish="stop", usage=usage) + DONE)
        assert how(outcome) == OK
        assert outcome.http_status == 200
        assert outcome.finish_reason == "stop"
        assert outcome.usage == Usage(3, 2, 5)
        assert outcome.model == "m"
        assert outcome.message is None
        assert outcome.raw_error is None
        assert (outcome.chunk_count, outcome.attempts, outcome.streamed, outcome.warnings) == (4, 1, True, ())

    @pytest.mark.parametrize(
        "body",
        [
            HELLO + chunk(finish="stop"),
            HELLO + DONE,
            HELLO + b"data: [DONE] \n\n",
            HELLO + chunk(finish="stop") + chunk(finish="stop") + DONE,
            HELLO + chunk(finish="length") + DONE,
            chunk("Hel") + DONE + chunk("lo"),
            chunk("Hel") + chunk("lo", finish="stop") + event({"choices": [], "usage": {"total_tokens": 1}}) + DONE,
            chunk("Hel", usage=None) + chunk("lo", finish="stop", usage={"total_tokens": 1}),
            b": keep-alive\n\n" + chunk("Hel") + b": keep-alive\n\n" + chunk("lo") + DONE,
            b"id: 1\nretry: 999999999\n" + GOOD,
            b"\xef\xbb\xbf" + GOOD,
            GOOD.replace(b"\n", b"\r\n"),
            GOOD.replace(b"\n", b"\r"),
            chunk("Hel").replace(b"\n", b"\r\n") + chunk("lo").replace(b"\n", b"\r") + DONE,
            event({"prompt_filter_results": [], "choices": []}) + GOOD,
            event({"p": "padding"}) + GOOD,
            event({"choices": [{"delta": {"content": "Hello"}, "logprobs": 1}]}).replace(b": 1}", b": NaN}") + DONE,
            GOOD + b"data: {unfinished",
        ],
        ids=[
            "finish-without-done", "done-without-finish", "done-and-blank", "finish-twice", "length",
            "chunk-after-done", "usage-chunk", "null-usage", "comments", "id-and-retry", "bom", "crlf", "cr", "mixed",
            "filter-results", "no-choices", "nan", "unfinished-after-done",
        ],
    )  # fmt: skip
    def test_in_every_variant_that_real_streams_have(self, body):
        assert how(run(head() + body)) == OK

    def test_though_the_endpoint_keeps_the_connection_open_after_done(self):
        def play(connection, request):
            connection.sendall(head() + GOOD)
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url)
        assert how(outcome) == OK
        assert time.monotonic() - started < 0.1 + EDGES

    def test_though_the_endpoint_goes_on_and_on_after_done(self):
        with serve(dripping(head() + GOOD, chunk("."), 0.02)) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url)
        assert (outcome.status, outcome.text.rstrip(".")) == (Status.OK, "Hello")
        assert time.monotonic() - started < 0.1 + EDGES

    def test_though_the_connection_breaks_after_the_proof(self):
        assert how(run(head("200 OK", "Content-Length: 99999") + GOOD)) == OK
        assert how(run(head("200 OK", "Transfer-Encoding: chunked") + framed(GOOD))) == OK

    def test_after_a_thousand_interim_answers(self):
        assert how(run(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + head() + GOOD)) == OK

    def test_with_two_choices_side_by_side(self):
        body = b"".join(chunk(text, index=index) for index, text in [(0, "a"), (1, "x"), (0, "b"), (1, "y")])
        outcome = run(head() + body + chunk(finish="stop") + chunk(finish="length", index=1))
        assert (outcome.status, outcome.texts) == (Status.OK, ("ab", "xy"))
        assert outcome.finish_reason == "stop"

    def test_only_when_every_choice_has_ended(self):
        outcome = run(head() + chunk("a") + chunk("x", index=1) + chunk(finish="stop"))
        assert how(outcome) == ("interrupted", "closed_early", "a")
        assert outcome.texts == ("a", "x")

    def test_when_it_is_a_tool_call_and_no_text(self):
        call = event({"choices": [{"delta": {"tool_calls": [{"index": 0}]}, "finish_reason": "tool_calls"}]})
        assert how(run(head() + call + DONE)) == ("ok", None, "")

    def test_when_nothing_was_asked_for(self):
        assert how(run(head() + chunk("", finish="length") + DONE)) == ("ok", None, "")

    def test_with_its_thinking_kept_apart(self):
        thinking = event({"choices": [{"delta": {"reasoning_content": "Hm."}}]})
        outcome = run(head() + thinking + GOOD)
        assert how(outcome) == OK
        assert outcome.reasoning == "Hm."
        assert outcome.timings.reasoning_ms <= outcome.timings.ttft_ms

    @pytest.mark.parametrize("status", ["200 OK", "201 Created"])
    def test_as_one_json_document(self, status):
        outcome = run(document(completion("Hello"), status))
        assert how(outcome) == OK
        assert not outcome.streamed
        assert outcome.timings.ttft_ms is None
        assert outcome.usage == Usage(1, 2, 3)
        assert outcome.warnings == ("the endpoint ignored stream=true and sent the whole answer at once",)

    def test_as_one_json_document_that_was_asked_for(self):
        outcome = run(document(completion("Hello"), content_type="application/json; charset=utf-8"), streaming=False)
        assert how(outcome) == OK
        assert outcome.warnings == ()

    @pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "", None])
    def test_when_the_media_type_says_nothing_but_the_first_line_does(self, content_type):
        for body in (GOOD, b"\xef\xbb\xbf" + GOOD, b"\r\n" + GOOD, b": ping\n\n" + GOOD, GOOD.replace(b"\n", b"\r")):
            outcome = run(head(content_type=content_type) + body)
            assert how(outcome) == OK
            assert "wrong content type" in outcome.warnings[0]
        assert how(run(document(completion("Hello"), content_type="text/plain"))) == OK

    @pytest.mark.parametrize("content_type", ["text/event-stream;charset=iso-8859-1", "TEXT/Event-Stream ; x=y"])
    def test_whatever_parameters_the_media_type_has(self, content_type):
        assert run(head(content_type=content_type) + chunk("é…") + DONE).text == "é…"


def completion(text, finish="stop"):
    return {
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


class TestTextThatArrivedIsKept:
    @pytest.mark.parametrize(
        ("rest", "kind"),
        [
            (b"", "closed_early"),
            (b'data: {"choices": [{"delta": {"content": "half', "closed_early"),
            (chunk("unfinished")[:-1], "closed_early"),
            (event({"error": {"message": "no"}}), "server_error_event"),
            (event({"object": "error", "message": "no"}), "server_error_event"),
            (b'event: error\ndata: {"message": "no"}\n\n', "server_error_event"),
            (b"event: error\ndata: no\n\n", "server_error_event"),
            (b'error: {"message": "no"}\n\n', "server_error_event"),
            (chunk(finish="error") + DONE, "finish_error"),
            (chunk(finish="stop") + chunk("x", finish="error", index=1) + DONE, "finish_error"),
            (chunk(finish="stop") + event({"error": "no"}), "server_error_event"),
        ],
        ids=["eof", "half-event", "no-blank-line", "error-key", "error-object", "error-event", "error-event-text",
             "error-field", "finish-error", "finish-error-of-another", "error-after-finish"],
    )  # fmt: skip
    def test_when_the_stream_ends_badly(self, rest, kind):
        outcome = run(after_hello(rest))
        assert how(outcome) == ("interrupted", kind, "Hello")
        assert outcome.message
        if kind == "server_error_event":
            assert outcome.message == "no"

    def test_when_a_chunked_body_breaks_off(self):
        for rest in (b"", b"40\r\nda", b"zz\r\n"):
            outcome = run(head("200 OK", "Transfer-Encoding: chunked") + framed(HELLO) + rest)
            assert how(outcome) == ("interrupted", "closed_early", "Hello")

    def test_when_the_connection_is_reset(self):
        def play(connection, request):
            connection.sendall(after_hello())
            time.sleep(0.1)
            reset(connection)

        assert how(run(play)) == ("interrupted", "reset", "Hello")

    def test_when_the_endpoint_falls_silent(self):
        def play(connection, request):
            connection.sendall(after_hello())
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            _, outcome = ask(endpoint.base_url, idle_between_events_s=0.3)
        assert how(outcome) == ("interrupted", "stall", "Hello")
        assert "0.3 s of silence" in outcome.message

    @pytest.mark.parametrize("bad", ['{"choices": [', "[1,2]", '"just text"', "5", "{" + "9" * 5000 + "}", "not json"])
    def test_when_single_events_cannot_be_read(self, bad):
        outcome = run(head() + chunk("Hel") + event(bad) + chunk("lo", finish="stop") + DONE)
        assert how(outcome) == ("damaged", None, "Hello")
        assert "could not be read" in outcome.warnings[0]

    def test_and_too_many_unreadable_events_end_the_stream(self):
        body = after_hello() + event("bad") * 4 + chunk(" more", finish="stop") + DONE
        assert how(run(body, max_bad_events=4)) == ("damaged", None, "Hello more")
        assert how(run(body, max_bad_events=3)) == ("interrupted", "unreadable_events", "Hello")

    def test_though_its_bytes_are_no_utf8(self):
        outcome = run(head() + chunk("a?b", finish="stop").replace(b"?", b"\xff\xfe") + DONE)
        assert how(outcome) == ("ok", None, "a��b")
        assert outcome.warnings == ("bytes that are no UTF-8 were replaced",)

    @pytest.mark.parametrize(
        ("pieces", "text"),
        [
            (["\ud83d", "\ude00"], "😀"),
            (["a\ud83d", "", "\ude00b"], "a😀b"),
            (["\ud83d", "a"], "�a"),
            (["a", "\ude00"], "a�"),
            (["a\ud83d"], "a�"),
            (["a\x00b"], "a�b"),
            (["\u2028\x85\x0b\x1c"], "\u2028\x85\x0b\x1c"),
        ],
    )
    def test_in_a_form_that_page_and_log_can_take(self, pieces, text):
        body = b"".join(chunk(piece) for piece in pieces)
        assert how(run(head() + body + DONE)) == ("ok", None, text)

    def test_and_names_from_the_endpoint_are_in_such_a_form_too(self):
        outcome = run(head() + chunk("a", finish="sto\x00p\ud83d", model="m\x00\ude00") + DONE)
        assert (outcome.finish_reason, outcome.model) == ("sto�p�", "m��")

    @pytest.mark.parametrize("index", [-1, 10**12])
    def test_at_whatever_index_it_came(self, index):
        assert how(run(head() + chunk("Hello", finish="stop", index=index) + DONE)) == OK


def reset(connection):
    """Close with a reset: what was not read, and what lingers, is thrown away."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


class TestAnEmptyAnswerIsNoSuccess:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (head(), "empty_answer"),
            (head("204 No Content", content_type=None), "empty_answer"),
            (head() + DONE, "empty_answer"),
            (head() + chunk("", finish="stop") + DONE, "empty_answer"),
            (head() + b": nothing\n\n", "empty_answer"),
            (document("", content_type="text/plain"), "empty_answer"),
            (document(""), "empty_answer"),
            (document(completion("")), "empty_answer"),
            (head() + chunk(""), "closed_early"),
            (document("<html><title>Log in</title></html>", content_type="text/html"), "not_sse"),
            (head(content_type="text/x-bogus") + GOOD, "not_sse"),
            (head(content_type="x bogus") + GOOD, "not_sse"),
            (document("database error", content_type="text/plain"), "not_sse"),
            (document("<html>", content_type=None), "not_sse"),
            (document("not json"), "not_sse"),
            (document([1, 2]), "not_sse"),
            (document({"hello": "world"}), "not_sse"),
            (document({"error": {"message": "no"}}), "server_error_event"),
            (document({"object": "error", "message": "no"}), "server_error_event"),
            (head("200 OK", "Content-Encoding: gzip") + GOOD, "bad_encoding"),
        ],
    )
    def test_whatever_its_shape(self, answer, kind):
        outcome = run(answer)
        assert how(outcome) == ("error", kind, "")
        assert outcome.http_status in (200, 204)
        assert outcome.message
        assert outcome.attempts == 1

    def test_and_the_page_that_came_instead_can_be_looked_at(self):
        outcome = run(document("<html>Log in</html>", content_type="text/html"))
        assert outcome.raw_error == "<html>Log in</html>"
        assert "text/html" in outcome.message


class TestAnErrorStatus:
    @pytest.mark.parametrize(
        ("status", "kind", "attempts"),
        [
            (400, "invalid_request", 1), (401, "auth", 1), (403, "auth", 1), (404, "not_found", 1),
            (405, "invalid_request", 1), (408, "timeout_status", 3), (413, "too_large", 1),
            (422, "invalid_request", 1), (429, "rate_limited", 3), (500, "server_error", 1),
            (501, "server_error", 1), (502, "server_error", 3), (503, "overloaded", 3), (504, "server_error", 3),
            (529, "overloaded", 3),
        ],
    )  # fmt: skip
    def test_has_its_kind_and_its_number_of_attempts(self, status, kind, attempts):
        answer = document({"message": "no"}, f"{status} Reason", "Retry-After: 0")
        with serve(answer) as endpoint:
            _, outcome = ask(endpoint.base_url)
        assert how(outcome) == ("error", kind, "")
        assert (outcome.http_status, outcome.message) == (status, "no")
        assert outcome.attempts == attempts == len(endpoint.requests)
        assert len(set(endpoint.requests)) == 1

    def test_of_a_validation_names_the_fields(self):
        problem = {"type": "x", "loc": ["body", "temperature"], "msg": "too hot", "input": 2}
        outcome = run(document({"detail": [problem]}, "422 Unprocessable Entity"))
        assert (outcome.message, outcome.error_fields) == ("temperature: too hot", ("temperature",))

    def test_with_html_is_told_as_plain_text(self):
        page = "<html><script>alert(1)</script><h1>Bad Gateway</h1></html>"
        outcome = run(document(page, "501 Not Implemented", content_type="text/html"))
        assert (outcome.message, outcome.raw_error) == ("Bad Gateway", page)

    def test_without_a_body_is_told_in_its_own_words(self):
        outcome = run(document("", "500 Internal Server Error", content_type=None))
        assert outcome.message == "The endpoint answered 500 Internal Server Error without saying more."

    @pytest.mark.parametrize("header", ["3600", "61", "9" * 400])
    def test_with_a_wait_that_is_too_long_is_not_retried(self, header):
        outcome = run(document({"message": "no"}, "429 Too Many", f"Retry-After: {header}"))
        assert (outcome.error_kind, outcome.attempts, outcome.timings.waited_ms) == (ErrorKind.RATE_LIMITED, 1, 0)

    @pytest.mark.parametrize("header", ["soon", "Wed, 21 Oct 2015 07:28:00 +99999999999999", "1.5", ""])
    def test_with_a_wait_that_cannot_be_read_waits_as_it_would_without(self, header):
        waits = []
        outcome = run(
            document({"message": "no"}, "429 Too Many", f"Retry-After: {header}"),
            retries_before_first_byte=1,
            on_retry=lambda fault, seconds: waits.append((fault.kind, seconds)),
        )
        assert outcome.attempts == 2
        assert [kind for kind, _ in waits] == [ErrorKind.RATE_LIMITED]
        assert 0.4 <= waits[0][1] <= 0.6
        assert outcome.timings.waited_ms == pytest.approx(waits[0][1] * 1000, abs=150)

    def test_with_a_wait_obeys_it(self):
        answers = [document("", "429 Too Many", "Retry-After: 1"), head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            _, outcome = ask(endpoint.base_url)
        assert how(outcome) == OK
        assert outcome.http_status == 200
        assert outcome.attempts == 2
        assert 1000 <= outcome.timings.waited_ms < 1500
        assert outcome.timings.total_ms >= 1000
        # The wait is a number of its own: the times of the answer count from the last send.
        assert outcome.timings.ttft_ms < 500

    @pytest.mark.parametrize("headers", [[], ["Content-Encoding: gzip"]], ids=["plain", "bomb"])
    def test_reads_no_more_of_its_body_than_the_limit(self, headers):
        piece = gzip.compress(b"x" * 20_000_000) if headers else b"x" * 65536

        def play(connection, request):
            connection.sendall(head("500 Internal Server Error", *headers, content_type="text/plain"))
            with suppress(OSError):
                for _ in range(1 if headers else 1000):
                    connection.sendall(piece)
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, max_error_body_bytes=1000)
            assert time.monotonic() - started < 1
        assert (outcome.error_kind, len(outcome.raw_error)) == (ErrorKind.SERVER_ERROR, 1000)

    def test_whose_body_never_ends_is_told_in_time(self):
        def play(connection, request):
            connection.sendall(head("503 Overloaded", content_type="text/plain") + b"busy")
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, error_body_s=0.3)
            assert time.monotonic() - started < 0.3 + EDGES
        assert (outcome.error_kind, outcome.message) == (ErrorKind.OVERLOADED, "busy")


class TestARedirect:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_is_refused_and_its_target_never_called(self, status):
        with serve(head() + GOOD) as other:
            answer = document("", f"{status} Moved", f"Location: {other.base_url}/chat/completions")
            with serve(answer) as endpoint:
                _, outcome = ask(endpoint.base_url, key=ApiKey(KEY, endpoint.base_url))
            assert len(endpoint.requests) == 1
            assert other.requests == []
        assert how(outcome) == ("error", "redirect_refused", "")
        assert outcome.http_status == status

    def test_has_a_body_that_is_not_read(self):
        sent = []

        def play(connection, request):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            connection.sendall(head("307 Temporary Redirect", "Location: http://127.0.0.1:9/"))
            while True:
                sent.append(connection.send(b"x" * 65536))

        started = time.monotonic()
        with serve(play) as endpoint:
            ask(endpoint.base_url)
            assert time.monotonic() - started < 1
        assert sum(sent) < 16_000_000  # what fits in the buffers between two sockets


class TestWhatCannotBeReached:
    def test_is_told_with_its_port_and_tried_three_times(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        _, outcome = ask(f"http://127.0.0.1:{port}/v1")
        assert how(outcome) == ("error", "connect_refused", "")
        assert f"127.0.0.1:{port}" in outcome.message
        assert (outcome.http_status, outcome.attempts) == (None, 3)
        assert 1100 <= outcome.timings.waited_ms <= 2100

    def test_is_tried_three_times_when_it_hangs_up_without_a_byte(self):
        with serve(lambda connection, request: reset(connection)) as endpoint:
            _, outcome = ask(endpoint.base_url)
        assert how(outcome) == ("error", "reset", "")
        assert outcome.attempts == len(endpoint.requests) == 3

    def test_is_told_when_its_name_is_unknown(self, monkeypatch):
        def unknown(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        _, outcome = ask("http://no-such-host.example/v1", retries_before_first_byte=0)
        assert how(outcome) == ("error", "dns", "")
        assert "no-such-host.example" in outcome.message

    def test_is_given_up_after_the_connect_limit(self):
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            # A queue that is full drops the packets of whoever comes next.
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for waiting in (first, second):
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            started = time.monotonic()
            _, outcome = ask(f"http://127.0.0.1:{full.getsockname()[1]}/v1", connect_s=0.3, retries_before_first_byte=0)
            assert 0.3 <= time.monotonic() - started < 0.3 + EDGES
        assert how(outcome) == ("error", "connect_timeout", "")

    @pytest.mark.parametrize(
        "answer",
        [
            b"SSH-2.0-OpenSSH_9.2p1\r\n",
            head("200 OK", *(f"X-{number}: x" for number in range(5000))) + GOOD,
            head("200 OK", "X: " + "x" * 200_000) + GOOD,
        ],
        ids=["ssh", "header-bomb", "huge-header"],
    )
    def test_is_told_when_it_speaks_no_http(self, answer):
        outcome = run(answer)
        assert how(outcome) == ("error", "protocol", "")
        assert outcome.attempts == 1

    def test_is_told_when_it_speaks_no_tls(self):
        def play(connection, request):
            raise AssertionError("a TLS greeting is no request")

        with serve(play) as endpoint:
            _, outcome = ask(f"https://127.0.0.1:{endpoint.port}/v1", first_byte_s=0.3)
        assert how(outcome) == ("error", "first_byte_timeout", "")
        assert "may not speak TLS" in outcome.message
        assert outcome.attempts == 1


def dripping(first, piece, pause):
    """A play that sends ``first``, then ``piece`` again and again."""

    def play(connection, request):
        connection.sendall(first)
        while True:
            time.sleep(pause)
            connection.sendall(piece)

    return play


class TestTimeIsLimitedByTheWallClock:
    @pytest.mark.parametrize(
        ("play", "limit", "expected"),
        [
            (dripping(b"", b"", 0.05), {"first_byte_s": 0.3}, ("error", "first_byte_timeout", "")),
            (
                dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.05),
                {"first_byte_s": 0.3},
                ("error", "first_byte_timeout", ""),
            ),
            (
                dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
                {"first_byte_s": 0.3},
                ("error", "first_byte_timeout", ""),
            ),
            (dripping(head(), b"", 0.05), {"first_event_s": 0.3}, ("error", "first_event_timeout", "")),
            (dripping(head(), b": ping\n\n", 0.05), {"first_event_s": 0.3}, ("error", "first_event_timeout", "")),
            (dripping(head(), b"d", 0.05), {"first_event_s": 0.3}, ("error", "first_event_timeout", "")),
            (
                dripping(head(content_type="text/plain"), b"d", 0.05),
                {"first_event_s": 0.3},
                ("error", "first_event_timeout", ""),
            ),
            (
                dripping(head(content_type="application/json"), b" ", 0.05),
                {"first_event_s": 0.3},
                ("error", "first_event_timeout", ""),
            ),
            (dripping(after_hello(), b"", 0.05), {"idle_between_events_s": 0.3}, ("interrupted", "stall", "Hello")),
            (
                dripping(after_hello(), b": ping\n\n", 0.05),
                {"idle_between_events_s": 0.3},
                ("interrupted", "stall", "Hello"),
            ),
            (dripping(after_hello(), b"d", 0.05), {"idle_between_events_s": 0.3}, ("interrupted", "stall", "Hello")),
            (dripping(after_hello(), chunk(""), 0.05), {"total_s": 0.3}, ("interrupted", "deadline", "Hello")),
            (dripping(b"", b"", 0.05), {"total_s": 0.3}, ("error", "deadline", "")),
            (
                sending(document("", "429 Too Many", "Retry-After: 30")),
                {"total_s": 0.3},
                ("error", "deadline", ""),
            ),
        ],
        ids=[
            "silence", "header-drip", "interim-drip", "no-event", "comments-only", "byte-drip", "byte-drip-plain",
            "byte-drip-json", "stall", "comments-after-events", "drip-after-events", "endless", "total-before-headers",
            "total-in-a-wait",
        ],
    )  # fmt: skip
    def test_and_the_run_ends_soon_after(self, play, limit, expected):
        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, **limit)
            took = time.monotonic() - started
        assert how(outcome) == expected
        assert 0.3 <= took < 0.3 + EDGES
        assert outcome.message
        assert outcome.attempts == len(endpoint.requests) == 1

    def test_and_the_limit_of_the_first_event_counts_from_the_request(self):
        def play(connection, request):
            time.sleep(0.3)
            connection.sendall(head())
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, first_event_s=0.4)
            assert 0.4 <= time.monotonic() - started < 0.65
        assert how(outcome) == ("error", "first_event_timeout", "")

    def test_and_each_event_begins_the_idle_time_anew(self):
        with serve(sending(head(), *[chunk("x")] * 6, DONE, pause=0.1)) as endpoint:
            assert how(ask(endpoint.base_url, idle_between_events_s=0.3)[1]) == ("ok", None, "x" * 6)

    def test_and_an_answer_that_is_not_streamed_may_use_all_of_it(self):
        header, end, body = document(completion("Hello")).partition(b"\r\n\r\n")
        play = sending(b"", header + end, body, pause=0.2)
        limits = {"first_byte_s": 0.1, "first_event_s": 0.1, "idle_between_events_s": 0.1}
        assert how(run(play, streaming=False, **limits)) == OK


class TestSizeIsLimited:
    def test_of_one_event(self):
        for ending in (b"\n\n", b""):
            outcome = run(after_hello(b"data: " + b"x" * 100_000 + ending, chunk("never")), max_event_bytes=1000)
            assert how(outcome) == ("interrupted", "oversize_event", "Hello")

    def test_of_bytes_without_a_line_end(self):
        started = time.monotonic()
        outcome = run(dripping(head(), b"x" * 65536, 0))
        assert how(outcome) == ("error", "oversize_event", "")
        assert time.monotonic() - started < 2

    def test_of_an_event_that_was_small_while_compressed(self):
        body = gzip.compress(HELLO + b"data: " + b"x" * 50_000_000)
        outcome = run(head("200 OK", "Content-Encoding: gzip") + body)
        assert how(outcome) == ("interrupted", "oversize_event", "Hello")

    def test_of_the_whole_stream(self):
        outcome = run(dripping(head(), chunk("x"), 0), max_stream_bytes=10_000)
        assert (outcome.status, outcome.error_kind) == (Status.INTERRUPTED, ErrorKind.DEADLINE)
        assert "10,000 bytes" in outcome.message
        assert 0 < len(outcome.text) < 10_000

    def test_of_the_text(self):
        # What went over the limit has arrived too: events and outcome agree on it, which `ask` compares.
        outcome = run(head() + chunk("x" * 60) * 3 + DONE, max_text_chars=100)
        assert how(outcome) == ("interrupted", "deadline", "x" * 120)
        assert "100 characters" in outcome.message

    def test_of_the_text_in_one_document(self):
        outcome = run(document(completion("x" * 101)), max_text_chars=100)
        assert (outcome.status, outcome.error_kind) == (Status.INTERRUPTED, ErrorKind.DEADLINE)


class TestAStop:
    """``stop`` comes 0.2 s after the start, from another thread, in each phase of a run."""

    @pytest.mark.parametrize(
        ("first", "text"),
        [
            (b"", ""),
            (b"HTTP/1.1 200 OK\r\nX: ", ""),
            (head(), ""),
            (head() + b": ping\n\n", ""),
            (head(content_type="text/plain"), ""),
            (head(content_type="application/json") + b"{", ""),
            (after_hello(), "Hello"),
            (head("500 Internal Server Error") + b"some", ""),
        ],
        ids=["before-headers", "in-headers", "before-events", "comments", "sniffing", "in-json", "stall", "error-body"],
    )
    def test_keeps_the_text_that_arrived_and_hangs_up_at_once(self, first, text):
        def play(connection, request):
            connection.sendall(first)
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            outcome, stopped_at, ended_at = self.stopped(endpoint.base_url)
        assert how(outcome) == ("cancelled", "cancelled", text)
        assert outcome.message == "Stopped."
        assert ended_at - stopped_at < 0.3
        assert endpoint.closed_at[0] - stopped_at < 1

    def test_ends_a_flood(self):
        with serve(dripping(head(), chunk("x") * 100, 0)) as endpoint:
            outcome, stopped_at, ended_at = self.stopped(endpoint.base_url)
        assert (outcome.status, set(outcome.text)) == (Status.CANCELLED, {"x"})
        assert ended_at - stopped_at < 0.5

    def test_ends_the_wait_before_a_retry(self):
        with serve(document("", "429 Too Many", "Retry-After: 30")) as endpoint:
            outcome, stopped_at, ended_at = self.stopped(endpoint.base_url)
        assert how(outcome) == ("cancelled", "cancelled", "")
        assert ended_at - stopped_at < 0.3
        assert len(endpoint.requests) == 1

    def test_ends_a_tls_handshake(self):
        def play(connection, request):
            raise AssertionError("a TLS greeting is no request")

        with serve(play) as endpoint:
            outcome, stopped_at, ended_at = self.stopped(f"https://127.0.0.1:{endpoint.port}/v1")
        assert how(outcome) == ("cancelled", "cancelled", "")
        assert ended_at - stopped_at < 0.3

    def test_before_the_start_sends_nothing(self):
        with serve(head() + GOOD) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            stream.stop()
            assert list(stream) == []
        assert stream.outcome.status is Status.CANCELLED
        assert endpoint.requests == []

    def test_after_the_end_changes_nothing(self):
        with serve(head() + GOOD) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            list(stream)
            stream.stop()
        assert how(stream.outcome) == OK

    def test_is_what_leaving_the_iteration_is(self):
        def play(connection, request):
            connection.sendall(after_hello())
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            events = iter(stream)
            next(events)
            left_at = time.monotonic()
            events.close()
            assert how(stream.outcome) == ("cancelled", "cancelled", "Hel")
            while not endpoint.closed_at and time.monotonic() - left_at < 2:
                time.sleep(0.01)
        assert endpoint.closed_at[0] - left_at < 1

    def stopped(self, base_url):
        stream = AnswerStream(base_url, BODY, limits=Limits(**LIMITS | {"first_byte_s": 10}))
        moments = []

        def stop():
            moments.append(time.monotonic())
            stream.stop()

        timer = threading.Timer(0.2, stop)
        timer.start()
        list(stream)
        ended_at = time.monotonic()
        timer.join()
        return stream.outcome, moments[0], ended_at


def test_the_outcome_cannot_be_read_before_the_end():
    with serve(head() + GOOD) as endpoint:
        stream = AnswerStream(endpoint.base_url, BODY)
        with pytest.raises(RuntimeError, match="not ended"):
            _ = stream.outcome
        list(stream)


class TestWhatIsSent:
    def headers_of(self, request):
        lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        return lines[0], dict(line.split(": ", 1) for line in lines[1:])

    def test_is_the_body_and_these_headers_whatever_the_environment_says(self, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password secret\n")
        netrc.chmod(0o600)
        with serve(head() + GOOD) as proxy, serve(head() + GOOD) as endpoint:
            monkeypatch.setenv("NETRC", str(netrc))
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
            body = '{"model": "é"}'.encode()
            assert how(ask(endpoint.base_url, body=body)[1]) == OK
            assert how(ask(endpoint.base_url, body=body, key=ApiKey(KEY, endpoint.base_url))[1]) == OK
        assert proxy.requests == []
        expected = {
            "Host": f"127.0.0.1:{endpoint.port}",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "User-Agent": f"tempera/{__version__}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        without, with_key = endpoint.requests
        assert without.endswith(b"\r\n\r\n" + body)
        assert self.headers_of(without) == ("POST /v1/chat/completions HTTP/1.1", expected)
        assert self.headers_of(with_key)[1] == expected | {"Authorization": f"Bearer {KEY}"}

    def test_holds_no_cookie_that_an_endpoint_set(self):
        refused = document("", "429 Too Many", "Retry-After: 0", "Set-Cookie: a=b; Path=/")
        answers = [refused, head("200 OK", "Set-Cookie: c=d; Path=/") + GOOD, head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            for _ in range(2):
                assert how(ask(endpoint.base_url)[1]) == OK
        assert len(endpoint.requests) == 3
        assert not any(b"cookie" in request.lower() for request in endpoint.requests)

    @pytest.mark.parametrize("other", ["http://127.0.0.1:1/v1", "https://127.0.0.1/v1", "http://localhost/v1"])
    def test_is_nothing_when_the_key_belongs_to_another_address(self, other):
        with serve(head() + GOOD) as endpoint:
            _, outcome = ask(endpoint.base_url, key=ApiKey(KEY, other))
        assert how(outcome) == ("rejected", "policy_refused", "")
        assert endpoint.requests == []
        assert outcome.http_status is None


class TestTheKeyIsNowhereInWhatIsTold:
    @pytest.mark.parametrize(
        "answer",
        [
            document({"message": f"Wrong key {KEY}"}, "401 Unauthorized"),
            document({"detail": [{"loc": ["body", KEY], "msg": KEY}]}, "422 Unprocessable Entity"),
            document(f"<html>{KEY}</html>", content_type="text/html"),
            document({"error": KEY}),
            after_hello(event({"error": {"message": f"Wrong key {KEY}"}})),
            after_hello(f"event: error\ndata: {KEY}\n\n".encode()),
            after_hello(f"error: {KEY}\n\n".encode()),
            head("307 Temporary Redirect", f"Location: /?{KEY}"),
        ],
    )
    def test_though_the_endpoint_repeats_it(self, answer):
        with serve(answer) as endpoint:
            events, outcome = ask(endpoint.base_url, key=ApiKey(KEY, endpoint.base_url))
        assert KEY.encode() in endpoint.requests[0]
        assert outcome.error_kind
        assert KEY not in repr(outcome)
        assert KEY not in repr(events)

    def test_and_it_shows_itself_as_stars(self):
        key = ApiKey(KEY, "http://127.0.0.1/v1")
        assert [repr(key), str(key), f"{key}"] == ["***"] * 3


class TestTimings:
    def test_grow_from_the_first_byte_to_the_end(self):
        thinking = event({"choices": [{"delta": {"reasoning": "Hm."}}]})
        pieces = [head(), chunk(""), thinking, chunk("Hel"), chunk("lo"), chunk(finish="stop"), DONE]
        with serve(sending(*pieces, pause=0.05)) as endpoint:
            events, outcome = ask(endpoint.base_url)
        timings = outcome.timings
        moments = [
            0.0,
            timings.first_byte_ms,
            timings.first_event_ms,
            timings.reasoning_ms,
            timings.ttft_ms,
            timings.last_token_ms,
            timings.total_ms,
        ]
        assert all(later - earlier > 20 for earlier, later in pairwise(moments[1:]))
        assert moments == sorted(moments)
        assert timings.waited_ms == 0
        at = [each.at_ms for each in events]
        assert at == sorted(at)
        assert (at[0], at[2], at[3]) == (timings.first_event_ms, timings.ttft_ms, timings.last_token_ms)

    def test_are_those_of_the_last_attempt(self):
        def play(connection, request):
            if len(endpoint.requests) == 1:
                connection.sendall(document("", "429 Too Many", "Retry-After: 0"))
            else:
                reset(connection)

        with serve(play) as endpoint:
            _, outcome = ask(endpoint.base_url, retries_before_first_byte=1)
        assert (outcome.error_kind, outcome.http_status, outcome.attempts) == (ErrorKind.RESET, None, 2)
        assert outcome.timings.first_byte_ms is None

    def test_are_none_for_what_did_not_happen(self):
        timings = run(document("", "401 Unauthorized")).timings
        assert timings.first_byte_ms > 0
        assert (timings.first_event_ms, timings.reasoning_ms, timings.ttft_ms, timings.last_token_ms) == (None,) * 4

    @pytest.mark.parametrize(
        ("first", "frame"),
        [
            (head("200 OK", "Transfer-Encoding: chunked"), framed),
            (head("200 OK", "Connection: close"), bytes),
            (head().replace(b"HTTP/1.1", b"HTTP/1.0"), bytes),
            (head("200 OK", "Content-Length: 100000"), bytes),
            (head(content_type="text/plain"), bytes),
            (head("200 OK", "Content-Encoding: gzip"), None),
        ],
        ids=["chunked", "close-delimited", "http-1.0", "content-length", "text-plain", "gzip"],
    )
    def test_show_that_each_event_is_given_out_when_it_comes(self, first, frame):
        sent_at = []

        def play(connection, request):
            connection.sendall(first)
            compressor = gzip.zlib.compressobj(wbits=31)
            for _ in range(5):
                time.sleep(0.05)
                data = chunk("x")
                if frame is None:
                    data = compressor.compress(data) + compressor.flush(gzip.zlib.Z_SYNC_FLUSH)
                else:
                    data = frame(data)
                sent_at.append(time.monotonic())
                connection.sendall(data)

        with serve(play) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            came_at = [time.monotonic() for _ in stream]
        assert len(came_at) == 5
        late = [came - sent for came, sent in zip(came_at, sent_at, strict=True)]
        assert max(late) < 0.1


# Whatever comes, these end it soon.
SMALL = Limits(
    **LIMITS | {"total_s": 2, "first_event_s": 1, "idle_between_events_s": 1, "error_body_s": 0.5},
    max_event_bytes=200,
    max_stream_bytes=2000,
    max_text_chars=500,
    max_bad_events=5,
)
WITH_SOCKETS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
content_types = st.sampled_from(
    ["text/event-stream", "text/event-stream", "application/json", "text/plain", "text/html", None]
)
telling = st.sampled_from(
    [b"data:", b"data: {}", b"\n", b"\n\n", b"\r\n\r\n", b"[DONE]", b"error:", b"event: error", chunk("a"), chunk("b"),
     chunk(finish="stop"), DONE, b"\x00", b"\xff", b'{"choices": [{"message": {"content": "a"}}]}']
)  # fmt: skip


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


@pytest.fixture(scope="module")
def changing():
    """One endpoint for many examples; each sets its own play."""
    with serve(b"") as endpoint:
        yield endpoint


@pytest.fixture(scope="module", autouse=True)
def _before_threads_are_counted(changing):
    """The shared endpoint's own thread is there before and after each test."""


class TestWhateverComes:
    @WITH_SOCKETS
    @given(
        st.binary(max_size=300) | st.lists(telling, max_size=20).map(b"".join),
        st.lists(st.integers(0, 1000), max_size=4),
        content_types,
        st.sampled_from(["200 OK", "200 OK", "500 Error", "302 Found"]),
    )
    @example(chunk("a") + b"\xff", [3], "text/event-stream", "200 OK")
    def test_the_run_ends_with_a_status(self, changing, body, cuts, content_type, status):
        changing.play = sending(head(status, content_type=content_type), *cut(body, cuts))
        stream = AnswerStream(changing.base_url, BODY, limits=SMALL)
        events = list(stream)
        outcome = stream.outcome
        assert outcome.status in (Status.OK, Status.DAMAGED, Status.INTERRUPTED, Status.ERROR)
        assert (outcome.error_kind is None) == (outcome.status in (Status.OK, Status.DAMAGED))
        assert outcome.error_kind is not ErrorKind.INTERNAL
        given_out = "".join(delta.text for each in events for delta in each.deltas if delta.index == 0)
        assert given_out == outcome.text
        if outcome.status is Status.ERROR:
            assert outcome.text == ""

    @WITH_SOCKETS
    @given(
        st.lists(st.text(st.characters(exclude_characters="\x00"), max_size=8), min_size=1, max_size=6),
        st.sampled_from(["finish", "done", "both", "neither"]),
        st.sampled_from([b"\n", b"\r\n", b"\r"]),
        st.booleans(),
        st.data(),
    )
    def test_a_stream_cut_anywhere_gives_a_prefix_and_is_ok_only_with_proof(
        self, changing, pieces, ending, line_end, in_chunks, data
    ):
        finish = chunk(finish="stop") if ending in ("finish", "both") else b""
        done = DONE if ending in ("done", "both") else b""
        body = b"".join(chunk(piece) for piece in pieces) + finish + done
        body = body.replace(b"\n", line_end)
        place = data.draw(st.integers(0, len(body)), label="cut after so many bytes")
        # A CRLF's own LF is not needed: the CR has ended the event.
        arrived = body[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        proof = any(part and part.replace(line_end, b"\n") in arrived for part in (finish, done))
        if in_chunks:
            first = head("200 OK", "Transfer-Encoding: chunked")
            sent = framed(body[:place]) if place else b""
        else:
            first, sent = head("200 OK", f"Content-Length: {len(body)}"), body[:place]
        changing.play = sending(first + sent)
        stream = AnswerStream(changing.base_url, BODY, limits=Limits(**LIMITS))
        events = list(stream)
        outcome = stream.outcome
        text = safe_text("".join(pieces))
        assert text.startswith(outcome.text)
        assert "".join(delta.text for each in events for delta in each.deltas) == outcome.text
        assert (outcome.status is Status.OK) == (proof and text != "")
        if not proof:
            assert outcome.status is (Status.INTERRUPTED if outcome.text else Status.ERROR)


def test_many_runs_leave_no_thread_and_no_socket_behind():
    plays = [
        head() + GOOD,
        head() + HELLO,
        b"",
        document("", "500 Error"),
        head("307 Moved"),
        head("200 OK", "Content-Encoding: gzip") + GOOD,
        document("<html>", content_type="text/html"),
    ]
    order = random.Random(7)
    with serve(lambda connection, _: connection.sendall(order.choice(plays))) as endpoint:
        before = open_files()
        for _ in range(50):
            ask(endpoint.base_url, retries_before_first_byte=0)
            assert [thread.name for thread in threading.enumerate() if thread.name == "watch"] == []
        assert open_files() <= before + 2 + len(plays)


def open_files():
    return len(os.listdir("/dev/fd"))
