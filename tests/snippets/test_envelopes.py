"""Requests within other JSON: lines of a batch, recordings of browsers, notebooks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

TALK = [{"role": "user", "content": "Hello"}]
BODY = {"model": "m", "messages": TALK, "stream": True}
REQUEST = a_request(messages=TALK)
KEY = "canary-4711"


def line(body: object) -> str:
    return json.dumps({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body})


def entry(text: str | None, url: str = "http://h/v1/chat/completions") -> dict[str, Any]:
    headers = [{"name": "Authorization", "value": f"Bearer {KEY}"}, {"name": "accept", "value": "*/*"}]
    request: dict[str, Any] = {
        "method": "POST",
        "url": url,
        "headers": headers,
        "cookies": [{"name": "a", "value": KEY}],
    }
    if text is not None:
        request["postData"] = {"mimeType": "application/json", "text": text}
    return {"request": request, "response": {"status": 200}}


def recording(*entries: object) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=2)


def notebook(*cells: object) -> str:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1)


PASTES = {
    "a line of a batch": (line(BODY), ()),
    "lines of a batch": (
        f"{line({'input': 'x'})}\n\n{line(BODY)}\r\n{line(BODY)}\n",
        ("The text holds 3 lines; number 2, the first request, was taken.",),
    ),
    "lines of requests": (
        f"{json.dumps(BODY)}\n{json.dumps({**BODY, 'model': 'n'})}",
        ("The text holds 2 lines; number 1, the first request, was taken.",),
    ),
    "a batch in fences": (f"This is one:\n```jsonl\n{line(BODY)}\n```\n", ()),
    "a list of requests": (
        json.dumps([{"custom_id": "1", "body": {}}, {"custom_id": "2", "body": BODY}]),
        ("The text holds 2 entries; number 2, the first request, was taken.",),
    ),
    "a recording of one": (
        json.dumps({"log": {"entries": [{"request": {"postData": {"text": json.dumps(BODY)}}}]}}),
        (),
    ),
    "options of fetch": (json.dumps({"method": "POST", "body": json.dumps(BODY)}), ()),
    "a notebook": (
        notebook(
            {"cell_type": "markdown", "source": ["# It's a title"]},
            {"cell_type": "code", "source": ["%pip install openai\n", "import openai\n"]},
            {"cell_type": "code", "source": f"messages = {TALK}"},
            {"cell_type": "code", "source": ["create(model='m', stream=True,\n", "       messages=messages)"]},
        ),
        (),
    ),
}


@pytest.mark.parametrize(("text", "notes"), PASTES.values(), ids=PASTES)
def test_a_request_within_other_json_is_found(text: str, notes: tuple[str, ...]) -> None:
    imported = import_request(text, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == notes


def test_the_first_chat_of_a_recording_is_imported() -> None:
    page, embedding = entry(None, "http://h/"), entry('{"input": "x"}', "http://h/v1/embeddings")
    other, chat = entry('{"messages": [], "of": "a page"}', "http://h/log"), entry(json.dumps(BODY))
    imported = import_request(recording(page, embedding, other, chat, chat), BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == (
        "The text holds 5 entries; number 4, the first request, was taken.",
        f"Left out: Authorization, cookies. {WHERE_KEYS_BELONG}",
    )
    assert KEY not in repr(imported)


def test_a_long_recording_is_read() -> None:
    imported = import_request(recording(*[entry("x" * 1_000)] * 500, entry(json.dumps(BODY))), BEEZY)
    assert imported.request == REQUEST


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (recording(), "holds 0 requests, none with messages"),
        (recording(entry(None), 1, None, {"request": 1}, {"request": {"postData": {"text": 1}}}), "none with messages"),
        (recording(entry(json.dumps(BODY)))[:-40], "breaks off or has a mistake"),
        (line({"input": "x"}), "has no model"),
        (line(BODY)[:-3], "breaks off or has a mistake"),
        (f"{line(BODY)[:-3]}\n{line(BODY)}", "breaks off or has a mistake"),
        (notebook(), "No request was found"),
        (notebook({"cell_type": "code", "source": [1, "x"]}, 5), "No request was found"),
        (
            notebook({"cell_type": "code", "source": "create(model='m', messages=history)"}),
            "messages is not written out",
        ),
    ],
)
def test_json_without_a_request_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ImportProblem, match=sentence):
        import_request(text, BEEZY)
