"""The request in Python code: a dict with messages, or a call that is given some.

The code is parsed and never executed; only what is written out as plain values is read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.snippets.credentials import is_for_the_call, names_a_credential
from components.snippets.problem import ImportProblem

# Arguments of the clients' calls that concern the call and not the body.
_NOT_IN_THE_BODY = {"extra_query", "retries", "timeout", "timeout_ms"}
_STREAMED_BY_NAME = {"stream": True, "complete": False}
# What parsing and reading raise, for text that is no Python, no plain value, or too much for the parser.
_NOT_PLAIN = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
# No more digits than Python turns into text and back.
_MOST_BITS = 14_000


@dataclass(frozen=True)
class PythonBody:
    """The body that code would send, and sentences about what was left out.

    ``credentials`` names those that are written out in the code beside the request, or given to its call without being
    written out. ``fills_in`` says that None in a message stands for nothing at all, as with the mistralai client.
    """

    fields: dict[str, Any]
    notes: tuple[str, ...]
    credentials: tuple[str, ...]
    fills_in: bool


def body_of_python(text: str) -> PythonBody | None:
    """The body of the first request in ``text``, or None when that is no Python or holds no request.

    Raises ImportProblem for a request that is not written out as plain values.
    """
    try:
        tree = ast.parse(text)
    except _NOT_PLAIN:
        return None
    found = [node for node in ast.walk(tree) if _has_messages(node)]
    if not found:
        return None
    first = found[0]
    assigned = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    within = set(map(id, ast.walk(first)))
    credentials = [name for node in ast.walk(tree) if id(node) not in within for name in _written_credentials(node)]
    fields, left_out = _read(first, assigned)
    credentials += [name for name in left_out if is_for_the_call(name)]
    left_out = [name for name in left_out if not is_for_the_call(name)]
    notes = [f"{name[:40]} was left out: its value is not written out in the code." for name in left_out[:5]]
    if any(id(node) not in within for node in found[1:]):
        notes.append("The code holds several requests; the first one was taken.")
    method = first.func.attr if isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute) else ""
    if method in _STREAMED_BY_NAME:
        fields.setdefault("stream", _STREAMED_BY_NAME[method])
    return PythonBody(fields, tuple(notes), tuple(credentials), fills_in=method in _STREAMED_BY_NAME)


def python_dict(text: str) -> dict[str, Any] | None:
    """The dict that ``text`` is, or None when it is none that is written out as plain values."""
    try:
        value = _json_value(ast.literal_eval(text))
    except _NOT_PLAIN:
        return None
    return value if isinstance(value, dict) else None


def _has_messages(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return any(keyword.arg == "messages" for keyword in node.keywords)
    return isinstance(node, ast.Dict) and any(
        isinstance(key, ast.Constant) and key.value == "messages" for key in node.keys
    )


def _written_credentials(node: ast.AST) -> Iterator[str]:
    """The names under which this node of the code holds credentials that are written out."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        name = target.slice if isinstance(target, ast.Subscript) else target
        named = [(getattr(name, "id", None) or getattr(name, "attr", None) or getattr(name, "value", None), node.value)]
    else:
        named = list(_arguments(node))
    for said, value in named:
        if isinstance(said, str) and names_a_credential(said) and _is_written_out(value):
            yield said


def _is_written_out(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple | ast.List):
        return any(map(_is_written_out, value.elts))
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value != ""


def _read(node: ast.AST, assigned: dict[str, ast.expr]) -> tuple[dict[str, Any], list[str]]:
    """The keys and values of a call or a dict, and the names of those that are no plain values."""
    is_call = isinstance(node, ast.Call)
    fields: dict[str, Any] = {}
    left_out: list[str] = []
    merged: dict[str, Any] = {}
    for name, value in _arguments(node):
        if is_call and name in _NOT_IN_THE_BODY:
            continue
        if isinstance(value, ast.Name) and value.id in assigned:
            # Taken out, so that no text is read many times over.
            value = assigned.pop(value.id)
        try:
            plain = _json_value(ast.literal_eval(value))
        except _NOT_PLAIN:
            if name in ("model", "messages", "extra_body"):
                raise ImportProblem(
                    f"{name} is not written out in the code as plain values. Put the values themselves there."
                ) from None
            left_out.append("What ** adds" if name is None else name)
            continue
        if name is None or (is_call and name == "extra_body"):
            merged |= plain if isinstance(plain, dict) else {}
        else:
            fields[name] = plain
    return fields | merged, left_out


def _arguments(node: ast.AST) -> Iterator[tuple[str | None, ast.expr]]:
    """Each argument of a call or key of a dict; None names what is merged in by ``**``."""
    if isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                yield None, value
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _json_value(value: object) -> Any:
    """``value`` with lists for tuples. Raises ValueError for what JSON cannot hold."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError
        return {key: _json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(inner) for inner in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and value.bit_length() <= _MOST_BITS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError
