"""Credentials and addresses in a paste are left out and named; similar names stay."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG, is_credential_name
from components.contract.profile import BEEZY, OPENAI
from components.contract.request import to_bytes
from components.snippets.importing import STREAM_SWITCHED_ON, import_request
from tests.contract.test_request import a_request

KEY = "canary-4711"
HELLO = [{"role": "user", "content": "Hello"}]
BODY = {"model": "m", "messages": HELLO, "stream": True}

# Arguments next to model and messages, and the names in the note.
IN_A_BODY = [
    ({"api_key": KEY}, "api_key"),
    ({"API-KEY": KEY, "x-api-key": KEY}, "API-KEY, x-api-key"),
    ({"Authorization": f"Bearer {KEY}"}, "Authorization"),
    ({"apiKey": [KEY, KEY]}, "apiKey"),
    ({"password": KEY, "auth": ["me", KEY]}, "password, auth"),
    ({"passwd": 4711}, "passwd"),
    ({"headers": {"X-Title": KEY}, "extra_headers": {}}, "headers, extra_headers"),
    ({"cookies": {"session": KEY}}, "cookies"),
    ({"token": KEY, "client_secret": None}, "token, client_secret"),
    ({"extra_body": {"top_k": 1, "hf_token": KEY}}, "hf_token"),
    ({"metadata": {"a": 1, "deep": [{"secret": KEY}]}}, "secret"),
    ({"tools": [{"type": "mcp", "headers": {"X-Title": KEY}, "x": 1}]}, "headers"),
    ({"tools": [{"type": "mcp", "Authorization": KEY, "x": 1}]}, "Authorization"),
    ({"metadata": {"note": f"Bearer {KEY}", "of": "ghp_0123456789abcdefghij"}}, "note, of"),
    ({"webhook": f"https://me:{KEY}@host/x"}, "webhook"),
    ({"allowed": [f"sk-{KEY}-0123456789", "b"]}, "an item of a list"),
]


def left_out(names: str) -> str:
    return f"Left out: {names}. {WHERE_KEYS_BELONG}"


@pytest.mark.parametrize(("further", "names"), IN_A_BODY, ids=[names for _, names in IN_A_BODY])
def test_credentials_in_a_body_are_left_out_in_every_kind_of_paste(further: dict[str, object], names: str) -> None:
    body = {**BODY, **further}
    quoted = json.dumps(body).replace("'", "'\\''")
    pastes = [
        json.dumps(body),
        repr(body),
        f"cfg = {body!r}",
        f"curl http://h -d '{quoted}'",
        f"requests.post(json={body!r})",
    ]
    pastes += [f"kw = {further!r}\nf(model='m', messages={HELLO!r}, stream=True, **kw)", f"f(**{{}}, **{body!r})"]
    if all(name.isidentifier() for name in further):
        pastes.append(
            f"f(model='m', messages={HELLO!r}, stream=True, {', '.join(f'{n}={v!r}' for n, v in further.items())})"
        )
    for paste in pastes:
        imported = import_request(paste, OPENAI)
        assert left_out(names) in imported.notes
        assert KEY not in repr(imported)


def test_values_next_to_a_credential_are_kept() -> None:
    body = json.dumps({**BODY, "metadata": {"a": 1, "secret": KEY}, "tools": [{"Authorization": KEY, "x": [1]}]})
    assert import_request(body, OPENAI).request.extra_body == {"metadata": {"a": 1}, "tools": [{"x": [1]}]}


@pytest.mark.parametrize("name", ["api_base", "base_url", "server_url", "azure_endpoint", "baseURL", "apiBase"])
def test_addresses_are_left_out_and_named(name: str) -> None:
    imported = import_request(f"f(model='m', messages={HELLO}, stream=True, {name}='http://host.example')", OPENAI)
    assert imported.request == a_request(stream=True)
    assert imported.notes == (f"Left out: {name}. The request goes to the endpoint that is chosen here.",)


CODE = [
    ("client = OpenAI(api_key='{key}')", "api_key"),
    ("client(token='{key}')", "token"),
    ("API_KEY = '{key}'", "API_KEY"),
    ("openai.api_key = '{key}'", "api_key"),
    ("os.environ['OPENAI_API_KEY'] = '{key}'", "OPENAI_API_KEY"),
    ("client = OpenAI(default_headers={{'Authorization': 'Bearer {key}'}})", "Authorization"),
    ("requests.get(url, auth=('me', '{key}'))", "auth"),
]


@pytest.mark.parametrize(("code", "name"), CODE, ids=[code for code, _ in CODE])
def test_credentials_in_code_around_the_request_are_named(code: str, name: str) -> None:
    imported = import_request(f"{code.format(key=KEY)}\nf(model='m', messages={HELLO}, stream=True)", BEEZY)
    assert imported.request == a_request(stream=True)
    assert imported.notes == (left_out(name),)


def test_a_key_passed_to_the_call_as_a_variable_is_named() -> None:
    code = f"key = os.environ['API_KEY']\nf(model='m', messages={HELLO}, stream=True, api_key=key, headers=h)"
    assert import_request(code, BEEZY).notes == (left_out("api_key, headers"),)


KEPT = {
    "max_completion_tokens": 5,
    "logit_bias": {"50256": -100},
    "stop_token_ids": [1],
    "prompt_cache_key": "a-chat",
    "safety_identifier": "somebody",
    "user": "somebody",
    "metadata": {"key": "a", "tokens": "b", "author": "c", "title": "sk-short", "use_auth": False},
    "chat_template_kwargs": {"eos_token": "</s>", "next_page_token": "x"},
    "bias": [{"token": 50256, "bias": 1}],
    "skip_special_tokens": True,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "log_in",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "password": {"type": "string"},
                        "headers": {"type": "object"},
                        "auth": {"$ref": "#/a"},
                    },
                    "required": ["password"],
                },
            },
        }
    ],
}


def test_names_similar_to_credentials_are_kept() -> None:
    imported = import_request(json.dumps({**BODY, **KEPT}), OPENAI)
    assert imported.request.extra_body == KEPT
    assert imported.notes == ()


def test_messages_are_never_changed() -> None:
    talk = f"My token is sk-{KEY}-0123456789abcdef; api_key = '{KEY}'. Bearer {KEY}"
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"token": KEY})}}
    messages = [
        {"role": "user", "content": talk},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "user", "content": f"Bearer {KEY}-0123456789"},
    ]
    for paste in (json.dumps({**BODY, "messages": messages}), f"f(model='m', stream=True, messages={messages!r})"):
        imported = import_request(paste, BEEZY)
        assert json.loads(to_bytes(imported.request))["messages"] == messages
        assert imported.notes == ()


@pytest.mark.parametrize(
    "name", ["X-Auth-Token", "APIKey", "azure_ad_token", "aws_access_key_id", "jwt", "proxy_password"]
)
def test_names_of_credentials_are_recognised(name: str) -> None:
    assert is_credential_name(name)


@pytest.mark.parametrize("name", ["max_tokens", "token_ids", "bos_token", "cache_key", "passage", "secretary", "", "é"])
def test_other_names_are_not_credentials(name: str) -> None:
    assert not is_credential_name(name)


def run(paste: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "components.snippets", "--dialect", "openai"]
    root = Path(__file__).parents[2]
    return subprocess.run(command, input=paste, capture_output=True, text=True, check=False, cwd=root)


def test_the_command_prints_the_body_and_the_notes_or_a_sentence() -> None:
    good = run(json.dumps({"model": "m", "messages": HELLO, "seed": 3, "api_key": KEY}))
    assert good.returncode == 0, good.stderr
    output = json.loads(good.stdout)
    assert output["body"]["seed"] == 3
    assert output["notes"] == [left_out("api_key"), STREAM_SWITCHED_ON]
    bad = run("Hello")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("No request was found.")
