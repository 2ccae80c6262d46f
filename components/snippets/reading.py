"""A pasted text as the plain values of the request in it. Imports little: it may run in a process of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace

from components.aside import TooMuch, aside
from components.contract.strict_json import read_json
from components.snippets import sentences
from components.snippets.cmd_words import cmd_commands
from components.snippets.curl_command import curl_request
from components.snippets.envelopes import code_of_notebook, json_request
from components.snippets.found import BrokenJson, Found, request_in
from components.snippets.javascript import javascript_request
from components.snippets.powershell import powershell_request
from components.snippets.problem import ImportProblem, NothingSent
from components.snippets.python_code import python_dict, python_request
from components.snippets.surroundings import fenced_blocks, without_prompts

_STRAIGHT = str.maketrans("“”„‘’", '"""\'\'')
_CURLY = re.compile("[“”„‘’]messages[“”„‘’]")
_MOST_HERE = 5_000
"""Characters. The worst of so many takes Python's parser 15 ms, in which nothing else of the process goes on.

Code with other words around it is parsed up to five times.
"""


def find_request(text: str) -> Found:
    """What is found in a text without blanks around it. Raises ImportProblem when there is no request in it."""
    try:
        return _find(text)
    except ImportProblem:
        if not _CURLY.search(text):
            raise
        try:
            found = _find(text.translate(_STRAIGHT))
        except ImportProblem:
            found = None
        if found is None:
            raise
        return replace(found, notes=("Curly quotes were read as straight ones.", *found.notes))


def _find(text: str) -> Found:
    """The same for a text as it stands. JSON is read here; what is long and no JSON is read in a separate process."""
    broken = None
    if text.startswith(("{", "[")):
        try:
            read = json_request(text)
            code = code_of_notebook(read.fields)
            if code is None:
                return read
            text = code
        except BrokenJson as problem:
            broken = problem
    if len(text) <= _MOST_HERE:
        found: Found | None = _found(text)
    else:
        try:
            answer = read_json(aside.do(found_as_json, text))
        except (TooMuch, ValueError) as problem:
            raise broken or ImportProblem(sentences.PASTE_IT_ALONE.format(problem=str(problem).rstrip("."))) from None
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
        raise broken or ImportProblem(sentences.NO_REQUEST.format(alone=alone))
    return found


def found_as_json(text: str) -> str:
    """What is found, as JSON: an object, null for nothing, or a sentence about what is wrong."""
    try:
        found = _found(text)
    except ImportProblem as problem:
        return json.dumps(str(problem))
    return json.dumps(asdict(found) if found else None)


def _found(text: str) -> Found | None:
    """The first request in a text: the whole of it, or a block of it, read by the first reader that finds one."""
    text = without_prompts(text.replace("\r\n", "\n"))
    blocks = fenced_blocks(text)
    problem: ImportProblem | None = None
    other: Found | None = None
    for number, piece in enumerate([*blocks, *(["\n".join(blocks)] if len(blocks) > 1 else []), text], 1):
        here: ImportProblem | None = None
        for applies, read in _READERS:
            if not applies(piece):
                continue
            if read is javascript_request and not isinstance(here, NothingSent | BrokenJson | None):
                break  # it is a command, whose body is not elsewhere
            try:
                found = read(piece)
            except (ImportProblem, RecursionError) as raised:
                here = _worse(here, _sentence(raised))
                problem = _worse(problem, here)
                if read is python_request:
                    break  # it is Python, and no other reader knows better
                continue
            if found is not None and request_in(found.fields) is not None:
                if not 1 < len(blocks) >= number:
                    return found
                said = f"The text holds {len(blocks)} blocks of code; number {number}, the first request, was taken."
                return replace(found, notes=(*found.notes, said))
            other = other or found
    if other is None and problem is not None:
        raise problem
    return other


def _worse(problem: ImportProblem | None, raised: ImportProblem) -> ImportProblem:
    """The first problem, but for a command without a body: what another reader finds wrong says more."""
    return raised if problem is None or isinstance(problem, NothingSent) else problem


def _sentence(raised: ImportProblem | RecursionError) -> ImportProblem:
    return raised if isinstance(raised, ImportProblem) else ImportProblem(sentences.TEXT_TOO_DEEP)


def _python_dict(text: str) -> Found | None:
    fields = python_dict(text)
    return None if fields is None else Found(fields)


def _is_an_object(text: str) -> bool:
    return text.startswith(("{", "["))


def _may_hold_one(text: str) -> bool:
    return _ASKS.search(text) is not None


_ASKS = re.compile(r"messages|prompt\b|\binput\b|\.a?(?:invoke|stream)\(")
_WORDS_OF_CMD = re.compile(r"\^[\n\"]|\"\"|\\\"")
# Each kind of paste: whether a text may be one, and what reads it. The first that finds a request is right.
_READERS: list[tuple[Callable[[str], bool], Callable[[str], Found | None]]] = [
    (_is_an_object, json_request),
    (_is_an_object, _python_dict),
    # Parsing is not cheap, and without one of these words no code holds a request.
    (lambda text: _may_hold_one(text) and not _is_an_object(text), python_request),
    (lambda text: "curl" in text, curl_request),
    (
        lambda text: "curl" in text and _WORDS_OF_CMD.search(text) is not None,
        lambda text: curl_request(text, cmd_commands),
    ),
    (_may_hold_one, powershell_request),
    (_may_hold_one, javascript_request),
]
