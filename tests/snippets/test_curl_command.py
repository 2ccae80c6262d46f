"""curl commands of people and browsers, imported without keys, cookies and addresses."""

from __future__ import annotations

import json
import traceback
from itertools import product

import pytest

from components.contract.profile import BEEZY
from components.snippets import curl_command
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

BODY = '{"model": "m", "messages": [{"role": "user", "content": "it\'s $5"}], "stream": true}'
SINGLE = BODY.replace("'", "'\\''")
DOUBLE = BODY.replace('"', '\\"')
REQUEST = a_request(messages=[{"role": "user", "content": "it's $5"}], stream=True)
KEY = "sk-canary-4711"


@pytest.mark.parametrize(
    "command",
    [
        f"curl http://h/v1 -d '{SINGLE}'",
        f"curl http://h/v1 -d'{SINGLE}'",
        f"curl -sSNXPOST http://h/v1 --data '{SINGLE}'",
        f"curl -sSd '{SINGLE}' http://h/v1",
        f"curl --url http://h/v1 --data-raw '{SINGLE}' --compressed",
        f"curl --request POST --url=http://h/v1 --data-binary='{SINGLE}'",
        f"curl --json '{SINGLE}' 'http://h/v1?a=1&b=2'",
        f'curl http://h/v1 --data "{DOUBLE}"',
        f"curl http://h/v1 \\\n  -H 'Accept: */*' \\\n  -d '{SINGLE}' \\\n",
        f"curl http://h/v1 \\\r\n  -H 'Accept: */*' \\\r\n  -d '{SINGLE}'\r\n",
        f"$ curl http://h/v1 -d '{SINGLE}' | jq .",
        f"cd /x && A=1 /usr/bin/curl http://h/v1 -d '{SINGLE}' > out; curl other",
        f"# a comment with 'one quote's\ncurl http://h/v1 -d '{SINGLE}' # and \"another",
        "curl http://h/v1 -d $'" + BODY.replace("'", "\\'").replace("$", "\\u0024") + "'",
        "curl http://h/v1 -d $'" + BODY.replace("'", "\\x27").replace("$", "\\044") + "'",
        f"curl 'http://h/v1' -H $'x-note: it\\'s' --data-raw '{SINGLE}'",
    ],
)
def test_commands_of_every_shape_are_read(command):
    assert import_request(command, BEEZY).request == REQUEST


def test_a_command_copied_from_a_browser_is_read():
    body = {"model": "m", "messages": [{"role": "user", "content": "it's é\n\\!"}], "stream": True}
    escaped = json.dumps(body).replace("\\", "\\\\").replace("'", "\\'").replace("!", "\\u0021")
    command = f"""curl 'https://host.example/v1/chat/completions' \\
  -H 'accept: text/event-stream' \\
  -H 'accept-language: en' \\
  -H 'authorization: Bearer {KEY}' \\
  -H 'content-type: application/json' \\
  -b 'session={KEY}' \\
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \\
  --data-raw $'{escaped}'"""
    imported = import_request(command, BEEZY)
    assert imported.request == a_request(messages=body["messages"])
    assert imported.notes == (
        curl_command.KEY_LEFT_OUT,
        curl_command.COOKIES_LEFT_OUT,
        curl_command.HEADERS_LEFT_OUT,
        curl_command.ADDRESS_LEFT_OUT,
    )


SECRETS = [
    f"-H 'Authorization: Bearer {KEY}'",
    f'-H "X-Api-Key: {KEY}"',
    f"--header='Authorization: {KEY}'",
    f"-H'api-key:{KEY}'",
    f"-u user:{KEY}",
    f"--user=me:{KEY}",
    f"--oauth2-bearer {KEY}",
    f"--proxy-user me:{KEY}",
    f"-U me:{KEY}",
    f"--pass {KEY}",
    f"-b 'session={KEY}'",
    f"--cookie session={KEY}",
    f"-H 'Cookie: a={KEY}'",
    f"https://user:{KEY}@host/v1?key={KEY}",
    f"--url https://host/{KEY}",
    f"-H 'X-Unheard-Of: {KEY}'",
    f"--unheard-of {KEY}",
    f"--unheard-of={KEY}",
    f"-k{KEY}",
    KEY,
]


@pytest.mark.parametrize(
    "ending",
    [
        f"-d '{SINGLE}'",
        "",
        "-d",
        "-d ''",
        "-d '{\"model\": '",
        "-d @file",
        f"-d $KEY{KEY}",
        f"-d '{SINGLE}",
        "-d \"",
        "-d {} -d {}",
        "-d [1]",
        "-d '{\"model\": \"m\", \"messages\": [{\"role\": \"admin\"}]}'",
    ],
)  # fmt: skip
def test_no_secret_is_imported_or_shown(ending):
    for secret, beginning in product(SECRETS, ["curl", f"API_KEY={KEY} curl"]):
        command = f"{beginning} {secret} {ending}"
        shown = _shown(command)
        assert KEY not in shown
        if ending == f"-d '{SINGLE}'":
            assert import_request(command, BEEZY).request == REQUEST
        else:
            assert "Imported" not in shown


def _shown(command: str) -> str:
    """All visible texts of an import or its error."""
    try:
        return repr(import_request(command, BEEZY))
    except ImportProblem as problem:
        lines = traceback.TracebackException.from_exception(problem).format_exception_only()
        return f"{problem!r}{''.join(lines)}{problem.__cause__!r}"


@pytest.mark.parametrize(("secret", "note"), [(SECRETS[0], "The key in the command"), (SECRETS[10], "The cookies")])
def test_left_out_parts_are_noted(secret, note):
    [found] = import_request(f"curl {secret} -d '{SINGLE}'", BEEZY).notes
    assert found.startswith(note)


def test_a_key_from_a_variable_is_noted():
    assert curl_command.KEY_LEFT_OUT in import_request(f"API_KEY={KEY} curl -d '{SINGLE}'", BEEZY).notes


def test_a_shell_variable_is_kept_and_noted():
    command = f'curl http://h/v1 -d "{DOUBLE.replace("$5", "$NAME")}"'
    imported = import_request(command, BEEZY)
    assert imported.request.messages[0].content == "it's $NAME"
    assert "a shell would replace" in imported.notes[-1]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("curl http://h/v1", "has no body"),
        ("curl -d", "has no body"),
        ("curl -d '' http://h/v1", "has no body"),
        ("curl -F a=b http://h/v1", "has no body"),
        ("curl -d @body.json http://h/v1", "from a file"),
        ("curl --json @- http://h/v1", "from a file"),
        ("cat x | curl --data-binary @- http://h/v1", "from a file"),
        ("curl -d a=1 -d b=2 http://h/v1", "more than one body"),
        ('curl -d "$BODY" http://h/v1', "from a variable"),
        ("curl -d $BODY http://h/v1", "from a variable"),
        ('curl -d \'{"model": http://h/v1', "quote in the command is not closed"),
        ('curl -d "{', "quote in the command is not closed"),
        ("curl -d $'{", "quote in the command is not closed"),
        ("curl -d $'\\U00110000'", "names no character"),
        ('curl -d \'{"model":\n"m"x}\'', "line 2, column 4"),
        ("curly -d '{}'", "No request was found"),
    ],
)
def test_a_command_without_a_readable_body_is_refused_with_a_sentence(command, sentence):
    with pytest.raises(ImportProblem, match=sentence):
        import_request(command, BEEZY)
