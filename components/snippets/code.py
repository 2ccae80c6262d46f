"""Finds the request in code: a call with messages, or an object with messages.

The code is parsed as Python, or translated into Python's syntax tree; it is never executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from components.contract.credentials import is_credential_name
from components.snippets import sentences
from components.snippets.problem import ImportProblem
from components.snippets.raw_request import UNKNOWN, Budget, RawRequest, has_request_keys, request_in
from components.snippets.surroundings import parsed
from components.snippets.tokens import Item, credentials_in
from components.snippets.translation import Translation
from components.snippets.values import Client, Values, dotted

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
_MAX_FOLLOWED = 10
_SEVERAL = "The code holds several requests; the first one was taken."
_SEVERAL_CALLS = "The code holds several calls; number {number}, the first with messages, was taken."


def python_request(text: str) -> RawRequest | None:
    """The first request in Python code, or None when ``text`` is not Python or has no request.

    Raises ImportProblem when the request's values are unknown.
    """
    tree = parsed(text)
    if tree is None:
        return None
    credentials = (name for node in ast.walk(tree) for name in _written_credentials(node))
    reading = _Reading(Budget(text))
    return reading.request(lambda: reading.run_python(tree), credentials)


def python_dict(text: str) -> RawRequest | None:
    """The request that is the dict literal in ``text``, or None when the text is anything else."""
    try:
        value = Budget(text).plain(ast.literal_eval(text))
    except _NOT_PYTHON:
        return None
    return RawRequest(value) if isinstance(value, dict) else None


def request_of(text: str, items: list[Item], translation: Translation, senders: frozenset[str]) -> RawRequest | None:
    """The first request in the tokens of another language. ``senders`` are the functions that send one.

    Raises ImportProblem when the request's values are unknown.
    """
    reading = _Reading(Budget(text), is_translated=True, senders=senders)
    return reading.request(lambda: reading.run(translation.statements(items)), credentials_in(items))


def object_alone(text: str, value: ast.expr) -> RawRequest | None:
    """The request that an object without unknown values is or holds."""
    return _Reading(Budget(text), is_translated=True).alone(value)


class _Reading:
    """Evaluates a program once, in the order of execution, and keeps the first request.

    ``is_translated``: each call is a statement of its own, and a literal always has the same value.
    """

    def __init__(self, budget: Budget, *, is_translated: bool = False, senders: frozenset[str] = frozenset()) -> None:
        self._budget = budget
        self._is_translated = is_translated
        self._senders = senders
        self._values = Values(budget, self._record, is_translated=is_translated)
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._followed = 0
        # Objects and texts that may be requests. They count when no call sends one.
        self._objects: list[Any] = []
        self._texts: list[str] = []
        self._calls = 0
        self._several = False
        self._first: RawRequest | None = None
        self._taken: ast.Call | None = None
        self._taken_number = 0
        self._sent: dict[str, Any] = {}
        self._problem: ImportProblem | None = None

    def request(self, read: Callable[[], object], credentials: Iterable[str]) -> RawRequest | None:
        """The first request that a call sends, else the first object that is a request, else None.

        ``credentials`` are the names of credentials in the code. Raises ImportProblem when the code holds requests, but
        none whose values are known.
        """
        try:
            read()
        except ImportProblem as problem:
            self._problem = self._problem or problem
        except RecursionError:
            self._problem = self._problem or ImportProblem(sentences.TEXT_TOO_DEEP)
        for candidate in [*self._objects, *(self._texts if self._first is None else ())]:
            self._take(candidate)
        if self._first is None:
            if self._problem is not None:
                raise self._problem
            return None
        notes = self._first.notes
        if self._calls > 1:
            notes += (_SEVERAL_CALLS.format(number=self._taken_number),)
        elif self._several:
            notes += (_SEVERAL,)
        names = dict.fromkeys(name for name in credentials if name not in self._first.fields)
        return replace(self._first, notes=notes, credentials=(*names, *self._first.credentials))

    def run_python(self, tree: ast.Module) -> None:
        """Evaluate a program, and note whether another call resembles the one that was taken."""
        self.run(tree.body)
        name = dotted(self._taken.func) if self._taken else ""
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node is not self._taken)
        self._several |= name != "" and any(dotted(call.func) == name for call in calls)

    def alone(self, node: ast.expr) -> RawRequest | None:
        """The request in a value without unknown parts."""
        value = self._values.of(node)
        return self.request(lambda: self._take(value), ()) if self._budget.is_plain(value) else None

    def _take(self, value: Any, *, fills_in: bool = False) -> bool:
        """Keep a copy of the request that ``value`` is or holds, if it is the first; returns whether it was kept."""
        sent = request_in(value)
        if sent is None and isinstance(value, dict):
            bodies = (inner for key, inner in value.items() if key.lower() in ("body", "data", "json"))
            sent = next(filter(None, map(request_in, bodies)), None)
        if sent is None:
            return False
        if self._first is not None:
            # An object with the same messages, or a copy, is the same request on its way to the call.
            is_same = sent is self._sent or sent.get("messages") is self._sent.get("messages")
            self._several |= not is_same and sent != self._first.fields
            return False
        try:
            self._first = self._budget.request(sent, fills_in=fills_in)
        except ImportProblem as problem:
            self._problem = self._problem or problem
            return False
        self._sent = sent
        self._taken_number = self._calls
        return True

    def _record(self, value: dict[str, Any]) -> dict[str, Any]:
        if has_request_keys(value):
            self._objects.append(value)
        return value

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Evaluate statements in order."""
        for statement in body:
            self._step(statement)

    def _step(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._values.with_parameters(statement, None, lambda: self.run(statement.body))
                self._functions[statement.name] = statement
            case ast.ClassDef():
                self.run(statement.body)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    self._find_calls(item.context_expr)
                self.run(statement.body)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(statement)
            case ast.If():
                self._find_calls(statement.test)
                self.run(statement.body)
                self.run(statement.orelse)
            case ast.Try() | ast.TryStar():
                self.run([*statement.body, *(inner for handler in statement.handlers for inner in handler.body)])
                self.run([*statement.orelse, *statement.finalbody])
            case ast.Assign():
                self._find_calls(statement.value)
                value = self._values.of(statement.value)
                for target in statement.targets:
                    self._values.assign(target, value)
            case ast.AnnAssign(value=ast.expr() as assigned):
                self._find_calls(assigned)
                self._values.assign(statement.target, self._values.of(assigned))
            case ast.AugAssign():
                self._find_calls(statement.value)
                self._values.add(statement.target, self._values.of(statement.value))
            case ast.Expr() | ast.Return():
                self._find_calls(statement.value)
                if isinstance(statement.value, ast.Call):
                    if self._is_translated:
                        self._send(statement.value)
                    self._values.change(statement.value)
                value = self._values.of(statement.value)
                if self._is_translated and isinstance(value, str):
                    self._texts.append(value)
            case _:
                self._find_calls(statement)

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.While) -> None:
        """Evaluate the first pass of a loop that may send a request; mark what other loops change as incomplete."""
        if not isinstance(loop, ast.While):
            self._find_calls(loop.iter)
        if any(_may_send(node) for statement in loop.body for node in ast.walk(statement)):
            if not isinstance(loop, ast.While):
                values = self._values.of(loop.iter)
                self._values.assign(loop.target, values[0] if isinstance(values, list) and values else UNKNOWN)
            self.run(loop.body)
        self._values.pass_over(loop.body)
        self.run(loop.orelse)

    def _find_calls(self, expression: ast.AST | None) -> None:
        """Look for calls in an expression that send a request."""
        for node in ast.walk(expression) if expression is not None and not self._is_translated else ():
            if isinstance(node, ast.Call):
                self._try_call(node)

    def _try_call(self, call: ast.Call) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)
        if name in _SENDS_NOTHING:
            return
        if name in self._functions and self._followed < _MAX_FOLLOWED:
            self._followed += 1
            function = self._functions.pop(name)  # prevents recursion
            self._values.with_parameters(function, call, lambda: self.run(function.body))
            self._functions[name] = function
            return
        sent: Any = None
        if name in _INVOKES and isinstance(client := self._values.of(getattr(call.func, "value", None)), Client):
            sent = client.request(self._values.of(call.args[0])) if call.args else None
        elif _has_messages(call):
            sent = self._arguments(call)
        else:
            for node in [*call.args, *(keyword.value for keyword in call.keywords)]:
                sent = sent or request_in(self._values.of(_without_encoding(node)))
            if sent is not None and any(keyword.arg is None for keyword in call.keywords):
                sent = self._arguments(call)
        if sent is not None and name in _STREAMED_BY_NAME:
            sent = {"stream": _STREAMED_BY_NAME[name], **sent}
        if call is not self._taken and self._take(sent, fills_in=name in _STREAMED_BY_NAME):
            self._taken = call

    def _send(self, call: ast.Call) -> None:
        """Take the first request among the arguments of a translated call."""
        self._calls += dotted(call.func) in self._senders
        for argument in call.args if not isinstance(call.func, ast.Attribute) else ():
            self._take(self._values.of(argument))

    def _arguments(self, call: ast.Call) -> dict[str, Any]:
        """The body in the arguments of a call."""
        arguments: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg in _NOT_IN_THE_BODY:
                continue
            value = self._values.of(keyword.value)
            if keyword.arg is None or keyword.arg == "extra_body":
                merged |= value if isinstance(value, dict) else {keyword.arg or self._values.spread: UNKNOWN}
            else:
                arguments[keyword.arg] = value
        return arguments | merged


def _written_credentials(node: ast.AST) -> Iterator[str]:
    """The names of string literals in a node that are credentials."""
    pairs: list[tuple[str | None, ast.expr]] = []
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        key = target.slice if isinstance(target, ast.Subscript) else target
        pairs = [(getattr(key, "id", None) or getattr(key, "attr", None) or getattr(key, "value", None), node.value)]
    elif isinstance(node, ast.Call):
        pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
    elif isinstance(node, ast.Dict):
        pairs = [
            (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None, value)
            for key, value in zip(node.keys, node.values, strict=True)
        ]
    for name, value in pairs:
        if isinstance(name, str) and is_credential_name(name) and _is_written_out(value):
            yield name


def _is_written_out(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple | ast.List):
        return any(map(_is_written_out, value.elts))
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value != ""


def _has_messages(call: ast.Call) -> bool:
    names = {keyword.arg or "" for keyword in call.keywords}
    return has_request_keys(names) and not _OTHER_MODELS.search(dotted(call.func))


def _may_send(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and any(keyword.arg in _MAY_HOLD_A_REQUEST for keyword in node.keywords)


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
