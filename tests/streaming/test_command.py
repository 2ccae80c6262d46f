"""``python -m components.streaming``: the reader as a command."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

from components.streaming.__main__ import main

from .endpoint import DONE, chunk, document, event, head, serve

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "é"}], "max_tokens": None, "stream": True}
KEY = "sk-canary-0123456789"
LAST = ["status", "error_kind", "http_status", "finish_reason", "text", "usage", "ttft_ms", "total_ms"]
REPORTED = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1},
}
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "cached_tokens": 1,
    "reasoning_tokens": None,
}
GOOD = head() + chunk("Hel") + chunk("lo") + chunk(finish="stop", usage=REPORTED) + DONE


def command(base_url, *arguments, request=REQUEST, key=None):
    """The exit code, the lines of standard output as objects, and standard error."""
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.delenv("TEMPERA_API_KEY", raising=False)
        if key is not None:
            patch.setenv("TEMPERA_API_KEY", key)
        patch.setattr(sys, "argv", ["components.streaming", "--base-url", base_url, *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def command_of_its_own(base_url, *arguments, request=REQUEST):
    """The same for a separate process, as from a terminal."""
    finished = subprocess.run(
        [sys.executable, "-m", "components.streaming", "--base-url", base_url, *arguments],
        input=json.dumps(request).encode(),
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "TEMPERA_API_KEY"},
        timeout=60,
        check=False,
    )
    lines = [json.loads(line) for line in finished.stdout.decode().splitlines()]
    return finished.returncode, lines, finished.stderr.decode()


def test_each_delta_is_a_line_and_the_last_line_is_the_outcome():
    with serve(GOOD) as endpoint:
        code, lines, errors = command_of_its_own(endpoint.base_url)
    *deltas, last = lines
    assert (code, errors) == (0, "")
    assert [(line["index"], line["text"], line["reasoning"]) for line in deltas] == [(0, "Hel", ""), (0, "lo", "")]
    assert all(line["at_ms"] > 0 for line in deltas)
    assert [last[name] for name in LAST[:6]] == ["ok", None, 200, "stop", "Hello", USAGE]
    assert 0 < last["ttft_ms"] == last["ttfo_ms"] <= last["total_ms"]
    assert (last["reasoning"], last["tool_calls"]) == ("", [])
    assert {"tokens_per_second", "rate_basis", "gap_p50_ms", "gap_p95_ms", "gap_max_ms", "gap_count"} <= last.keys()


def test_the_printed_request_has_no_key():
    with serve(GOOD) as endpoint:
        command(endpoint.base_url)
    (request,) = endpoint.requests
    header, _, body = request.partition(b"\r\n\r\n")
    assert json.loads(body) == REQUEST
    assert b"authorization" not in header.lower()


def test_raw_prints_each_event_unchanged():
    with serve(head() + chunk("Hello") + event("not json") + b"event: note\ndata: {}\n\n" + DONE) as endpoint:
        code, lines, _ = command(endpoint.base_url, "--raw")
    *events, last = lines
    assert [(line["event"], line["data"]) for line in events] == [
        ("message", chunk("Hello").decode().removeprefix("data: ").strip()),
        ("message", "not json"),
        ("note", "{}"),
        ("message", "[DONE]"),
    ]
    assert all(set(line) == {"event", "data", "at_ms"} for line in events)
    assert (code, last["status"], last["text"]) == (1, "damaged", "Hello")


def test_text_of_any_kind_arrives_on_any_terminal():
    with serve(head() + chunk("é\u2028\ud83d") + chunk("\ude00\x00\x1b[2J") + DONE) as endpoint:
        _, lines, _ = command_of_its_own(endpoint.base_url)
    assert lines[-1]["text"] == "é\u2028😀�\x1b[2J"


def test_an_error_is_reported_in_the_last_line_and_by_the_exit_code():
    with serve(document({"message": f"No such key: {KEY}"}, "401 Unauthorized")) as endpoint:
        code, lines, _ = command(endpoint.base_url, key=KEY)
    assert code == 1
    assert len(lines) == 1
    assert [lines[0][name] for name in LAST[:7]] == ["error", "auth", 401, None, "", None, None]
    assert lines[0]["message"] == "No such key: ***"


def test_the_key_comes_from_the_environment():
    with serve(GOOD) as endpoint:
        code, lines, errors = command(endpoint.base_url, key=f" {KEY}\n")
    assert code == 0
    assert f"\r\nAuthorization: Bearer {KEY}\r\n".encode() in endpoint.requests[0]
    assert KEY not in errors + json.dumps(lines)


def test_limits_can_be_given():
    def play(connection, request):
        connection.sendall(head() + chunk("Hello"))
        endpoint.until_closed(connection)

    with serve(play) as endpoint:
        code, lines, _ = command(endpoint.base_url, "--limits", '{"idle_between_events_s": 0.2}')
    assert code == 1
    assert (lines[-1]["status"], lines[-1]["error_kind"], lines[-1]["text"]) == ("interrupted", "stall", "Hello")


def test_the_dialect_determines_the_names_of_keys():
    with serve(GOOD) as endpoint:
        command(endpoint.base_url, "--dialect", "openai", request=REQUEST | {"random_seed": 7})
    sent = json.loads(endpoint.requests[0].partition(b"\r\n\r\n")[2])
    assert (sent["seed"], sent["stream_options"]) == (7, {"include_usage": True})
    assert "random_seed" not in sent


def test_json_that_is_not_a_request_is_sent_unchanged():
    given = b'{"model":"m",  "surprise": 1}'
    with serve(GOOD) as endpoint:
        code, _, errors = command(endpoint.base_url, request=given)
    assert code == 0
    assert endpoint.requests[0].endswith(b"\r\n\r\n" + given)
    assert "Sent unchanged" in errors


def test_an_answer_in_one_document_can_be_requested():
    answer = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    with serve(document(answer)) as endpoint:
        code, lines, _ = command(endpoint.base_url, request=REQUEST | {"stream": False})
    assert (code, lines[-1]["text"], lines[-1]["ttft_ms"], lines[-1]["warnings"]) == (0, "Hello", None, [])
    assert json.loads(endpoint.requests[0].partition(b"\r\n\r\n")[2])["stream"] is False


def test_every_choice_is_in_the_last_line_when_there_are_several():
    with serve(head() + chunk("a") + chunk("b", index=1) + DONE) as endpoint:
        _, lines, _ = command(endpoint.base_url, request=REQUEST | {"n": 2})
    assert lines[-1]["texts"] == ["a", "b"]


def test_the_last_line_has_reasoning_tool_calls_and_the_endpoints_version():
    call = {"index": 0, "id": "c", "function": {"name": "look", "arguments": "{}"}}
    thought = event({"choices": [{"delta": {"reasoning": "Hm.", "tool_calls": [call]}}]})
    with serve(
        head("200 OK", "X-Request-Id: r-1") + thought + chunk(finish="stop", system_fingerprint="fp")
    ) as endpoint:
        _, lines, _ = command(endpoint.base_url)
    last = lines[-1]
    assert (last["reasoning"], last["tool_calls"]) == ("Hm.", [{"id": "c", "name": "look", "arguments": "{}"}])
    assert (last["model"], last["system_fingerprint"], last["request_id"]) == ("m", "fp", "r-1")
    assert last["rate_basis"] == "the endpoint reported no completion tokens"


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        (["--limits", "{"], {}, "--limits must hold a JSON object"),
        (["--limits", "[]"], {}, "--limits must hold a JSON object."),
        (["--limits", '{"patience_s": 1}'], {}, "There is no limit 'patience_s'. The limits are: connect_s, "),
        (["--limits", '{"total_s": -1}'], {}, "The limit total_s must be a number from 0 to 1,000,000,000, not -1."),
        (["--limits", '{"total_s": "1"}'], {}, "The limit total_s must be a number"),
        (["--limits", '{"total_s": true}'], {}, "The limit total_s must be a number"),
        (["--limits", '{"total_s": NaN}'], {}, "The limit total_s must be a number"),
        (["--limits", '{"total_s": Infinity}'], {}, "The limit total_s must be a number"),
        (["--dialect", "klingon"], {}, "invalid choice: 'klingon'"),
        (["--base-url", "ftp://host/v1"], {}, "must begin with http:// or https://"),
        (["--base-url", "http://me:secret@host/v1"], {}, "must not hold a user name"),
        ([], {"request": b""}, "Standard input must hold a JSON object"),
        ([], {"request": b"[]"}, "Standard input must hold a JSON object."),
        ([], {"request": b'{"a": "\xff"}'}, "utf-8"),
        ([], {"key": "two words"}, "The key holds a blank"),
    ],
)
def test_invalid_arguments_exit_with_2_and_send_nothing(arguments, more, sentence):
    with serve(GOOD) as endpoint:
        code, lines, errors = command(endpoint.base_url, *arguments, **more)
    assert (code, lines) == (2, [])
    assert sentence in errors
    assert "Traceback" not in errors
    assert endpoint.requests == []
