"""Finds the request in a pasted text. Imports little, because it may run in a separate process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace

from components.contract.strict_json import read_json
from components.isolation import TooMuch, isolation
from components.snippets import sentences
from components.snippets.cmd_words import cmd_commands
from components.snippets.code import python_dict, python_request
from components.snippets.curl_command import curl_request
from components.snippets.envelopes import code_of_notebook, json_request
from components.snippets.javascript import javascript_request
from components.snippets.powershell import powershell_request
from components.snippets.problem import ImportProblem, NothingSent
from components.snippets.raw_request import BrokenJson, RawRequest, request_in
from components.snippets.surroundings import fenced_blocks, without_prompts

_STRAIGHT = str.maketrans("“”„‘’", '"""\'\'')
_CURLY = re.compile("[“”„‘’]messages[“”„‘’]")
_MAX_HERE = 5_000
"""Characters. The worst text of this length takes Python's parser 15 ms, during which it blocks all other threads.

Code within other text is parsed up to five times.
"""


def find_request(text: str) -> RawRequest:
    """The request in a stripped text. Raises ImportProblem when it has none."""
    try:
        return _find(text)
    except ImportProblem:
        if _CURLY.search(text):
            with suppress(ImportProblem):
                raw = _find(text.translate(_STRAIGHT))
                return replace(raw, notes=("Curly quotes were read as straight ones.", *raw.notes))
        raise


def _find(text: str) -> RawRequest:
    """The same without replacing quotes. JSON is read here, other long texts in a separate process."""
    broken = None
    if _is_an_object(text):
        try:
            raw_json = json_request(text)
            code = code_of_notebook(raw_json.fields)
            if code is None:
                return raw_json
            text = code
        except BrokenJson as problem:
            broken = problem
    if len(text) <= _MAX_HERE:
        raw: RawRequest | None = _first_request(text)
    else:
        try:
            answer = read_json(isolation.run(raw_request_as_json, text))
        except (TooMuch, ValueError) as problem:
            raise broken or ImportProblem(sentences.PASTE_IT_ALONE.format(problem=str(problem).rstrip("."))) from None
        if isinstance(answer, str):
            raise ImportProblem(answer)
        notes_and_names = {key: tuple(answer[key]) for key in ("notes", "credentials")} if answer else {}
        raw = RawRequest(**answer | notes_and_names) if answer else None
    if raw is None:
        # Python's parser does not distinguish code beyond its limits from text that is not code.
        advice = " Paste the request alone." if len(text) > _MAX_HERE else ""
        raise broken or ImportProblem(sentences.NO_REQUEST.format(alone=advice))
    return raw


def raw_request_as_json(text: str) -> str:
    """The result as JSON: an object, null for nothing, or the sentence of an error."""
    try:
        raw = _first_request(text)
    except ImportProblem as problem:
        return json.dumps(str(problem))
    return json.dumps(asdict(raw) if raw else None)


def _first_request(text: str) -> RawRequest | None:
    """The first request in a text or in one of its fenced blocks, from the first reader that finds one."""
    text = without_prompts(text.replace("\r\n", "\n"))
    blocks = fenced_blocks(text)
    problem: ImportProblem | None = None
    fallback: RawRequest | None = None
    for number, piece in enumerate([*blocks, *(["\n".join(blocks)] if len(blocks) > 1 else []), text], 1):
        piece_problem: ImportProblem | None = None
        for applies, read in _READERS:
            if not applies(piece):
                continue
            if read is javascript_request and not isinstance(piece_problem, NothingSent | BrokenJson | None):
                break  # it is a command with a body
            try:
                raw = read(piece)
            except (ImportProblem, RecursionError) as raised:
                piece_problem = _worse(piece_problem, _sentence(raised))
                problem = _worse(problem, piece_problem)
                if read is python_request:
                    break  # it is Python, so no other reader applies
                continue
            if raw is not None and request_in(raw.fields) is not None:
                if not 1 < len(blocks) >= number:
                    return raw
                note = f"The text holds {len(blocks)} blocks of code; number {number}, the first request, was taken."
                return replace(raw, notes=(*raw.notes, note))
            fallback = fallback or raw
    if fallback is None and problem is not None:
        raise problem
    return fallback


def _worse(problem: ImportProblem | None, raised: ImportProblem) -> ImportProblem:
    """The first problem, unless it is a command without a body: any other problem says more."""
    return raised if problem is None or isinstance(problem, NothingSent) else problem


def _sentence(raised: ImportProblem | RecursionError) -> ImportProblem:
    return raised if isinstance(raised, ImportProblem) else ImportProblem(sentences.TEXT_TOO_DEEP)


def _is_an_object(text: str) -> bool:
    return text.startswith(("{", "["))


_MAY_HOLD_REQUEST = re.compile(r"messages|prompt\b|\binput\b|\.a?(?:invoke|stream)\(")
_WORDS_OF_CMD = re.compile(r"\^[\n\"]|\"\"|\\\"")
# For each kind of paste, whether it may apply to a text, and its reader. The first reader with a request wins.
_READERS: list[tuple[Callable[[str], object], Callable[[str], RawRequest | None]]] = [
    (_is_an_object, json_request),
    (_is_an_object, python_dict),
    # Parsing is expensive, and code without one of these words has no request.
    (lambda text: _MAY_HOLD_REQUEST.search(text) and not _is_an_object(text), python_request),
    (lambda text: "curl" in text, curl_request),
    (lambda text: "curl" in text and _WORDS_OF_CMD.search(text), lambda text: curl_request(text, cmd_commands)),
    (_MAY_HOLD_REQUEST.search, powershell_request),
    (_MAY_HOLD_REQUEST.search, javascript_request),
]
