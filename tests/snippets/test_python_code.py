"""Python code is read and never run."""

from __future__ import annotations

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY, OPENAI
from components.snippets.importing import STREAM_SWITCHED_ON, import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

HELLO = [{"role": "user", "content": "Hello"}]


def test_a_dict_with_single_quotes_and_pythons_words_is_read():
    text = "{'model': 'm', 'messages': [{'role': 'user', 'content': 'Hello'}], 'stream': False, 'top_p': None,}"
    imported = import_request(text, BEEZY)
    assert imported.request == a_request(stream=False, top_p=None)
    assert imported.request.state_of("top_p") == "null"
    assert imported.notes == ()


def test_texts_over_several_lines_are_read():
    code = """
body = {
    "model": "m",  # a comment
    "stream": True,
    "messages": [
        {"role": "system", "content": '''One
  two's'''},
        {"role": "user", "content": ("Hel" "lo" r"\\d"
            "\\u00e9")},
    ],
}
"""
    messages = import_request(code, BEEZY).request.messages
    assert [message.content for message in messages] == ["One\n  two's", "Hello\\d\u00e9"]


def test_a_call_of_the_openai_client_is_read():
    code = """
from openai import OpenAI
client = OpenAI(api_key="sk-canary", base_url="https://host/v1")
question = [{"role": "user", "content": "Hello"}]
MODEL = "m"
stream = client.chat.completions.create(
    model=MODEL, messages=question, seed=3, stream=True, timeout=30, extra_headers={"a": "sk-canary"},
    extra_body={"random_seed": 4, "top_k": 5}, temperature=args.temperature, max_tokens=2 ** 8,
)
"""
    imported = import_request(code, OPENAI)
    assert imported.request == a_request(stream=True, random_seed=3, extra_body={"random_seed": 4, "top_k": 5})
    assert imported.notes == (
        "temperature was left out: its value is not written out in the code.",
        "max_tokens was left out: its value is not written out in the code.",
        f"Left out: api_key, extra_headers. {WHERE_KEYS_BELONG}",
    )
    assert "canary" not in repr(imported)


@pytest.mark.parametrize(("method", "stream"), [("stream", True), ("complete", False)])
def test_the_name_of_a_mistralai_call_decides_whether_to_stream(method, stream):
    imported = import_request(f"with client.chat.{method}(model='m', messages={HELLO}) as x: pass", BEEZY)
    assert imported.request == a_request(stream=stream)
    assert imported.notes == ()


def test_a_call_without_stream_is_streamed():
    assert import_request(f"f(model='m', messages={HELLO})", BEEZY).notes == (STREAM_SWITCHED_ON,)


def test_literal_dictionaries_behind_two_stars_are_read():
    code = f"more = {{'top_p': 0.5}}\nf(model='m', messages={HELLO}, stream=True, **more)"
    assert import_request(code, BEEZY).request == a_request(stream=True, top_p=0.5)
    code = f"f(model='m', messages={HELLO}, stream=True, **more())"
    assert import_request(code, BEEZY).notes == (
        "What ** adds was left out: its value is not written out in the code.",
    )


def test_the_first_of_several_requests_is_imported():
    code = f"f(model='m', messages={HELLO}, stream=True)\nf(model='n', messages={HELLO}, stream=True)"
    imported = import_request(code, BEEZY)
    assert imported.request.model == "m"
    assert imported.notes == ("The code holds several requests; the first one was taken.",)


def test_nothing_is_executed(tmp_path):
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w')\nf(model='m', messages={HELLO}, stream=True, n=open({str(mark)!r}, 'w'))"
    assert import_request(code, BEEZY).request == a_request(stream=True)
    assert not mark.exists()


@pytest.mark.parametrize(
    "messages",
    [
        "[...]",
        "[Unknown(content='x')]",
        "history",
        "[{'role': 'user', 'content': f'{x}'}]",
        "[{1: 2}]",
        "b'x'",
        "{1}",
        "1e999",
        "1+2j",
        "0x" + "f" * 5000,
        "{[]: 1}",
    ],
)
def test_computed_values_are_refused_with_a_sentence(messages):
    with pytest.raises(ImportProblem, match="messages is not written out in the code"):
        import_request(f"f(model='m', messages={messages})", BEEZY)


def test_incomplete_code_is_not_a_request():
    with pytest.raises(ImportProblem, match="No request was found"):
        import_request("client.chat.stream(model='m', messages=[", BEEZY)
    with pytest.raises(ImportProblem, match="line 1, column"):
        import_request("{'model': 'm', 'messages': [", BEEZY)
