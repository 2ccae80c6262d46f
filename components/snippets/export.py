"""Generates code that sends a request: JSON, a curl command, Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum

from pydantic import JsonValue

from components.contract.profile import OPENAI, Profile
from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.snippets import sentences
from components.snippets.mistralai_values import UNSET_SENTINEL, changed_by_mistralai, without_defaults_of_mistralai
from components.snippets.problem import CannotExport
from components.snippets.python_literal import python_arguments, python_literal

# Linux's limit for a single argument (MAX_ARG_STRLEN, with the terminating zero byte).
_MAX_BYTES_OF_CURL = 128 * 1024 - 1


def _to_curl(body: str, base_url: str, key_variable: str | None) -> str:
    """A command for any POSIX shell that posts ``body`` and prints the answer as it arrives.

    Raises CannotExport for a body that is too long for a command line.
    """
    if len(body.encode()) > _MAX_BYTES_OF_CURL:
        raise CannotExport(sentences.TOO_LONG_FOR_CURL)
    # In double quotes the shell expands the key's variable; everything else is in single quotes.
    authorization = f'  -H "Authorization: Bearer ${key_variable}" \\\n' if key_variable else ""
    return (
        f"curl -N {_in_single_quotes(f'{base_url}/chat/completions')} \\\n"
        f"{authorization}"
        "  -H 'Accept: text/event-stream' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  --data-raw {_in_single_quotes(body)}\n"
    )


def _in_single_quotes(text: str) -> str:
    # Within single quotes everything is literal; a single quote itself must be outside of them.
    return "'" + text.replace("'", r"'\''") + "'"


_REQUESTS_STREAMED = '''\
import json
{import_os}import sys

import requests
from sseclient import SSEClient

body = {body}


def pieces(response):
    """The answer in the pieces in which it arrives, each at once."""
    while piece := response.raw.read1(65536, decode_content=True):
        yield piece


with requests.post(
    {url},
    headers={{
{authorization}        "Accept": "text/event-stream",
        "Content-Type": "application/json",
    }},
    data=json.dumps(body, ensure_ascii=False, indent=2).encode({encoding}),
    stream=True,
    timeout=(10, 300),
) as response:
    if not response.ok:
        sys.exit(f"HTTP {{response.status_code}}: {{response.text}}")
    for event in SSEClient(pieces(response)).events():
        if event.data == "[DONE]":
            break
        chunk = json.loads(event.data)
        if chunk.get("error"):
            sys.exit(f"The stream ended with an error: {{chunk['error']}}")
        for choice in chunk.get("choices", [])[:1]:
            print(choice["delta"].get("content") or "", end="", flush=True)
print()
'''

_REQUESTS_AT_ONCE = """\
import json
{import_os}import sys

import requests

body = {body}

response = requests.post(
    {url},
    headers={{
{authorization}        "Accept": "text/event-stream",
        "Content-Type": "application/json",
    }},
    data=json.dumps(body, ensure_ascii=False, indent=2).encode({encoding}),
    timeout=(10, 300),
)
if not response.ok:
    sys.exit(f"HTTP {{response.status_code}}: {{response.text}}")
print(response.json()["choices"][0]["message"]["content"])
"""


def _to_requests(body: str, base_url: str, key_variable: str | None) -> str:
    """A program that posts the bytes of ``body``, with the libraries that Tempera uses: requests and sseclient-py.

    Raises CannotExport when the body nests too deeply for Python code.
    """
    fields = json.loads(body)
    authorization = f'        "Authorization": f"Bearer {{os.environ[\'{key_variable}\']}}",\n'
    return (_REQUESTS_STREAMED if fields["stream"] else _REQUESTS_AT_ONCE).format(
        import_os="import os\n" if key_variable else "",
        body=python_literal(fields),
        url=python_literal(f"{base_url}/chat/completions"),
        authorization=authorization if key_variable else "",
        encoding='"utf-8", "backslashreplace"' if _has_half_a_character(fields) else "",
    )


_MISTRALAI_STREAMED = """\
{import_os}from mistralai.client import Mistral

with Mistral(api_key={key}, server_url={address}) as client:
    with client.chat.stream(
{arguments}    ) as stream:
        for event in stream:
            for choice in event.data.choices[:1]:
                print(choice.delta.content or "", end="", flush=True)
print()
"""

_MISTRALAI_AT_ONCE = """\
{import_os}from mistralai.client import Mistral

with Mistral(api_key={key}, server_url={address}) as client:
    answer = client.chat.complete(
{arguments}    )
    print(answer.choices[0].message.content)
"""

_WHY_NONE = "        # None in a message makes the client leave a key out; without it, it would send a default.\n"


def _to_mistralai(body: str, base_url: str, key_variable: str | None) -> str:
    """A program for the mistralai client that sends a body equal to ``body`` as JSON.

    Raises CannotExport for a key or a value that the client would drop or change, and for an address without /v1, which
    it appends.
    """
    address = base_url.removesuffix("/v1")
    if address == base_url:
        raise CannotExport(sentences.MISTRALAI_NEEDS_V1)
    fields = json.loads(body)
    # The client's methods set it themselves.
    streamed = fields.pop("stream")
    if (what := next(changed_by_mistralai(fields), None)) is not None:
        raise CannotExport(sentences.MISTRALAI_CANNOT_SEND.format(what=what))
    if json.dumps(UNSET_SENTINEL) in body:
        raise CannotExport(sentences.MISTRALAI_CANNOT_SEND_TEXT.format(text=UNSET_SENTINEL))
    messages = [without_defaults_of_mistralai(message) for message in fields["messages"]]
    note = _WHY_NONE if messages != fields["messages"] else ""
    fields["messages"] = messages
    arguments = note + python_arguments(fields, " " * 8)
    return _with_client(_MISTRALAI_STREAMED if streamed else _MISTRALAI_AT_ONCE, address, key_variable, arguments)


_OPENAI_STREAMED = """\
{import_os}from openai import OpenAI

client = OpenAI(api_key={key}, base_url={address})

with client.chat.completions.create(
{arguments}) as stream:
    for chunk in stream:
        for choice in chunk.choices[:1]:
            print(choice.delta.content or "", end="", flush=True)
print()
"""

_OPENAI_AT_ONCE = """\
{import_os}from openai import OpenAI

client = OpenAI(api_key={key}, base_url={address})

answer = client.chat.completions.create(
{arguments})
print(answer.choices[0].message.content)
"""

_OPENAI_PARAMETERS = ("model", "messages", "stream", *(rules.key for rules in OPENAI.fields.values()))
"""The parameters of ``create``; all other keys are sent through ``extra_body``."""


def _to_openai(body: str, base_url: str, key_variable: str | None) -> str:
    """A program for the openai client, which sends its arguments unchanged, nulls included.

    Raises CannotExport for half of a surrogate pair, which that client cannot encode, and for too deep a nesting.
    """
    fields = json.loads(body)
    if _has_half_a_character(fields):
        raise CannotExport(sentences.OPENAI_HALF_A_CHARACTER)
    arguments = {key: value for key, value in fields.items() if key in _OPENAI_PARAMETERS}
    if extra := {key: value for key, value in fields.items() if key not in _OPENAI_PARAMETERS}:
        arguments["extra_body"] = extra
    template = _OPENAI_STREAMED if fields["stream"] else _OPENAI_AT_ONCE
    return _with_client(template, base_url, key_variable, python_arguments(arguments, "    "))


def _with_client(template: str, address: str, key_variable: str | None, arguments: str) -> str:
    return template.format(
        import_os="import os\n\n" if key_variable else "",
        # Without an argument a client would send the key of its own variable to this address.
        key=f'os.environ["{key_variable}"]' if key_variable else '"not-needed"',
        address=python_literal(address),
        arguments=arguments,
    )


def _has_half_a_character(fields: JsonValue) -> bool:
    """Whether a text has half of a surrogate pair, which UTF-8 cannot encode."""
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


_Write = Callable[[str, str, str | None], str]


class Language(Enum):
    """A language of generated code.

    ``label`` is its name on pages, ``highlighting`` its name in syntax highlighters, ``packages`` the packages to
    install with pip. ``write`` makes the code from a body, a base URL and the variable of the key, or raises
    CannotExport.
    """

    JSON = ("JSON", "json", lambda body, _base_url, _key_variable: body)
    CURL = ("curl", "bash", _to_curl)
    REQUESTS = ("Python: requests", "python", _to_requests, "requests sseclient-py")
    MISTRALAI = ("Python: mistralai", "python", _to_mistralai, "mistralai")
    OPENAI = ("Python: openai", "python", _to_openai, "openai")

    def __init__(self, label: str, highlighting: str, write: _Write, packages: str = "") -> None:
        self.label = label
        self.highlighting = highlighting
        self.write = write
        self.packages = packages


def export(
    request: ChatCompletionStreamRequest,
    profile: Profile,
    base_url: str,
    language: Language,
    key_variable: str | None = "API_KEY",
) -> str:
    """The code that sends ``request`` to ``base_url`` (which ends in /v1), or its JSON.

    ``key_variable`` is the name of the environment variable with the key, None for an endpoint without one. The code
    sends the bytes of ``to_bytes``; the two clients send equal JSON. Raises CannotExport when a language would send
    something else, and UnsendableField as ``to_bytes`` does.
    """
    if key_variable is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key_variable):
        raise ValueError("The variable for the key needs a plain name, such as API_KEY.")
    return language.write(to_bytes(request, profile).decode(), base_url, key_variable)
