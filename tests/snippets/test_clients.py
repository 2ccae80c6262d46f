"""The requests of the two clients: their own code runs with a transport that records the body."""

from __future__ import annotations

import contextlib
import functools
import io
import json

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from components.contract.profile import PROFILES
from components.contract.request import to_bytes
from components.snippets.export import Language, export
from components.snippets.problem import CannotExport
from tests.contract.test_request import requests_in

from .cases import usual_requests

URL = "http://127.0.0.1:9/v1"
CLIENTS = [Language.MISTRALAI, Language.OPENAI]


@pytest.fixture(scope="module")
def sent():
    """The body sent by the code of a snippet, as JSON."""
    # Importing them takes seconds, which would slow down test collection.
    import httpx2
    import mistralai.client
    import openai

    bodies: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url).partition("#")[0] == f"{URL}/chat/completions"
        bodies.append(request.content)
        if json.loads(request.content)["stream"]:
            return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=b"data: [DONE]\n\n")
        choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "1", "object": "o", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return httpx2.Response(200, json=whole)

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    patch = pytest.MonkeyPatch()
    patch.setattr(openai, "OpenAI", functools.partial(openai.OpenAI, http_client=client))
    patch.setattr(mistralai.client, "Mistral", functools.partial(mistralai.client.Mistral, client=client))

    def run(code: str) -> object:
        bodies.clear()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "snippet", "exec"), {})
        [body] = bodies
        return json.loads(body)

    yield run
    patch.undo()
    client.close()


def wire(request, profile):
    # Compared as text: True and 1, and 1 and 1.0, are equal in Python; the latter two are one number in JSON.
    return _canonical(json.loads(to_bytes(request, profile)))


def _canonical(value):
    return json.dumps(_same_numbers(value), sort_keys=True)


def _same_numbers(value):
    if isinstance(value, dict):
        return {key: _same_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_same_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("language", CLIENTS)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.too_slow])
def test_a_client_sends_the_exact_request_or_the_export_is_refused(language, profile, sent, data):
    request = data.draw(usual_requests(profile) | requests_in(profile))
    try:
        code = export(request, profile, URL, language, None)
    except CannotExport:
        event("cannot say")
        return
    event("said")
    assert _canonical(sent(code)) == wire(request, profile)
