"""The reader against correct and faulty endpoints: the end of each run, without lost text."""

import gzip
import json
import socket
import threading
import time
from contextlib import suppress
from itertools import pairwise

import pytest

from components import __version__
from components.contract.chunk import Usage
from components.streaming import connections
from components.streaming.connect import connect
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.outcome import Retry, Status, ToolCall
from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from tests.waiting import wait_for

from .endpoint import DONE, chunk, document, event, framed, head, sending, serve

BODY = b'{"stream": true}'
KEY = "sk-canary-0123456789"
# Short enough for tests; each test shortens its own limit.
LIMITS = {"total_s": 10, "first_byte_s": 5, "first_event_s": 5, "idle_between_events_s": 5, "after_done_s": 0.1}
HELLO = chunk("Hel") + chunk("lo")
GOOD = HELLO + chunk(finish="stop") + DONE
FILTERED = {"filtered": True, "severity": "high"}
EDGES = 0.5
"""How much later than its limit a run may end, in seconds."""


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert {thread for thread in threading.enumerate() if thread.name != "watch"} <= before  # shared by all


def ask(base_url, *, body=BODY, key=None, streaming=True, on_retry=None, **limits):
    """The events and the outcome of one run, whose texts must agree."""
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
    """The outcome of a run against this play."""
    with serve(play) as endpoint:
        return ask(endpoint.base_url, **more)[1]


def after_hello(*pieces):
    """A stream with Hello before these pieces."""
    return head() + HELLO + b"".join(pieces)


def status_of(outcome):
    return outcome.status.value, outcome.error_kind and outcome.error_kind.value, outcome.text


OK = ("ok", None, "Hello")


class TestCompleteAnswer:
    def test_a_complete_stream_is_ok(self):
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        first = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        outcome = run(head() + first + HELLO + chunk(finish="stop", usage=usage) + DONE)
        assert status_of(outcome) == OK
        assert outcome.http_status == 200
        assert outcome.finish_reason == "stop"
        assert outcome.usage == Usage(3, 2, 5)
        assert outcome.served_model == "m"
        assert outcome.message is None
        assert outcome.raw_error is None
        assert (outcome.chunk_count, outcome.attempts, outcome.streamed, outcome.warnings) == (4, 1, True, ())

    def test_interleaved_choices_are_kept_apart(self):
        body = b"".join(chunk(text, index=index) for index, text in [(0, "a"), (1, "x"), (0, "b"), (1, "y")])
        outcome = run(head() + body + chunk(finish="stop") + chunk(finish="length", index=1))
        assert (outcome.status, outcome.texts) == (Status.OK, ("ab", "xy"))
        assert outcome.finish_reason == "stop"

    def test_reasoning_is_kept_apart(self):
        thinking = event({"choices": [{"delta": {"reasoning_content": "Hm."}}]})
        outcome = run(head() + thinking + GOOD)
        assert status_of(outcome) == OK
        assert outcome.reasoning == "Hm."
        assert outcome.timings.ttft_ms == outcome.timings.reasoning_ms <= outcome.timings.ttfo_ms

    @pytest.mark.parametrize("status", ["200 OK", "201 Created"])
    def test_one_json_document_is_read_with_a_warning(self, status):
        outcome = run(document(completion("Hello"), status))
        assert status_of(outcome) == OK
        assert not outcome.streamed
        assert outcome.timings.ttft_ms is None
        assert outcome.usage == Usage(1, 2, 3)
        assert outcome.warnings == ("the endpoint ignored stream=true and sent the whole answer at once",)

    def test_a_requested_json_document_is_read_without_a_warning(self):
        outcome = run(document(completion("Hello"), content_type="application/json; charset=utf-8"), streaming=False)
        assert status_of(outcome) == OK
        assert outcome.warnings == ()


def completion(text, finish="stop"):
    return {
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


class TestInterruptedAnswer:
    def test_too_many_unreadable_events_end_the_stream_and_keep_the_text(self):
        body = after_hello() + event("bad") * 4 + chunk(" more", finish="stop") + DONE
        assert status_of(run(body, max_bad_events=4)) == ("damaged", None, "Hello more")
        assert status_of(run(body, max_bad_events=3)) == ("interrupted", "unreadable_events", "Hello")

    def test_invalid_characters_in_names_are_replaced(self):
        outcome = run(head() + chunk("a", finish="sto\x00p\ud83d", model="m\x00\ude00") + DONE)
        assert (outcome.finish_reason, outcome.served_model) == ("sto�p�", "m��")


def reset(connection):
    """Close with a reset, which discards unread and unsent data."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


class TestEmptyAnswer:
    def test_a_page_instead_of_an_answer_is_kept_as_the_raw_error(self):
        outcome = run(document("<html>Log in</html>", content_type="text/html"))
        assert outcome.raw_error == "<html>Log in</html>"
        assert "text/html" in outcome.message


class TestErrorStatus:
    def test_a_validation_error_names_the_field(self):
        problem = {"type": "x", "loc": ["body", "temperature"], "msg": "too hot", "input": 2}
        outcome = run(document({"detail": [problem]}, "422 Unprocessable Entity"))
        assert outcome.message == "temperature: too hot"

    def test_an_html_error_is_shown_as_plain_text(self):
        page = "<html><script>alert(1)</script><h1>Bad Gateway</h1></html>"
        outcome = run(document(page, "501 Not Implemented", content_type="text/html"))
        assert (outcome.message, outcome.raw_error) == ("Bad Gateway", page)

    @pytest.mark.parametrize("header", ["soon", "Wed, 21 Oct 2015 07:28:00 +99999999999999", "-1.5", ""])
    def test_an_unreadable_retry_after_is_ignored(self, header):
        waits = []
        outcome = run(
            document({"message": "no"}, "429 Too Many", f"Retry-After: {header}"),
            retries_before_first_byte=1,
            on_retry=lambda fault, seconds: waits.append((fault.kind, seconds)),
        )
        assert outcome.attempts == 2
        assert [kind for kind, _ in waits] == [ErrorKind.RATE_LIMITED]
        assert 0.4 <= waits[0][1] <= 0.6
        assert outcome.timings.waited_ms >= waits[0][1] * 1000

    @pytest.mark.parametrize(("header", "seconds"), [("Retry-After: 0.15", 0.15), ("retry-after-ms: 150", 0.15)])
    def test_a_retry_after_of_less_than_a_second_is_obeyed(self, header, seconds):
        waits = []
        answers = [document({"message": "no"}, "429 Too Many", header), head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            _, outcome = ask(endpoint.base_url, on_retry=lambda fault, seconds: waits.append((fault.sentence, seconds)))
        assert status_of(outcome) == OK
        assert waits == [("no", seconds)]
        assert outcome.timings.waited_ms >= seconds * 1000

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html", "text/event-stream"])
    @pytest.mark.parametrize(
        "body", [b'\xef\xbb\xbf{"code": 7, "message": "Too busy."}', b'[{"error": {"message": "Too busy."}}]']
    )
    def test_an_error_with_status_200_is_reported(self, content_type, body):
        outcome = run(document(body, content_type=content_type))
        assert (outcome.error_kind, outcome.message) == (ErrorKind.SERVER_ERROR_EVENT, "Too busy.")

    @pytest.mark.clock
    def test_a_retry_after_is_obeyed(self):
        answers = [document("", "429 Too Many", "Retry-After: 1"), head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            _, outcome = ask(endpoint.base_url)
        assert status_of(outcome) == OK
        assert outcome.http_status == 200
        assert outcome.attempts == 2
        assert 1000 <= outcome.timings.waited_ms < 1500
        assert outcome.timings.total_ms >= 1000
        # The wait is separate: the times of the answer count from the last send.
        assert outcome.timings.ttft_ms < 500

    @pytest.mark.parametrize("headers", [[], ["Content-Encoding: gzip"]], ids=["plain", "bomb"])
    def test_an_error_body_is_read_up_to_the_limit(self, headers):
        piece = gzip.compress(b"x" * 20_000_000) if headers else b"x" * 65536

        def play(connection, request):
            connection.sendall(head("500 Internal Server Error", *headers, content_type="text/plain"))
            with suppress(OSError):
                for _ in range(1 if headers else 1000):
                    connection.sendall(piece)
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            _, outcome = ask(endpoint.base_url, max_error_body_bytes=1000)
            wait_for(lambda: endpoint.closed_at)
        assert (outcome.error_kind, len(outcome.raw_error)) == (ErrorKind.SERVER_ERROR, 1000)

    @pytest.mark.clock
    def test_an_error_with_an_endless_body_is_reported_in_time(self):
        def play(connection, request):
            connection.sendall(head("503 Overloaded", content_type="text/plain") + b"busy")
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, error_body_s=0.3)
            assert time.monotonic() - started < 0.3 + EDGES
        assert (outcome.error_kind, outcome.message) == (ErrorKind.OVERLOADED, "busy")


class TestRedirect:
    def test_the_body_of_a_redirect_is_not_read(self):
        sent = []

        def play(connection, request):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            connection.sendall(head("307 Temporary Redirect", "Location: http://127.0.0.1:9/"))
            while True:
                sent.append(connection.send(b"x" * 65536))

        with serve(play) as endpoint:
            ask(endpoint.base_url)
        assert sum(sent) < 16_000_000  # the capacity of the buffers between two sockets


class TestUnreachableEndpoint:
    @pytest.mark.clock
    def test_a_closed_port_is_reported_after_three_attempts(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        _, outcome = ask(f"http://127.0.0.1:{port}/v1", backoff_s=0.1)
        assert status_of(outcome) == ("error", "connect_refused", "")
        assert f"127.0.0.1:{port}" in outcome.message
        assert (outcome.http_status, outcome.attempts) == (None, 3)
        # A tenth of a second and two tenths, give or take a fifth.
        assert 240 <= outcome.timings.waited_ms <= 460


def dripping(first, piece, pause):
    """A play that sends ``first``, then ``piece`` again and again."""

    def play(connection, request):
        connection.sendall(first)
        while True:
            time.sleep(pause)
            connection.sendall(piece)

    return play


class TestTimeLimits:
    @pytest.mark.clock
    def test_the_limit_of_the_first_event_counts_from_the_request(self):
        def play(connection, request):
            time.sleep(0.3)
            connection.sendall(head())
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            started = time.monotonic()
            _, outcome = ask(endpoint.base_url, first_event_s=0.4)
            assert 0.4 <= time.monotonic() - started < 0.65
        assert status_of(outcome) == ("error", "first_event_timeout", "")

    @pytest.mark.clock
    def test_each_event_restarts_the_idle_time(self):
        with serve(sending(head(), *[chunk("x")] * 6, DONE, pause=0.1)) as endpoint:
            assert status_of(ask(endpoint.base_url, idle_between_events_s=0.3)[1]) == ("ok", None, "x" * 6)

    @pytest.mark.clock
    def test_an_answer_without_streaming_may_use_the_total_time(self):
        header, end, body = document(completion("Hello")).partition(b"\r\n\r\n")
        play = sending(b"", header + end, body, pause=0.2)
        limits = {"first_byte_s": 0.1, "first_event_s": 0.1, "idle_between_events_s": 0.1}
        assert status_of(run(play, streaming=False, **limits)) == OK


class TestSizeLimits:
    def test_the_size_of_a_stream_is_limited(self):
        outcome = run(dripping(head(), chunk("x"), 0), max_stream_bytes=10_000)
        assert (outcome.status, outcome.error_kind) == (Status.INTERRUPTED, ErrorKind.DEADLINE)
        assert "10,000 bytes" in outcome.message
        assert 0 < len(outcome.text) < 10_000

    def test_the_size_of_the_text_is_limited(self):
        # The text beyond the limit has arrived as well; `ask` compares events and outcome.
        outcome = run(head() + chunk("x" * 60) * 3 + DONE, max_text_chars=100)
        assert status_of(outcome) == ("interrupted", "deadline", "x" * 120)
        assert "100 characters" in outcome.message

    def test_the_size_of_the_text_in_one_document_is_limited(self):
        outcome = run(document(completion("x" * 101)), max_text_chars=100)
        assert (outcome.status, outcome.error_kind) == (Status.INTERRUPTED, ErrorKind.DEADLINE)


class TestStop:
    def test_a_stop_before_the_start_sends_nothing(self):
        with serve(head() + GOOD) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            stream.stop()
            assert list(stream) == []
        assert stream.outcome.status is Status.CANCELLED
        assert endpoint.requests == []

    def test_a_stop_after_the_end_changes_nothing(self):
        with serve(head() + GOOD) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            list(stream)
            stream.stop()
        assert status_of(stream.outcome) == OK

    def test_closing_the_iterator_stops_the_stream(self):
        def play(connection, request):
            connection.sendall(after_hello())
            endpoint.until_closed(connection)

        with serve(play) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            events = iter(stream)
            next(events)
            events.close()
            assert status_of(stream.outcome) == ("cancelled", "cancelled", "Hel")
            wait_for(lambda: endpoint.closed_at)


class TestRetry:
    def test_the_outcome_lists_the_failed_attempts(self):
        answers = [document("", "503 Loading", "Retry-After: 0"), b"", head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            _, outcome = ask(endpoint.base_url, backoff_s=0.01)
        first, second = outcome.retries
        assert (first, outcome.attempts) == (Retry(ErrorKind.OVERLOADED, 503, 0), 3)
        assert (second.kind, second.http_status) == (ErrorKind.RESET, None)
        assert second.wait_ms == pytest.approx(20, rel=0.21)

    def test_there_is_no_retry_after_the_first_byte(self):
        for beginning in (b"H", b"HTTP/1.1 200 OK\r\n", head()):

            def play(connection, request, beginning=beginning):
                connection.sendall(beginning)
                time.sleep(0.05)
                reset(connection)

            with serve(play) as endpoint:
                _, outcome = ask(endpoint.base_url)
            assert (outcome.error_kind, len(endpoint.requests)) == (ErrorKind.RESET, 1)


class TestNameLookup:
    """The resolver cannot be interrupted."""

    @pytest.mark.clock
    def test_a_slow_lookup_is_abandoned_at_its_limit(self, monkeypatch):
        over = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
        started = time.monotonic()
        _, outcome = ask("http://slow.example/v1", connect_s=0.2, retries_before_first_byte=0)
        assert time.monotonic() - started < 0.2 + EDGES
        assert status_of(outcome) == ("error", "dns", "")
        assert "slow.example was not found within 0.2 s" in outcome.message
        over.set()
        for thread in threading.enumerate():
            if thread.name == "look up a host":
                thread.join()

    def test_a_lookup_without_an_address_is_reported(self, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        _, outcome = ask("http://empty.example/v1", retries_before_first_byte=0)
        assert status_of(outcome) == ("error", "dns", "")


def test_tool_calls_are_joined_and_kept_as_text():
    def piece(**call):
        return event({"choices": [{"delta": {"tool_calls": [call]}}]})

    outcome = run(
        head()
        + piece(index=0, id="c1", function={"name": "look", "arguments": '{"a"'})
        + piece(index=1, id="c2", function={"name": "find", "arguments": "{nope"})
        + piece(index=0, function={"arguments": ": \x001}"})
        + chunk(finish="tool_calls")
    )
    assert status_of(outcome) == ("ok", None, "")
    assert outcome.tool_calls == (ToolCall("c1", "look", '{"a": \ufffd1}'), ToolCall("c2", "find", "{nope"))


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ((), None),
        (("X-Request-ID: r-1",), "r-1"),
        (("cf-ray: c", "apim-request-id: a"), "a"),
        (("request-id: ", "x-amzn-RequestId: r-1"), "r-1"),
        ((f"x-request-id: {KEY}\x1b[2J",), "*** [2J"),
        ((f"x-request-id: {'x' * 999}",), "x" * 199 + "…"),
    ],
)
def test_the_request_id_of_the_endpoint_is_kept(headers, request_id):
    for answer in (head("200 OK", *headers) + GOOD, document("", "401 Unauthorized", *headers)):
        with serve(answer) as endpoint:
            assert ask(endpoint.base_url, key=ApiKey(KEY, endpoint.base_url))[1].request_id == request_id


def test_the_served_model_and_configuration_are_in_the_outcome():
    outcome = run(
        head() + chunk("Hello", model="m", system_fingerprint="fp_\ud83d") + chunk(finish="stop", model="m-1")
    )
    assert (outcome.served_model, outcome.system_fingerprint) == ("m-1", "fp_\ufffd")


def test_several_requested_choices_keep_their_indexes():
    body = head() + chunk("a") + chunk("b", index=1) + chunk("c", index=2) + DONE
    assert run(body, body=b'{"n": 3}').texts == ("a", "b", "c")
    assert run(body, body=b'{"n": 1}').texts == ("abc",)
    assert run(body, body=b'{"n": "3"}').texts == ("abc",)
    assert run(body, body=b'"n" {').texts == ("abc",)


@pytest.mark.parametrize("cut", [b"", event({"error": "no"})], ids=["cut", "error"])
def test_held_choices_are_released_when_the_stream_breaks(cut):
    for pieces in ([chunk("1"), chunk("10")], [chunk("1"), chunk("10", index=1)]):
        assert run(head() + b"".join(pieces) + cut).text == "110"


@pytest.mark.parametrize(
    "body",
    [
        b"\n".join(line for line in GOOD.splitlines() if line) + b"\n",
        GOOD.replace(b"}\n\ndata: [DONE]", b"}\ndata: [DONE]"),
        GOOD.replace(b"data: ", b"data: data: "),
    ],
    ids=["no blank lines", "none before the last", "data twice"],
)
def test_events_without_a_blank_line_are_separated(body):
    answer = head("200 OK", f"Content-Length: {len(body)}") + body
    assert status_of(run(answer)) == OK


@pytest.mark.parametrize(
    ("content", "api", "base_url_end"),
    [
        ({"type": "response.created", "response": {"id": "r", "output": []}}, "the Responses API", "/v1"),
        ({"id": "r", "object": "response", "output": [{"type": "message"}]}, "the Responses API", "/v1"),
        ({"type": "message_start", "message": {"content": []}}, "Anthropic's Messages API", "/v1"),
        ({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}, "Anthropic's Messages API", "/v1"),
        ({"message": {"content": "Hi"}, "done": False}, "Ollama's own API", "/v1"),
        ({"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}, "Gemini's own API", "/v1beta/openai"),
    ],
)
def test_an_answer_of_another_api_is_named_with_the_base_url_to_set(content, api, base_url_end):
    lines = (json.dumps(content) + "\n").encode() + b'{"more": 1}\n'
    for answer in (
        head() + event(content) + event({"more": 1}),
        document(content),
        document(lines, content_type="a/ndjson"),
    ):
        outcome = run(answer)
        assert (outcome.status, outcome.error_kind) == (Status.ERROR, ErrorKind.NOT_SSE)
        assert api in outcome.message
        assert outcome.message.endswith(f"usually ends in {base_url_end}.")


@pytest.mark.parametrize(
    "events",
    [
        chunk(finish="refusal"),
        event({"choices": [{"delta": {}, "finish_reason": "stop", "content_filter_results": {"hate": FILTERED}}]}),
        event({"choices": [], "prompt_filter_results": [{"content_filter_results": {"hate": FILTERED}}]})
        + chunk(finish="stop"),
    ],
    ids=["refusal", "in the choice", "of the prompt"],
)
def test_a_content_filter_explains_an_empty_answer_in_every_place(events):
    outcome = run(head() + events + DONE)
    assert (outcome.status, outcome.error_kind) == (Status.ERROR, ErrorKind.EMPTY_ANSWER)
    assert "content filter" in outcome.message


def test_an_error_in_a_list_among_the_events_is_reported():
    outcome = run(head() + event([{"error": {"code": 400, "message": "The key is not valid."}}]) + DONE)
    assert (outcome.error_kind, outcome.message) == (ErrorKind.SERVER_ERROR_EVENT, "The key is not valid.")


def test_the_outcome_cannot_be_read_before_the_end():
    with serve(head() + GOOD) as endpoint:
        stream = AnswerStream(endpoint.base_url, BODY)
        with pytest.raises(RuntimeError, match="not ended"):
            _ = stream.outcome
        list(stream)


class TestRequest:
    def headers_of(self, request):
        lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        return lines[0], dict(line.split(": ", 1) for line in lines[1:])

    def test_only_the_body_and_these_headers_are_sent_in_any_environment(self, monkeypatch, tmp_path):
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
            assert status_of(ask(endpoint.base_url, body=body)[1]) == OK
            assert status_of(ask(endpoint.base_url, body=body, key=ApiKey(KEY, endpoint.base_url))[1]) == OK
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

    def test_cookies_of_an_endpoint_are_not_sent_back(self):
        refused = document("", "429 Too Many", "Retry-After: 0", "Set-Cookie: a=b; Path=/")
        answers = [refused, head("200 OK", "Set-Cookie: c=d; Path=/") + GOOD, head() + GOOD]
        with serve(lambda connection, _: connection.sendall(answers.pop(0))) as endpoint:
            for _ in range(2):
                assert status_of(ask(endpoint.base_url)[1]) == OK
        assert len(endpoint.requests) == 3
        assert not any(b"cookie" in request.lower() for request in endpoint.requests)

    @pytest.mark.parametrize("other", ["http://127.0.0.1:1/v1", "https://127.0.0.1/v1", "http://localhost/v1"])
    def test_nothing_is_sent_when_the_key_belongs_to_another_address(self, other):
        with serve(head() + GOOD) as endpoint:
            _, outcome = ask(endpoint.base_url, key=ApiKey(KEY, other))
        assert status_of(outcome) == ("rejected", "policy_refused", "")
        assert endpoint.requests == []
        assert outcome.http_status is None


class TestKeyIsMasked:
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
    def test_a_key_repeated_by_the_endpoint_is_masked(self, answer):
        with serve(answer) as endpoint:
            events, outcome = ask(endpoint.base_url, key=ApiKey(KEY, endpoint.base_url))
        assert KEY.encode() in endpoint.requests[0]
        assert outcome.error_kind
        assert KEY not in repr(outcome)
        assert KEY not in repr(events)

    @pytest.mark.parametrize("size", range(1, len(KEY) + 1))
    def test_a_key_cut_by_a_limit_is_masked(self, size):
        answer = document("x" * 100 + KEY, "500 Error", content_type="text/plain")
        with serve(answer) as endpoint:
            key = ApiKey(KEY, endpoint.base_url)
            _, outcome = ask(endpoint.base_url, key=key, max_error_body_bytes=100 + size)
        assert outcome.raw_error == outcome.message == "x" * 100 + "***"

    def test_a_key_is_shown_as_stars(self):
        key = ApiKey(KEY, "http://127.0.0.1/v1")
        assert [repr(key), str(key), f"{key}"] == ["***"] * 3


class TestTimings:
    @pytest.mark.clock
    def test_the_time_to_connect_is_reported_separately(self, monkeypatch):
        def slowly(*arguments):
            time.sleep(0.3)
            return connect(*arguments)

        monkeypatch.setattr(connections, "connect", slowly)
        with serve(head() + chunk("Hello", "stop") + DONE) as endpoint:
            _, outcome = ask(endpoint.base_url)
        timings = outcome.timings
        assert timings.connect_ms >= 300
        assert timings.ttft_ms < 250
        assert timings.total_ms >= timings.connect_ms + timings.ttft_ms

    def test_a_failed_connection_has_no_time_to_connect(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        _, outcome = ask(f"http://127.0.0.1:{port}/v1", retries_before_first_byte=0)
        assert outcome.timings.connect_ms is None

    @pytest.mark.clock
    def test_timings_increase_from_the_first_byte_to_the_end(self):
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
            timings.ttfo_ms,
            timings.last_token_ms,
            timings.total_ms,
        ]
        assert timings.ttft_ms == timings.reasoning_ms
        assert all(later - earlier > 20 for earlier, later in pairwise(moments[1:]))
        assert timings.waited_ms == 0
        at = [each.at_ms for each in events]
        assert at == sorted(at)
        assert (at[0], at[2], at[3]) == (timings.first_event_ms, timings.ttfo_ms, timings.last_token_ms)

    def test_timings_are_those_of_the_last_attempt(self):
        def play(connection, request):
            if len(endpoint.requests) == 1:
                connection.sendall(document("", "429 Too Many", "Retry-After: 0"))
            else:
                reset(connection)

        with serve(play) as endpoint:
            _, outcome = ask(endpoint.base_url, retries_before_first_byte=1)
        assert (outcome.error_kind, outcome.http_status, outcome.attempts) == (ErrorKind.RESET, None, 2)
        assert outcome.timings.first_byte_ms is None

    @pytest.mark.parametrize(
        ("headers", "queued_ms"),
        [
            ((), None),
            (("Server-Timing: total;dur=9",), None),
            (("Server-Timing: queue;dur=12.5",), 12.5),
            (("Server-Timing: total;dur=9", "Server-Timing: queue;dur=12.5"), 12.5),
        ],
        ids=["no-header", "other-metric", "queue", "two-headers"],
    )
    def test_the_reported_queue_time_is_included(self, headers, queued_ms):
        assert run(head("200 OK", *headers) + GOOD).timings.queued_ms == queued_ms
        refused = run(document("", "401 Unauthorized", *headers))
        assert (refused.http_status, refused.timings.queued_ms) == (401, queued_ms)

    @pytest.mark.parametrize(
        ("answered", "queued_ms"),
        [(head("200 OK", "Server-Timing: queue;dur=2") + GOOD, 2.0), (head() + GOOD, None), (None, None)],
        ids=["reported", "not-reported", "no-answer"],
    )
    def test_the_queue_time_of_a_failed_attempt_is_not_included(self, answered, queued_ms):
        def play(connection, request):
            if len(endpoint.requests) == 1:
                connection.sendall(document("", "429 Too Many", "Retry-After: 0", "Server-Timing: queue;dur=900"))
            elif answered is None:
                reset(connection)
            else:
                connection.sendall(answered)

        with serve(play) as endpoint:
            _, outcome = ask(endpoint.base_url, retries_before_first_byte=1)
        assert (outcome.attempts, outcome.timings.queued_ms) == (2, queued_ms)

    def test_timings_of_events_that_did_not_happen_are_none(self):
        timings = run(document("", "401 Unauthorized")).timings
        assert timings.first_byte_ms > 0
        assert (timings.first_event_ms, timings.reasoning_ms, timings.ttft_ms, timings.ttfo_ms) == (None,) * 4
        assert (timings.last_token_ms, timings.gap_p50_ms, timings.gap_count) == (None, None, 0)

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
    def test_each_event_is_passed_on_when_it_arrives(self, first, frame):
        taken = threading.Semaphore(1)

        def play(connection, request):
            connection.sendall(first)
            compressor = gzip.zlib.compressobj(wbits=31)
            for _ in range(5):
                # The next event is sent after the previous one was passed on, so none may wait for another.
                if not taken.acquire(timeout=20):
                    return
                data = chunk("x")
                if frame is None:
                    data = compressor.compress(data) + compressor.flush(gzip.zlib.Z_SYNC_FLUSH)
                else:
                    data = frame(data)
                connection.sendall(data)

        with serve(play) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            came = 0
            for _ in stream:
                came += 1
                taken.release()
        assert came == 5

    def test_give_the_same_moment_to_all_chunks_of_one_read(self):
        body = b"".join(map(framed, [chunk("a"), chunk("b"), chunk("c", "stop"), b""]))
        timings = run(head("200 OK", "Transfer-Encoding: chunked") + body).timings
        assert (timings.token_chunks, timings.gap_count) == (3, 0)

    def test_of_a_chunk_do_not_wait_for_its_line_end(self):
        taken = threading.Event()

        def play(connection, request):
            connection.sendall(head("200 OK", "Transfer-Encoding: chunked") + framed(chunk("a")).removesuffix(b"\r\n"))
            assert taken.wait(20)
            connection.sendall(b"\r\n" + framed(chunk("b", "stop")) + framed(b""))

        with serve(play) as endpoint:
            stream = AnswerStream(endpoint.base_url, BODY, limits=Limits(**LIMITS))
            for _ in stream:
                taken.set()
        assert stream.outcome.text == "ab"


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_chunked_body_is_read_alike_wherever_its_packets_end(cut):
    chunks = [chunk("a"), chunk("é 🐙")[:30], chunk("é 🐙")[30:], chunk("c", "stop"), event("[DONE]")]
    body = b"".join(map(framed, chunks)).replace(b"\r\n", b";name=value\r\n", 1) + framed(b"")
    whole = head("200 OK", "Transfer-Encoding: chunked") + body
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    with serve(sending(*pieces, pause=0.001)) as endpoint:
        events, outcome = ask(endpoint.base_url)
    assert (outcome.status, outcome.text, len(events)) == (Status.OK, "aé 🐙c", 4)
