"""Finds the request in Python code: a call with messages, or a dict with messages.

The code is parsed and never executed; only values that it contains are read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from components.contract.credentials import is_credential_name
from components.snippets.first_request import FirstRequest
from components.snippets.found import UNKNOWN, Budget, Found, has_request_keys, request_in
from components.snippets.python_values import WHAT_STARS_ADD, Client, PythonValues, dotted
from components.snippets.surroundings import parsed

# Arguments that configure the call and are not sent in the body.
_NOT_IN_THE_BODY = {"drop_params", "extra_query", "timeout", "timeout_ms", "request_timeout"}
_NOT_IN_THE_BODY |= {"retries", "max_retries", "num_retries"}
_STREAMED_BY_NAME = {"stream": True, "stream_async": True, "complete": False, "complete_async": False}
_INVOKES = {"invoke", "ainvoke", "stream", "astream"}
# APIs other than chat.
_OTHER_MODELS = re.compile(r"embedding|images?\.|audio|moderation|video", re.IGNORECASE)
# Calls that may have a request as an argument and do not send it.
_SENDS_NOTHING = {"append", "copy", "deepcopy", "dict", "dumps", "extend", "len", "list", "loads", "pprint", "print"}
_SENDS_NOTHING |= {"encode", "format", "insert", "isinstance", "join", "str", "type", "update"}
_MAY_HOLD_A_REQUEST = {"messages", "json", "data", "body", "content", None}
# The errors of parsing text that is not Python, not a literal, or too large for the parser.
_NOT_PYTHON = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
# Calls of functions that the code defines.
_MOST_FOLLOWED = 10


def python_request(text: str) -> Found | None:
    """The first request in Python code, or None when ``text`` is not Python or has no request.

    Raises ImportProblem when the request's values are unknown.
    """
    tree = parsed(text)
    if tree is None:
        return None
    return _Reading(tree, Budget(text)).request()


def python_dict(text: str) -> dict[str, Any] | None:
    """The dict literal in ``text``, or None when the text is anything else."""
    try:
        value = Budget(text).plain(ast.literal_eval(text))
    except _NOT_PYTHON:
        return None
    return value if isinstance(value, dict) else None


class _Reading(FirstRequest):
    """Evaluates the code once, in the order of execution."""

    def __init__(self, tree: ast.Module, budget: Budget) -> None:
        super().__init__(budget)
        self._tree = tree
        self._values = PythonValues(budget, self.noted)
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._followed = 0
        self._taken: ast.Call | None = None

    def request(self) -> Found | None:
        """The first request that a call sends, else the first dict that is a request."""
        found = self.found(self._read)
        if found is None:
            return None
        names = (name for node in ast.walk(self._tree) for name in _written_credentials(node))
        credentials = dict.fromkeys(name for name in names if name not in found.fields)
        return replace(found, credentials=(*credentials, *found.credentials))

    def _read(self) -> None:
        self._run(self._tree.body)
        name = dotted(self._taken.func) if self._taken else ""
        calls = (node for node in ast.walk(self._tree) if isinstance(node, ast.Call) and node is not self._taken)
        self.several |= name != "" and any(dotted(call.func) == name for call in calls)

    def _run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._step(statement)

    def _step(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._values.with_parameters(statement, None, lambda: self._run(statement.body))
                self._functions[statement.name] = statement
            case ast.ClassDef():
                self._run(statement.body)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    self._look(item.context_expr)
                self._run(statement.body)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(statement)
            case ast.If():
                self._look(statement.test)
                self._run(statement.body)
                self._run(statement.orelse)
            case ast.Try() | ast.TryStar():
                self._run([*statement.body, *(one for handler in statement.handlers for one in handler.body)])
                self._run([*statement.orelse, *statement.finalbody])
            case ast.Assign():
                self._look(statement.value)
                value = self._values.of(statement.value)
                for target in statement.targets:
                    self._values.assign(target, value)
            case ast.AnnAssign(value=ast.expr() as assigned):
                self._look(assigned)
                self._values.assign(statement.target, self._values.of(assigned))
            case ast.AugAssign():
                self._look(statement.value)
                self._values.add(statement.target, self._values.of(statement.value))
            case ast.Expr() | ast.Return():
                self._look(statement.value)
                if isinstance(statement.value, ast.Call):
                    self._values.change(statement.value)
                self._values.of(statement.value)
            case _:
                self._look(statement)

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.While) -> None:
        """Evaluate the first pass of a loop that may send a request; mark what other loops change as incomplete."""
        if not isinstance(loop, ast.While):
            self._look(loop.iter)
        if any(_may_ask(node) for statement in loop.body for node in ast.walk(statement)):
            if not isinstance(loop, ast.While):
                values = self._values.of(loop.iter)
                self._values.assign(loop.target, values[0] if isinstance(values, list) and values else UNKNOWN)
            self._run(loop.body)
        self._values.pass_over(loop.body)
        self._run(loop.orelse)

    def _look(self, expression: ast.AST | None) -> None:
        """Look for calls in an expression that send a request."""
        for node in ast.walk(expression) if expression is not None else ():
            if isinstance(node, ast.Call):
                self._try(node)

    def _try(self, call: ast.Call) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)
        if name in _SENDS_NOTHING:
            return
        if name in self._functions and self._followed < _MOST_FOLLOWED:
            self._followed += 1
            function = self._functions.pop(name)  # prevents recursion
            self._values.with_parameters(function, call, lambda: self._run(function.body))
            self._functions[name] = function
            return
        sent: Any = None
        if name in _INVOKES and isinstance(client := self._values.of(getattr(call.func, "value", None)), Client):
            sent = client.request(self._values.of(call.args[0])) if call.args else None
        elif _has_messages(call):
            sent = self._arguments(call)
        else:
            for node in [*call.args, *(one.value for one in call.keywords)]:
                sent = sent or request_in(self._values.of(_without_encoding(node)))
            if sent is not None and any(one.arg is None for one in call.keywords):
                sent = self._arguments(call)
        if sent is not None and name in _STREAMED_BY_NAME:
            sent = {"stream": _STREAMED_BY_NAME[name], **sent}
        if call is not self._taken and self.take(sent, fills_in=name in _STREAMED_BY_NAME):
            self._taken = call

    def _arguments(self, call: ast.Call) -> dict[str, Any]:
        """The body in the arguments of a call."""
        said: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for one in call.keywords:
            if one.arg in _NOT_IN_THE_BODY:
                continue
            value = self._values.of(one.value)
            if one.arg is None or one.arg == "extra_body":
                merged |= value if isinstance(value, dict) else {one.arg or WHAT_STARS_ADD: UNKNOWN}
            else:
                said[one.arg] = value
        return said | merged


def _written_credentials(node: ast.AST) -> Iterator[str]:
    """The names of string literals in a node that are credentials."""
    named: list[tuple[str | None, ast.expr]] = []
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        key = target.slice if isinstance(target, ast.Subscript) else target
        named = [(getattr(key, "id", None) or getattr(key, "attr", None) or getattr(key, "value", None), node.value)]
    elif isinstance(node, ast.Call):
        named = [(one.arg, one.value) for one in node.keywords]
    elif isinstance(node, ast.Dict):
        named = [
            (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None, value)
            for key, value in zip(node.keys, node.values, strict=True)
        ]
    for said, value in named:
        if isinstance(said, str) and is_credential_name(said) and _is_written_out(value):
            yield said


def _is_written_out(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple | ast.List):
        return any(map(_is_written_out, value.elts))
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value != ""


def _has_messages(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return has_request_keys({one.arg or "" for one in node.keywords}) and not _OTHER_MODELS.search(
            dotted(node.func)
        )
    return isinstance(node, ast.Dict) and any(isinstance(k, ast.Constant) and k.value == "messages" for k in node.keys)


def _may_ask(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and any(one.arg in _MAY_HOLD_A_REQUEST for one in node.keywords)


def _without_encoding(node: ast.expr) -> ast.expr:
    """The value that is encoded: ``body`` in ``json.dumps(body).encode()``."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
            node = node.func.value
        elif dotted(node.func).rpartition(".")[2] == "dumps" and node.args:
            node = node.args[0]
        else:
            break
    return node
