from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from components.endpoints.endpoint import Address
from components.endpoints.health import EndpointHealth, HealthChecks, HealthVerdict, check
from components.endpoints.models import ModelCard
from components.streaming.session import ApiKey
from tests.streaming.endpoint import document, head, sending, serve
from tests.waiting import wait_for

CANARY = "canary-key-5"
MODELS = document({"data": [{"id": "alpha", "max_context_length": 4096}]})


def with_key(base_url: str) -> Address:
    return Address(base_url, ApiKey(CANARY, base_url))


def test_an_answering_endpoint_is_timed_and_its_models_are_listed() -> None:
    def slowly(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.05)
        sending(MODELS)(connection, request)

    with serve(slowly) as server:
        before = datetime.now(UTC)
        health = check(with_key(server.base_url))
        assert (health.verdict, health.problem) == (HealthVerdict.ANSWERS, None)
        assert health.models == (ModelCard("alpha", 4096),)
        assert health.milliseconds >= 50
        assert before <= health.checked_at <= datetime.now(UTC)
        assert f"Authorization: Bearer {CANARY}".encode() in server.requests[0]


def test_a_refused_connection_is_no_answer_and_has_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    health = check(with_key(f"http://127.0.0.1:{port}/v1"))
    assert (health.verdict, health.milliseconds) == (HealthVerdict.DOES_NOT_ANSWER, None)
    assert "nothing listens there" in health.problem


def test_a_silent_endpoint_times_out() -> None:
    with serve(lambda connection, request: server.until_closed(connection, request)) as server:
        health = check(Address(server.base_url), within_s=0.1)
    assert health.verdict is HealthVerdict.DOES_NOT_ANSWER
    assert health.problem == "It did not list its models within 0.1 s."


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_key_is_distinguished_from_a_missing_one(status: str) -> None:
    with serve(document({"detail": f"Not this one: {CANARY}"}, status)) as server:
        refused, missing = check(with_key(server.base_url)), check(Address(server.base_url))
    assert (refused.verdict, refused.problem) == (HealthVerdict.REFUSES_KEY, "Not this one: ***")
    assert refused.milliseconds is not None
    assert missing.verdict is HealthVerdict.ASKS_FOR_KEY


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (document("<html>login</html>", content_type="text/html"), "did not answer with a list"),
        (document({"detail": "Not Found"}, "404 Not Found"), "Not Found"),
        (document({"message": "busy"}, "503 Service Unavailable"), "busy"),
    ],
)
def test_an_endpoint_without_a_model_list_counts_as_reachable(answer: bytes, problem: str) -> None:
    with serve(answer) as server:
        health = check(Address(server.base_url))
    assert (health.verdict, health.models) == (HealthVerdict.LISTS_NO_MODELS, ())
    assert problem in health.problem


def test_a_redirect_is_not_followed() -> None:
    with (
        serve(MODELS) as elsewhere,
        serve(head("302 Found", f"Location: {elsewhere.base_url}/models", "Content-Length: 0")) as server,
    ):
        health = check(with_key(server.base_url))
        assert elsewhere.requests == []
    assert health.verdict is HealthVerdict.LISTS_NO_MODELS
    assert "302" in health.problem


@pytest.mark.parametrize(
    "answer",
    [
        document({"detail": CANARY}, "401 Unauthorized"),
        document({"message": "x" * 495 + CANARY}, "500 Internal Server Error"),
        document(f"<html>{CANARY}</html>", "502 Bad Gateway", content_type="text/html"),
        document({"data": [{"id": CANARY}, {"id": f"ft:{CANARY}"}]}),
        head("302 Found", f"Location: http://127.0.0.1:1/{CANARY}", "Content-Length: 0"),
        f"HTTP/1.1 {CANARY}\r\n\r\n".encode(),
    ],
)
def test_no_field_contains_a_key_repeated_by_the_endpoint(answer: bytes) -> None:
    with serve(answer) as server:
        shown = repr(check(with_key(server.base_url)))
    assert CANARY not in shown
    assert CANARY[:4] not in shown, "not even its beginning"


def test_a_health_check_does_not_block_and_a_recent_one_is_reused() -> None:
    go_on = threading.Event()
    checked: list[str] = []

    def ask(address: Address) -> EndpointHealth:
        checked.append(address.base_url)
        go_on.wait(10)
        return EndpointHealth(HealthVerdict.ANSWERS, 1.0, (), None, datetime.now(UTC))

    checks = HealthChecks(ask)
    here = Address("http://a.example/v1")
    first = checks.state("mine", here)
    assert (first.health, first.checking) == (None, True)
    assert checks.state("mine", here, again=True).checking, "one check at a time"
    go_on.set()
    wait_for(lambda: not checks.state("mine", here).checking)
    assert checks.state("mine", here).health.verdict is HealthVerdict.ANSWERS
    assert checked == ["http://a.example/v1"]

    again = checks.state("mine", here, again=True)
    assert again.checking
    assert again.health is not None, "the last check is shown until the new one is done"
    wait_for(lambda: not checks.state("mine", here).checking)
    assert len(checked) == 2
    elsewhere = checks.state("mine", Address("http://b.example/v1"))
    assert (elsewhere.health, elsewhere.checking) == (None, True)


def test_an_old_health_check_is_repeated() -> None:
    checked: list[Address] = []

    def ask(address: Address) -> EndpointHealth:
        checked.append(address)
        return EndpointHealth(HealthVerdict.ANSWERS, 1.0, (), None, datetime.now(UTC))

    checks = HealthChecks(ask, lifetime_s=0.05)
    here = Address("http://a.example/v1")
    checks.state("mine", here)
    wait_for(lambda: checks.state("mine", here).health)
    wait_for(lambda: checks.state("mine", here).checking or len(checked) > 1)


def test_endpoints_are_checked_in_parallel() -> None:
    both = threading.Barrier(2, timeout=10)

    def ask(_address: Address) -> EndpointHealth:
        both.wait()
        return EndpointHealth(HealthVerdict.ANSWERS, 1.0, (), None, datetime.now(UTC))

    checks = HealthChecks(ask)
    addresses = {name: Address(f"http://{name}.example/v1") for name in ("a", "b")}
    wait_for(lambda: all([checks.state(name, address).health for name, address in addresses.items()]))  # noqa: C419
