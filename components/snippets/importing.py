"""Pasted text as a request: JSON, a curl command, a Python dict, or Python code that holds one.

Addresses, headers, cookies and keys are passed over and never repeated; nothing is executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, from_fields
from components.contract.strict_json import read_json
from components.snippets.credentials import credentials_left_out, without_credentials
from components.snippets.curl_command import body_of_curl
from components.snippets.loose_messages import contract_messages
from components.snippets.nesting import nests_too_deeply
from components.snippets.problem import ImportProblem
from components.snippets.python_code import body_of_python, python_dict

MOST_CHARACTERS = 2_000_000

STREAM_SWITCHED_ON = "The request did not say whether to stream; stream is on."


class _BrokenJson(ImportProblem):
    """Text that is no JSON at all."""


@dataclass(frozen=True)
class Imported:
    """A request that was found in a text. ``notes`` are sentences about what was changed or left out."""

    request: ChatCompletionStreamRequest
    notes: tuple[str, ...] = ()


def import_request(text: str, profile: Profile) -> Imported:
    """The request in ``text``, its keys read as this dialect names them.

    Keys that the contract does not know stand in ``extra_body``. Raises ImportProblem with one sentence when there is
    no request in it.
    """
    if len(text) > MOST_CHARACTERS:
        raise ImportProblem(f"The text is longer than {MOST_CHARACTERS:,} characters. Paste the request alone.")
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise ImportProblem("There is no text. Paste a request as JSON, a curl command or Python code.")
    if text.startswith(("{", "[")):
        return _from_braces(text, profile)
    # Parsing is not cheap, and without this word no code holds a request.
    python = body_of_python(text) if "messages" in text else None
    if python is not None:
        return _imported(python.fields, profile, python.notes, python.credentials, fills_in=python.fills_in)
    curl = body_of_curl(text) if "curl" in text else None
    if curl is not None:
        return _imported(_read_json(curl.text), profile, curl.notes)
    raise ImportProblem(
        "No request was found. Paste JSON that begins with {, a whole curl command, or Python code with messages."
    )


def _from_braces(text: str, profile: Profile) -> Imported:
    """JSON, or else a Python dict."""
    try:
        return _imported(_read_json(text), profile)
    except _BrokenJson:
        fields = python_dict(text)
        if fields is None:
            raise
        return _imported(fields, profile)


def _read_json(text: str) -> object:
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise _BrokenJson(
            f"The JSON breaks off or has a mistake at line {error.lineno}, column {error.colno}. Copy the whole of it."
        ) from None
    except ValueError as error:
        raise ImportProblem(f"The JSON cannot be used: {error}.") from None


def _imported(
    fields: object,
    profile: Profile,
    notes: tuple[str, ...] = (),
    credentials: tuple[str, ...] = (),
    *,
    fills_in: bool = False,
) -> Imported:
    """The request that the fields say. ``credentials`` are names of those that stood beside it and were not taken."""
    if not isinstance(fields, Mapping):
        raise ImportProblem("The request must be an object with model and messages.")
    for key in ("model", "messages"):
        if key not in fields:
            raise ImportProblem(f"The request has no {key}. Add it.")
    if nests_too_deeply(dict(fields)):
        raise ImportProblem("The request nests too deeply. Make it flatter.")
    messages, changes = contract_messages(fields["messages"], fills_in=fills_in)
    kept, left_out = without_credentials(fields)
    changes += credentials_left_out([*credentials, *left_out])
    body: dict[str, Any] = {"stream": True, **kept, "messages": messages}
    if "stream" not in fields:
        changes.append(STREAM_SWITCHED_ON)
    try:
        request = from_fields(body, profile)
    except ValidationError as error:
        raise ImportProblem(_sentence(error)) from None
    return Imported(request, (*notes, *changes))


def _sentence(error: ValidationError) -> str:
    """What is wrong with the first field that is wrong, without its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step + 1) if isinstance(step, int) else step for step in first["loc"][:3])
    return f"{place}: {first['msg']}."
