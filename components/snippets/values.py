"""Evaluates expressions of Python's syntax tree without executing them.

Names, literals, sums, f-strings and a few functions of Python and JavaScript are evaluated; all else is unknown.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable
from functools import reduce
from itertools import count
from string import Formatter
from typing import Any

from components.contract.strict_json import read_json
from components.snippets.raw_request import LOOP_NOT_FOLLOWED, UNKNOWN, Budget, Template

# Those of JSON, which is pasted into code, JavaScript and PowerShell.
_CONSTANTS = {"true": True, "false": False, "null": None, "$true": True, "$false": False, "$null": None}
_CONSTANTS |= {"True": True, "False": False, "None": None}
# Messages and clients of LangChain, Azure and mistralai.
_MESSAGE = re.compile(r"(?:^|\.)(System|Developer|Human|User|AI|Assistant|Tool)Message$")
_ROLES = {"Human": "user", "AI": "assistant"} | {
    name: name.lower() for name in ("System", "Developer", "User", "Assistant", "Tool")
}
# Methods that change a list or a dict.
_CHANGES = ("add", "append", "extend", "insert", "push", "update")
_CLIENT = re.compile(r"(?:^|\.)(?:Azure)?Chat[A-Z]\w*$")
_FIELD = re.compile(r"\w*")


class Client(dict[str, Any]):
    """The arguments of a LangChain client; ``invoke`` receives the messages."""

    def request(self, argument: Any) -> dict[str, Any]:
        """The request for an argument of ``invoke``: a text, messages, or pairs of role and text."""
        messages = argument if isinstance(argument, list) else [{"role": "user", "content": argument}]
        return {
            **{_LANGCHAIN.get(name, name): value for name, value in self.items()},
            "messages": [_of_pair(message) for message in messages],
        }


_LANGCHAIN = {"model_name": "model", "azure_deployment": "model", "streaming": "stream"}


def _of_pair(message: Any) -> Any:
    match message:
        case [str() as role, content]:
            return {"role": {"human": "user", "ai": "assistant"}.get(role, role), "content": content}
    return message


class Values:
    """The values of names at the current position in the code."""

    def __init__(
        self, budget: Budget, record: Callable[[dict[str, Any]], dict[str, Any]], *, is_translated: bool
    ) -> None:
        self._budget = budget
        self._record = record
        """Called with each dict that is made or changed."""
        self._names: dict[str, Any] = dict(_CONSTANTS)
        self._is_translated = is_translated
        self._shared: dict[int, tuple[ast.AST, Any]] = {}
        self.spread = "What ... adds" if is_translated else "What ** adds"
        """The key in place of those that an unknown object adds."""

    def of(self, node: ast.AST | None) -> Any:
        """The value of an expression; names share mutable values, as in Python."""
        if not self._is_translated or not isinstance(node, ast.Dict | ast.List | ast.Call):
            return self._value(node)
        if id(node) not in self._shared:
            self._shared[id(node)] = (node, self._value(node))
        return self._shared[id(node)][1]

    def _value(self, node: ast.AST | None) -> Any:
        self._budget.spend(1)
        match node:
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():
                return UNKNOWN if isinstance(node, ast.Set) else self._items(node.elts)
            case ast.Dict():
                return self._dict(list(zip(node.keys, node.values, strict=True)))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                value = self.of(node.operand)
                if type(value) not in (int, float):
                    return UNKNOWN
                return -value if isinstance(node.op, ast.USub) else value
            case ast.BinOp(op=ast.Add() | ast.BitOr()):
                return self._total(node)
            case ast.BoolOp(op=ast.Or()):
                return next((value for operand in node.values if (value := self.of(operand)) is not UNKNOWN), UNKNOWN)
            case ast.JoinedStr():
                return self._f_string(node)
            case ast.Call():
                return self._call(node)
            case ast.NamedExpr():
                self.assign(node.target, self.of(node.value))
                return self.of(node.target)
            case ast.Subscript():
                container, key = self.of(node.value), self.of(node.slice)
                try:
                    return container[key] if isinstance(container, dict | list) else UNKNOWN
                except (KeyError, IndexError, TypeError):
                    return UNKNOWN
            case ast.Await():
                return self.of(node.value)
        return self._names.get(dotted(node), UNKNOWN)

    def assign(self, target: ast.expr, value: Any) -> None:
        """Assign ``value`` to a name or a key, or its items to several names."""
        if isinstance(target, ast.Tuple | ast.List):
            values = value if isinstance(value, list) and len(value) == len(target.elts) else []
            for index, element in enumerate(target.elts):
                self.assign(element, values[index] if values else UNKNOWN)
        elif isinstance(target, ast.Subscript):
            container, key = self.of(target.value), self.of(target.slice)
            if isinstance(container, dict) and isinstance(key, str):
                container[key] = value
                self._record(container)
        elif name := dotted(target):
            self._names[name] = value

    def add(self, target: ast.expr, value: Any) -> None:
        """``target += value``."""
        container = self.of(target)
        if isinstance(container, list):
            self._budget.extend(container, value if isinstance(value, list) else [value])
        else:
            self.assign(target, self._sum(container, value))

    def change(self, call: ast.Call) -> None:
        """Apply a method that changes a list or a dict."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CHANGES:
            return
        receiver = self.of(call.func.value)
        arguments = self._items(call.args)
        match call.func.attr, receiver, arguments:
            case "append" | "push" | "add", list(), _:
                self._budget.extend(receiver, arguments)
            case "extend", list(), [value]:
                self._budget.extend(receiver, value)
            case "insert", list(), [int() as index, value]:
                self._budget.extend(receiver, [value], index)
            case "update", dict(), _:
                for value in [*arguments, self._keywords(call)]:
                    receiver.update(value if isinstance(value, dict) else {})
                self._record(receiver)

    def pass_over(self, body: list[ast.stmt]) -> None:
        """Mark everything that a skipped loop changes as incomplete."""
        for node in (node for statement in body for node in ast.walk(statement)):
            match node:
                case ast.Call(func=ast.Attribute(attr="add" | "append" | "extend" | "insert" | "push", value=target)):
                    self._budget.mark_incomplete(self.of(target), LOOP_NOT_FOLLOWED)
                case ast.AugAssign(target=target) if isinstance(self.of(target), list):
                    self._budget.mark_incomplete(self.of(target), LOOP_NOT_FOLLOWED)
                case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
                    self.assign(target, UNKNOWN)

    def with_parameters(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call | None, run: Callable[[], None]
    ) -> None:
        """Evaluate a function with the parameters of a call, or with its defaults."""
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip([parameter.arg for parameter in positional[::-1]], arguments.defaults[::-1], strict=False))
        defaults |= {
            parameter.arg: default
            for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is not None
        }
        names = [parameter.arg for parameter in [*positional, *arguments.kwonlyargs]]
        if call is not None:
            defaults |= dict(zip(names, call.args, strict=False)) | {
                parameter.arg: parameter.value for parameter in call.keywords if parameter.arg
            }
        outer = {name: self._names.get(name, UNKNOWN) for name in names}
        self._names |= {name: self.of(defaults.get(name)) for name in names}
        run()
        self._names |= outer

    def _items(self, nodes: list[ast.expr]) -> Any:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = self.of(node.value)
                if not isinstance(value, list) and not self._is_translated:
                    return UNKNOWN
                further = value if isinstance(value, list) else [value]
                self._budget.spend(len(further))
                items += further
            else:
                items.append(self.of(node))
        return items

    def _dict(self, pairs: list[tuple[ast.expr | None, ast.expr]]) -> Any:
        result: dict[str, Any] = {}
        for key, node in pairs:
            value = self.of(node)
            if key is None:
                self._budget.spend(len(value) if isinstance(value, dict) else 0)
                result |= value if isinstance(value, dict) else {self.spread: UNKNOWN}
            else:
                name = self.of(key)
                if not isinstance(name, str):
                    return UNKNOWN
                result[name] = value
        return self._record(result)

    def _keywords(self, call: ast.Call) -> Any:
        return self._dict([(ast.Constant(each.arg) if each.arg else None, each.value) for each in call.keywords])

    def _total(self, node: ast.expr) -> Any:
        operands: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.BitOr):
            operands.append(node.right)
            node = node.left
        values = [self.of(each) for each in (node, *reversed(operands))]
        # Joined at once: joining one after the other would count the first text once for each of the others.
        return (
            self._budget.joined(values) if all(isinstance(each, str) for each in values) else reduce(self._sum, values)
        )

    def _sum(self, left: Any, right: Any) -> Any:
        match left, right:
            case str(), str():
                return self._budget.joined([left, right])
            case (list(), list()) | (dict(), dict()):
                self._budget.spend(len(left) + len(right))
                return left + right if isinstance(left, list) else self._record(left | right)
        return UNKNOWN

    def _f_string(self, node: ast.JoinedStr) -> Any:
        texts, written = [], False
        for part in node.values:
            if isinstance(part, ast.Constant):
                texts.append(part.value if isinstance(part.value, str) else str(part.value))
                written = True
            elif isinstance(part, ast.FormattedValue):
                value = self.of(part.value) if part.format_spec is None and part.conversion == -1 else UNKNOWN
                if type(value) in (str, int, Template):
                    texts.append(value if isinstance(value, str) else str(value))
                    written = True
                else:
                    texts.append(Template("{" + (dotted(part.value) or "…") + "}"))
        return self._budget.joined(texts) if written else UNKNOWN

    def _call(self, call: ast.Call) -> Any:
        name = dotted(call.func)
        values = [self.of(argument) for argument in call.args]
        if name == "dict" and len(values) <= 1:
            keywords = self._keywords(call)
            first = values[0] if values else {}
            return self._sum(first, keywords) if isinstance(first, dict) and isinstance(keywords, dict) else UNKNOWN
        if (message := _MESSAGE.search(name)) or {"role", "content"} <= {keyword.arg for keyword in call.keywords}:
            role = {"role": _ROLES[message[1]]} if message else {}
            content = {"content": values[0]} if values else {}
            return role | content | self._keywords(call)  # a message class of a client
        if _CLIENT.search(name):
            return Client(self._keywords(call))
        match name.rpartition(".")[2] if name else "", values:
            case "dumps", [value]:
                return self._json(call, value)
            case "loads", [str() as text]:
                try:
                    return read_json(text)
                except ValueError:
                    return UNKNOWN
            case _, [str(), default] if name in ("getenv", "os.getenv", "environ.get", "os.environ.get"):
                return default
            case "dedent", [str() as text]:
                return self._budget.joined([type(text)(textwrap.dedent(text))])
            case "list" | "deepcopy" | "copy" | "tuple", [list() as value]:
                return self._sum(value, [])
            case "str" | "deepcopy" | "copy" | "dict", [str() | dict() as value]:
                return value
        if not isinstance(call.func, ast.Attribute):
            return UNKNOWN
        receiver = self.of(call.func.value)
        match call.func.attr, receiver, values:
            case "format", str(), _:
                return self._formatted(receiver, call, values)
            case "strip" | "trim", str(), []:
                return type(receiver)(receiver.strip())
            case "join", str() as between, [list() as texts]:
                return self._joined(between, texts)
            case "join", list() as texts, [str() as between]:
                return self._joined(between, texts)
            case "concat", list(), [list() as other]:
                return self._sum(receiver, other)
            case "copy", list() | dict(), []:
                return self._sum(receiver, type(receiver)())
            case "encode", str(), _:
                return receiver
        return UNKNOWN

    def _joined(self, between: str, texts: list[Any]) -> Any:
        are_texts = all(isinstance(text, str) for text in texts)
        return self._budget.joined([part for text in texts for part in (between, text)][1:]) if are_texts else UNKNOWN

    def _json(self, call: ast.Call, value: Any) -> Any:
        options = {keyword.arg: self.of(keyword.value) for keyword in call.keywords}
        indent = options.get("indent")
        if type(indent) is not int or indent > 8:
            indent = None
        try:
            text = json.dumps(
                self._budget.plain(value), indent=indent, ensure_ascii=options.get("ensure_ascii") is not False
            )
        except ValueError:
            return UNKNOWN
        return self._budget.joined([text])

    def _formatted(self, text: str, call: ast.Call, values: list[Any]) -> Any:
        fields = {str(index): value for index, value in enumerate(values)}
        fields |= {keyword.arg: self.of(keyword.value) for keyword in call.keywords if keyword.arg}
        texts: list[str] = []
        numbers = map(str, count())
        try:
            for literal, field, specification, conversion in Formatter().parse(text):
                texts.append(literal)
                if field is None:
                    continue
                if specification or conversion or not _FIELD.fullmatch(field):
                    return UNKNOWN
                value = fields.get(field or next(numbers), UNKNOWN)
                if isinstance(value, str) or type(value) is int:
                    texts.append(value if isinstance(value, str) else str(value))
                else:
                    texts.append(Template(f"{{{field}}}"))
        except ValueError:  # an open brace
            return UNKNOWN
        return self._budget.joined(texts)


def dotted(node: ast.AST | None) -> str:
    """An expression as a dotted name, such as ``client.chat.create``; empty for other expressions."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *names[::-1]]) if isinstance(node, ast.Name) else ""
