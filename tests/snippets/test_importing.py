"""Pasted text becomes a request with notes on changes, or is refused with a sentence."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components.contract.credentials import without_credentials
from components.contract.profile import BEEZY, MISTRAL, OPENAI, PROFILES
from components.contract.request import to_bytes
from components.snippets.export import Language, export
from components.snippets.importing import MAX_CHARACTERS, STREAM_SWITCHED_ON, Imported, import_request
from components.snippets.problem import CannotExport, ImportProblem
from tests.contract.test_request import a_request, facts, requests_in

from .cases import CASES, CONVERSATION, NASTY, OPEN_CASES, usual_requests

URL = "http://127.0.0.1:9/v1"
HELLO = [{"role": "user", "content": "Hello"}]
BODY = {"model": "m", "messages": HELLO, "stream": False}


def outcome(text, profile=BEEZY):
    """The result for a text: the imported request or the problem."""
    try:
        return import_request(text, profile)
    except ImportProblem as problem:
        return problem


def body(**fields):
    return json.dumps({**BODY, **fields})


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.too_slow])
def test_an_exported_request_is_imported_with_every_value_and_state(language, profile, data):
    request = data.draw(usual_requests(profile) | requests_in(profile))
    assume(not without_credentials(request.extra_body)[1])  # left out by the import: test_credentials.py
    try:
        text = export(request, profile, URL, language)
    except CannotExport:
        return
    imported = import_request(text, profile)
    assert facts(imported.request) == facts(request)
    assert to_bytes(imported.request, profile)
    if language is not Language.CURL:
        assert imported.notes == ()


@pytest.mark.parametrize("language", Language)
def test_unusual_texts_survive_export_and_import(language):
    for text in NASTY:
        request = a_request(messages=[*CONVERSATION, {"role": "assistant", "content": text}])
        if language in (Language.OPENAI, Language.MISTRALAI) and "\ud83d" in text:
            continue
        assert facts(import_request(export(request, BEEZY, URL, language), BEEZY).request) == facts(request)


# Any text.

_exports = [
    export(request, profile, URL, language)
    for language in Language
    for profile, request in [*CASES[3:5], OPEN_CASES[0]]
    if language is not Language.MISTRALAI or request is not OPEN_CASES[0][1]
]
_mutated = st.builds(
    lambda text, start, length, piece: (
        text[: start % (len(text) + 1)] + piece + text[start % (len(text) + 1) + length :]
    ),
    st.sampled_from(_exports),
    st.integers(0, 5000),
    st.sampled_from([0, 1, 5, 10_000]),
    st.sampled_from(
        ["", "'", '"', "\\", "{", "}", "[", ")", "\n", "\0", "\ud800", "$", "messages=", "None", "\\\n", "b''"]
    )
    | st.text(st.characters(exclude_categories=()), max_size=3),
)


@given(text=st.text(st.characters(exclude_categories=())) | _mutated, profile=st.sampled_from(list(PROFILES.values())))
@settings(max_examples=settings.default.max_examples * 4)
def test_any_text_gives_a_request_or_a_sentence(text, profile):
    seen = outcome(text, profile)
    if isinstance(seen, ImportProblem):
        assert str(seen).endswith(".")
        assert len(str(seen)) < 250
    else:
        assert all(note.endswith(".") for note in seen.notes)
        to_bytes(seen.request, profile)


_LONG_TEXTS = [
    # One for each reader.
    "{" * 1_000_000,
    '{"messages":' * 100_000,
    "curl -d '" + "'\\''" * 400_000,
    "curl -d $'" + "\\u0041" * 300_000,
    "curl " + "a " * 900_000,
    "$(" * 900_000,
    "messages\n" + "a\n" * 995_000,
    "[" + "[]," * 600_000 + "1]",
    "curl messages ^\n" + '^"' * 900_000,
    "irm messages\n" + "@{a=" * 400_000,
    "messages=" + "`${" * 600_000,
    '{"messages":1}\n' * 120_000,
    "f(messages=" + "1+" * 100_000 + "1)",
    "x = 'a' * 9**9**9\nf(messages=[" + "x," * 100_000 + "])",
]
_MORE_LONG_TEXTS = [
    "[" * 1_000_000,
    "messages=" * 200_000,
    "messages(" * 200_000,
    'curl -d "' + "\\" * 1_000_000,
    'curl -d "' + "\\\\$" * 500_000,
    "curl " + "a" * 1_900_000,
    "curl " + "-d" * 900_000,
    "curl " + "# " * 900_000,
    "A=" * 900_000 + " curl",
    "\\\n" * 900_000,
    "messages " + "x=1\n" * 400_000,
    "{" + "'a':1," * 330_000 + "}",
    "curl -d '[" + "{}," * 600_000 + "1]'",
    "messages " + "-" * 1_900_000 + "1",
    "curl messages ^\n" + '\\"' * 900_000,
    "curl messages " + "<<E\n" * 400_000,
    "irm messages\n" + "$a=1\n" * 300_000,
    "messages " + "{a:" * 600_000,
    "messages " + "f({a:1,b:[1]})\n" * 100_000,
    "messages\n" + "```\n" * 400_000,
    '{"log":{"entries":[' + '{"request":{}},' * 100_000 + "1]}}",
    "f(messages=" + "-" * 100_000 + "1)",
    "f(messages=" + "a." * 100_000 + "b)",
    body(metadata="x" * 1_900_000),
    "f(model='m', messages=[{'role': 'user', 'content': '''" + "x\n" * 900_000 + "'''}])",
]


@pytest.mark.parametrize(
    "text",
    [*_LONG_TEXTS, *(pytest.param(text, marks=pytest.mark.long) for text in _MORE_LONG_TEXTS)],
    ids=lambda text: text[:24],
)
def test_long_texts_are_read_or_refused_in_another_process(text):
    began = time.thread_time()
    assert isinstance(outcome(text), Imported | ImportProblem)
    assert time.thread_time() - began < 1


def test_an_image_of_a_megabyte_is_imported_from_json_python_and_curl():
    image = "data:image/png;base64," + "iVBORw0KGgo" * 95_000
    text = body(messages=[{"role": "user", "content": image}])
    for pasted in (text, f"payload = {text}", f"curl https://host/v1/chat/completions -d '{text}'"):
        assert import_request(pasted, BEEZY).request.messages[0].content == image


def test_too_long_text_is_refused_with_a_hint():
    for text in ("messages\n" + "a\n" * 995_000, "messages" + " word" * 2_000):
        with pytest.raises(ImportProblem, match="Paste the request alone"):
            import_request(text, BEEZY)


# JSON.


def test_unknown_keys_are_kept_and_names_of_the_dialect_understood():
    text = body(seed=1, max_completion_tokens=5, random_seed=2, temperature=None, extra_body={"a": 1})
    assert import_request(text, OPENAI).request == a_request(
        stream=False, random_seed=1, temperature=None,
        extra_body={"max_completion_tokens": 5, "random_seed": 2, "extra_body": {"a": 1}},
    )  # fmt: skip
    beezy = import_request(text, BEEZY).request
    assert (beezy.random_seed, beezy.extra_body["seed"], beezy.state_of("temperature")) == (2, 1, "null")


def test_a_request_without_stream_is_streamed():
    imported = import_request(json.dumps({"model": "m", "messages": HELLO}), BEEZY)
    assert imported.request.stream
    assert imported.notes == (STREAM_SWITCHED_ON,)


def test_byte_order_marks_and_spaces_around_json_are_ignored():
    assert import_request(f"\ufeff\n {body()} \n", BEEZY).request == a_request(stream=False)


@pytest.mark.parametrize(
    ("message", "expected", "note"),
    [
        ({"role": "user", "content": None}, {"content": ""}, "Message 2 had no content; it is empty now."),
        (
            {"role": "assistant", "tool_calls": [{"id": "1"}]},
            {"content": "", "tool_calls": [{"id": "1"}]},
            "no content",
        ),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, "b", {"type": "text", "text": "c"}]},
            {"content": "abc"},
            "The content of message 2 was a list of text parts; they were joined.",
        ),
        (
            {"role": "user", "content": "x", "refusal": None, "audio": {"id": "secret"}},
            {"content": "x"},
            "Left out of the messages: refusal, audio.",
        ),
        ({"role": "assistant", "content": "x", "prefix": None}, {"content": "x"}, "prefix of message 2 was null"),
        (
            {"role": "developer", "content": "x"},
            {"role": "system", "content": "x"},
            "The role of message 2 was developer and became system.",
        ),
    ],
)
def test_messages_of_other_shapes_are_imported_with_a_note(message, expected, note):
    imported = import_request(body(messages=[*HELLO, message]), BEEZY)
    assert imported.request.messages[1].model_dump(exclude_unset=True) == {"role": message["role"], **expected}
    [imported_note] = imported.notes
    assert note in imported_note


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no text"),
        (" \n\ufeff ", "No request was found|There is no text"),
        ("Hello, how are you?", "No request was found"),
        ("import os\nprint('messages')", "No request was found"),
        ("x" * (MAX_CHARACTERS + 1), "longer than 2,000,000 characters"),
        ('{"model": "m",\n "messages": [', r"breaks off or has a mistake at line 2, column 15"),
        (body()[:-1], r"line 1, column \d+"),
        (body() + "}", r"line 1, column \d+"),
        ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        ("[1]", "must be an object"),
        ("[" * 200 + "]" * 200, "must be an object"),
        ("[" * 100_000 + "]" * 100_000, "nests too deeply"),
        (body(metadata=json.loads("[" * 150 + "]" * 150)), "nests too deeply"),
        (json.dumps({"messages": HELLO}), "has no model. Add it."),
        ('{"model": "m"}', "has no messages. Add it."),
        (body(messages=[]), "at least one message"),
        (body(messages="Hello"), "at least one message"),
        (body(messages=["Hello"]), "Message 1 must be an object"),
        (body(messages=[*HELLO, {"content": "x"}]), "Message 2 has no role"),
        (body(messages=[{"role": "critic", "content": "x"}]), "Use system, user, assistant or tool"),
        (body(messages=[{"role": "user", "content": 5}]), "content of message 1 must be text"),
        (body(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}]), "such as an image"),
        (body(messages=[{"role": "user", "content": [{"type": "text"}]}]), "other than text"),
        (body(messages=[{"role": "user", "content": "x", "prefix": "yes"}]), r"^messages\.1\.prefix: "),
        (body(model=5), "^model: "),
        (body(model=""), "^model: "),
        (body(stream=None), "^stream: "),
        (body(temperature=1).replace("1", "NaN"), "NaN is not a JSON number"),
        (body(prefix=True)[:-1] + ",,}", r"line 1, column \d+"),
        (body()[:-1] + ", 'top_p': open('x')}", r"line 1, column \d+"),
    ],
)  # fmt: skip
def test_text_without_a_request_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(ImportProblem, match=sentence):
        import_request(text, MISTRAL)
