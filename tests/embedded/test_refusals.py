"""The endpoint's answers to invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from components.contract.errors import read_error

from .conftest import Endpoint, say


@pytest.mark.parametrize("key", ["", "wrong", "key-of-the-test", "ключ".encode().decode("latin-1")])
def test_a_wrong_key_is_refused(endpoint: Endpoint, key: str) -> None:
    for response in (endpoint.post(say("Say hi"), key=key), endpoint.get("/models", key=key)):
        assert response.status_code == 401
        assert response.json() == {"detail": "Unauthorized"}


def test_health_needs_no_key(endpoint: Endpoint) -> None:
    response = Endpoint(endpoint.base_url.removesuffix("/v1"), key="").get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/", "/model", "/models/", "/chat"])
def test_an_unknown_path_is_not_found(endpoint: Endpoint, path: str) -> None:
    response = endpoint.get(path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_a_wrong_method_is_not_allowed(endpoint: Endpoint) -> None:
    response = endpoint.get("/chat/completions")
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["Allow"] == "POST"


def test_an_unknown_model_is_named(endpoint: Endpoint) -> None:
    response = endpoint.post(say("Say hi", model="beezy-large"))
    assert response.status_code == 404
    assert response.json() == {
        "object": "error",
        "message": "Invalid model: beezy-large",
        "type": "invalid_model",
        "param": None,
        "code": "1500",
    }


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"temperature": 1.01}, ["temperature"]),
        ({"temperature": -0.1}, ["temperature"]),
        ({"temperature": "0.5"}, ["temperature"]),
        ({"temperature": True}, ["temperature"]),
        ({"temperature": 10**400}, ["temperature"]),
        ({"top_p": 1.5}, ["top_p"]),
        ({"max_tokens": -1}, ["max_tokens"]),
        ({"max_tokens": 1.5}, ["max_tokens"]),
        ({"random_seed": "7"}, ["random_seed"]),
        ({"safe_prompt": None}, ["safe_prompt"]),
        ({"safe_prompt": "yes"}, ["safe_prompt"]),
        ({"stream": None}, ["stream"]),
        ({"model": ""}, ["model"]),
        ({"model": None}, ["model"]),
        ({"messages": []}, ["messages"]),
        ({"messages": None}, ["messages"]),
        ({"messages": ["hi"]}, ["messages", 0]),
        ({"messages": [{"role": "robot", "content": "hi"}]}, ["messages", 0, "role"]),
        ({"messages": [{"role": "user"}]}, ["messages", 0, "content"]),
        ({"messages": [{"role": "user", "content": 7}]}, ["messages", 0, "content"]),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, ["messages", 0, "content"]),
    ],
    ids=str,
)
def test_a_bad_field_is_named(endpoint: Endpoint, fields: dict[str, Any], location: list[object]) -> None:
    response = endpoint.post({**say("Say hi"), **fields})
    assert response.status_code == 422
    [problem] = response.json()["detail"]
    assert set(problem) == {"type", "loc", "msg", "input"}
    assert problem["loc"] == ["body", *location]
    assert read_error(response.text, 422).fields == (location[0],)


def test_all_bad_fields_are_named_at_once(endpoint: Endpoint) -> None:
    response = endpoint.post(say("Say hi", temperature=7, top_p=-1, max_tokens=-5))
    assert read_error(response.text).fields == ("temperature", "top_p", "max_tokens")
    assert "temperature must be at most 1; 7 is more." in response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[1]",
        b"null",
        b'{"temperature": NaN}',
        b'{"temperature": 1e999}',
        b"[" * 100_000,
        b"9" * 5000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_object_is_refused(endpoint: Endpoint, body: bytes) -> None:
    response = endpoint.post(body)
    assert response.status_code == 422
    [problem] = response.json()["detail"]
    assert problem["loc"] == ["body"]


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        (
            ["user", "assistant"],
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        ),
        (["system"], "Expected last role User or Tool (or Assistant with prefix True) for serving but got system"),
    ],
)
def test_a_bad_order_of_roles_is_explained(endpoint: Endpoint, roles: list[str], sentence: str) -> None:
    response = endpoint.post({"messages": [{"role": role, "content": "hi"} for role in roles]})
    assert response.status_code == 400
    assert response.json() == {
        "object": "error",
        "message": sentence,
        "type": "invalid_request_message_order",
        "param": None,
        "code": "3230",
    }


def test_a_refusal_of_the_chat_template_is_an_invalid_request(endpoint: Endpoint) -> None:
    messages = [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b", "prefix": True}]
    response = endpoint.post({"messages": [{"role": "user", "content": "hi"}, *messages]})
    assert response.status_code == 400
    assert "assistant messages at the end" in response.json()["message"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(endpoint: Endpoint, stream: bool) -> None:
    response = endpoint.post(say("a " * 5000, stream=stream))
    assert response.status_code == 400
    error = response.json()
    assert error["param"] == "messages"
    assert error["message"] == (
        "The prompt's 5031 tokens leave no room for an answer in the model's context of 2048 tokens. "
        "Shorten the messages."
    )


@pytest.mark.parametrize("max_tokens", [2048, 10**30])
@pytest.mark.parametrize("stream", [True, False])
def test_too_many_requested_tokens_are_refused_with_all_numbers(
    endpoint: Endpoint, stream: bool, max_tokens: int
) -> None:
    prompt_tokens = endpoint.answer(say("Say hi", max_tokens=0))["usage"]["prompt_tokens"]
    response = endpoint.post(say("Say hi", max_tokens=max_tokens, stream=stream))
    assert response.status_code == 400
    error = response.json()
    assert error["param"] == "max_tokens"
    for number in (prompt_tokens, max_tokens, 2048):
        assert str(number) in error["message"]


def test_a_body_over_one_mebibyte_is_refused_however_it_is_sent(endpoint: Endpoint) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    for body in (b" " * (2**20 + 1), pieces()):
        response = endpoint.post(body) if isinstance(body, bytes) else post_in_pieces(endpoint, body)
        assert response.status_code == 413
        assert "1048576" in response.json()["detail"]
    assert endpoint.post(b" " * 2**20).status_code == 422


def post_in_pieces(endpoint: Endpoint, pieces: Iterator[bytes]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {endpoint.key}"
        return session.post(f"{endpoint.base_url}/chat/completions", data=pieces, timeout=10)
