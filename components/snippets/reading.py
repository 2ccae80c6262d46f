"""A pasted text as the plain values of the request in it. Imports little: it may run in a process of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from components.aside import TooMuch, aside
from components.contract.strict_json import read_json
from components.snippets.curl_command import body_of_curl
from components.snippets.problem import ImportProblem
from components.snippets.python_code import body_of_python, python_dict

_MOST_HERE = 5_000
"""Characters. The worst of so many takes Python's parser 15 ms, in which nothing else of the process goes on."""


class _BrokenJson(ImportProblem):
    """Text that is no JSON at all."""


@dataclass(frozen=True)
class Found:
    """What a text says, before anybody asks whether it is a request, and sentences about what was left out.

    ``credentials`` are names of those that stood beside it and were not taken.
    ``fills_in`` says that None in a message stands for nothing at all, as with the mistralai client.
    """

    fields: Any
    notes: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    fills_in: bool = False


def find_request(text: str) -> Found:
    """What is found in a text without blanks around it. Raises ImportProblem when there is no request in it.

    JSON is read here, and what is long and none in a process apart.
    """
    broken = None
    if text.startswith(("{", "[")):
        try:
            return Found(_read_json(text))
        except _BrokenJson as problem:
            broken = problem
    if len(text) <= _MOST_HERE:
        found = _found(text)
    else:
        try:
            answer = read_json(aside.do(found_as_json, text))
        except (TooMuch, ValueError) as problem:
            raise broken or ImportProblem(f"{str(problem).rstrip('.')}. Paste the request alone.") from None
        if isinstance(answer, str):
            raise ImportProblem(answer)
        found = (
            Found(**{**answer, "notes": tuple(answer["notes"]), "credentials": tuple(answer["credentials"])})
            if answer
            else None
        )
    if found is None:
        # Python's parser does not tell code that is too much for it from text that is no code.
        alone = " Paste the request alone." if len(text) > _MOST_HERE else ""
        raise broken or ImportProblem(
            f"No request was found.{alone} "
            "Paste JSON that begins with {, a whole curl command, or Python code with messages."
        )
    return found


def found_as_json(text: str) -> str:
    """What is found, as JSON: an object, null for nothing, or a sentence about what is wrong."""
    try:
        found = _found(text)
    except ImportProblem as problem:
        return json.dumps(str(problem))
    return json.dumps(asdict(found) if found else None)


def _found(text: str) -> Found | None:
    """What is found in text that is no JSON."""
    if text.startswith(("{", "[")):
        fields = python_dict(text)
        return None if fields is None else Found(fields)
    # Parsing is not cheap, and without this word no code holds a request.
    python = body_of_python(text) if "messages" in text else None
    if python is not None:
        return Found(python.fields, python.notes, python.credentials, python.fills_in)
    curl = body_of_curl(text) if "curl" in text else None
    return None if curl is None else Found(_read_json(curl.text), curl.notes)


def _read_json(text: str) -> object:
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise _BrokenJson(
            f"The JSON breaks off or has a mistake at line {error.lineno}, column {error.colno}. Copy the whole of it."
        ) from None
    except ValueError as error:
        raise ImportProblem(f"The JSON cannot be used: {error}.") from None
