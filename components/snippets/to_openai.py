"""Generates Python code for the openai client, which sends its arguments unchanged, nulls included."""

from __future__ import annotations

import json

from components.contract.profile import OPENAI
from components.snippets import sentences
from components.snippets.problem import CannotExport
from components.snippets.python_literal import python_arguments, python_literal

_PARAMETERS = ("model", "messages", "stream", *(rules.key for rules in OPENAI.fields.values()))
"""The parameters of ``create``; all other keys are sent through ``extra_body``."""

_STREAMED = """\
{import_os}from openai import OpenAI

client = OpenAI(api_key={key}, base_url={base_url})

with client.chat.completions.create(
{arguments}) as stream:
    for chunk in stream:
        for choice in chunk.choices[:1]:
            print(choice.delta.content or "", end="", flush=True)
print()
"""

_AT_ONCE = """\
{import_os}from openai import OpenAI

client = OpenAI(api_key={key}, base_url={base_url})

answer = client.chat.completions.create(
{arguments})
print(answer.choices[0].message.content)
"""


def to_openai(body: str, base_url: str, key_variable: str | None) -> str:
    """A program that sends a body equal to ``body`` as JSON and prints the answer as it arrives.

    Raises CannotExport for half of a surrogate pair, which that client cannot encode, and for too deep a nesting.
    """
    fields = json.loads(body)
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise CannotExport(sentences.OPENAI_HALF_A_CHARACTER) from None
    arguments = {key: value for key, value in fields.items() if key in _PARAMETERS}
    if extra := {key: value for key, value in fields.items() if key not in _PARAMETERS}:
        arguments["extra_body"] = extra
    return (_STREAMED if fields["stream"] else _AT_ONCE).format(
        import_os="import os\n\n" if key_variable else "",
        # Without an argument the client would send OPENAI_API_KEY to this address.
        key=f'os.environ["{key_variable}"]' if key_variable else '"not-needed"',
        base_url=python_literal(base_url),
        arguments=python_arguments(arguments, "    "),
    )
