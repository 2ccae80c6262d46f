"""A request as text: exact bytes through a real shell, and nothing breaks out of its quotes."""

from __future__ import annotations

import ast
import json
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.contract.profile import BEEZY, MISTRAL, OPENAI, PROFILES
from components.contract.request import UnsendableField, to_bytes
from components.snippets.export import Language, export
from components.snippets.problem import CannotExport
from tests.contract.test_request import a_request, requests_in

from .cases import CASES, NASTY, OPEN_CASES

URL = "http://127.0.0.1:9/v1"
PYTHON = [Language.REQUESTS, Language.MISTRALAI, Language.OPENAI]
# Records each argument, ended by a zero byte, which no argument can contain.
FAKE_CURL = """#!/bin/sh
for argument in "$@"; do printf '%s\\0' "$argument"; done >> "$RECORD"
"""


@pytest.fixture
def arguments_of(tmp_path):
    """The arguments of curl when a text runs in a shell."""
    fake = tmp_path / "bin" / "curl"
    fake.parent.mkdir()
    fake.write_text(FAKE_CURL)
    fake.chmod(0o755)
    record = tmp_path / "record"

    def arguments(text: str, shell: str = "sh") -> list[bytes]:
        record.unlink(missing_ok=True)
        environment = {
            "PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}",
            "RECORD": str(record),
            "API_KEY": "k 1",
        }
        script = tmp_path / "script.sh"
        script.write_bytes(text.encode())
        done = subprocess.run([shell, script], env=environment, cwd=tmp_path, capture_output=True, timeout=20)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert {path.name for path in tmp_path.iterdir()} == {"bin", "record", "script.sh"}
        return record.read_bytes().split(b"\0")[:-1]

    return arguments


def nasty_request(text: str):
    return a_request(
        model=text.encode("utf-8", "ignore").decode() or "m",
        messages=[{"role": "user", "content": text, "name": text}],
        extra_body={text or "key": {text: text}},
    )


def test_json_is_the_body_itself():
    for profile, request in [*CASES, *OPEN_CASES]:
        assert export(request, profile, URL, Language.JSON).encode() == to_bytes(request, profile)


@pytest.mark.parametrize("text", ["", *NASTY, " ".join(NASTY)])
def test_a_shell_gives_curl_exactly_the_body_and_nothing_else(text, arguments_of):
    request = nasty_request(text)
    assert arguments_of(export(request, BEEZY, URL, Language.CURL)) == [
        b"-N",
        f"{URL}/chat/completions".encode(),
        b"-H",
        b"Authorization: Bearer k 1",
        b"-H",
        b"Accept: text/event-stream",
        b"-H",
        b"Content-Type: application/json",
        b"--data-raw",
        to_bytes(request),
    ]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_an_address_cannot_break_out_of_its_quotes(shell, arguments_of):
    text = export(a_request(), BEEZY, "http://h/'; touch out; '$(touch out)/v1", Language.CURL, None)
    assert arguments_of(text, shell)[1] == b"http://h/'; touch out; '$(touch out)/v1/chat/completions"
    assert b"Authorization" not in b" ".join(arguments_of(text, shell))


def test_a_body_may_be_as_long_as_a_command_line_allows(arguments_of):
    without_text = len(to_bytes(a_request(messages=[{"role": "user", "content": ""}])))
    longest = 128 * 1024 - 1 - without_text
    request = a_request(messages=[{"role": "user", "content": "x" * longest}])
    assert arguments_of(export(request, BEEZY, URL, Language.CURL))[-1] == to_bytes(request)
    with pytest.raises(CannotExport, match="too long for a command line"):
        export(a_request(messages=[{"role": "user", "content": "x" * (longest + 1)}]), BEEZY, URL, Language.CURL)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
@settings(max_examples=settings.default.max_examples // 2)
def test_the_literal_in_the_requests_snippet_equals_the_body(profile, data):
    request = data.draw(requests_in(profile))
    text = export(request, profile, URL, Language.REQUESTS)
    # A file must not contain invisible characters or ones that cannot be encoded.
    assert all(character.isprintable() or character == "\n" for character in text)
    assignment, *_ = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    body = ast.literal_eval(assignment.value)
    encoded = json.dumps(body, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")
    assert encoded == to_bytes(request, profile)


@pytest.mark.parametrize("language", PYTHON)
def test_no_text_becomes_code(language):
    plain, *nasty = (
        _without_texts(export(a_request(messages=[{"role": "user", "content": text}]), BEEZY, URL, language))
        for text in ["x", *NASTY]
        if not any("\ud800" <= character <= "\udfff" for character in text)
    )
    assert set(nasty) == {plain}


def _without_texts(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("language", [Language.CURL, *PYTHON])
def test_a_key_is_named_and_never_written_out(language):
    assert "MY_KEY" in export(a_request(), BEEZY, URL, language, "MY_KEY")
    keyless = export(a_request(), BEEZY, URL, language, None)
    assert "KEY" not in keyless
    assert "import os" not in keyless


@pytest.mark.parametrize("name", ["", "A B", "A'", "$(x)", "1A", "A\n"])
def test_a_variable_without_a_plain_name_is_refused(name):
    with pytest.raises(ValueError, match="plain name"):
        export(a_request(), BEEZY, URL, Language.CURL, name)


@pytest.mark.parametrize("language", Language)
def test_a_field_that_the_dialect_lacks_is_refused_in_every_language(language):
    with pytest.raises(UnsendableField, match="no safe_prompt"):
        export(a_request(safe_prompt=True), OPENAI, URL, language)


@pytest.mark.parametrize("language", PYTHON)
def test_a_body_that_nests_too_deeply_for_python_is_refused(language):
    value = "x"
    for _ in range(99):
        value = [value]
    assert "x" in export(a_request(extra_body={"metadata": {"a": value[0][0]}}), BEEZY, URL, language)
    with pytest.raises(CannotExport, match="nests too deeply"):
        export(a_request(extra_body={"metadata": {"a": [value]}}), BEEZY, URL, language)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"extra_body": {"logit_bias": {}}}, "cannot send logit_bias"),
        ({"extra_body": {"seed": 1}}, "cannot send seed"),
        ({"extra_body": {"temperature": "hot"}}, "cannot send this value of temperature"),
        ({"extra_body": {"safe_prompt": None}}, "cannot send this value of safe_prompt"),
        ({"extra_body": {"tool_choice": None}}, "cannot send this value of tool_choice"),
        ({"extra_body": {"reasoning_effort": "immense"}}, "cannot send this value of reasoning_effort"),
        ({"extra_body": {"presence_penalty": 2**60 + 1}}, "cannot send this value of presence_penalty"),
        ({"messages": [{"role": "user", "content": "x", "name": "N"}]}, "cannot send name in message 1"),
        ({"messages": [{"role": "user", "content": "~?~unset~?~sentinel~?~"}]}, "cannot send the text"),
    ],
)
def test_fields_that_the_mistralai_client_would_change_are_refused(fields, sentence):
    with pytest.raises(CannotExport, match=sentence) as refused:
        export(a_request(**fields), MISTRAL, URL, Language.MISTRALAI)
    assert str(refused.value).endswith("Use the requests snippet.")


def test_the_mistralai_client_needs_an_address_that_ends_in_v1():
    with pytest.raises(CannotExport, match="ends in /v1"):
        export(a_request(), BEEZY, "http://h/api", Language.MISTRALAI)


def test_the_openai_client_cannot_send_unpaired_surrogates():
    with pytest.raises(CannotExport, match="half of a character"):
        export(a_request(messages=[{"role": "user", "content": "\ud83d"}]), BEEZY, URL, Language.OPENAI)


def test_each_language_has_a_label_and_highlighting():
    assert len({language.label for language in Language}) == len(Language)
    assert {language.highlighting for language in Language} == {"json", "bash", "python"}
