"""The language of the check ``expression``: comparisons and arithmetic on an answer, evaluated by simpleeval.

Loops, attributes, formats and powers are left out: the time is linear in the answer and in the expression.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from simpleeval import DEFAULT_OPERATORS, SimpleEval

from components.checks import sentences

_LONGEST = 2_000
_MAX_LEVELS = 50
_NODES = (
    ast.Name,
    ast.UnaryOp,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Subscript,
    ast.Slice,
    ast.Constant,
)
_NAMES = ("answer", "finish_reason", "tokens")


def _remainder(dividend: Any, divisor: Any) -> Any:
    # Of a text, % is a format, which can ask for any width.
    if isinstance(dividend, str | bytes):
        raise TypeError("% takes numbers")
    return operator.mod(dividend, divisor)


_OPERATORS = {
    kind: DEFAULT_OPERATORS[kind]
    for kind in (
        *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.USub, ast.UAdd, ast.Not),
        *(ast.Eq, ast.NotEq, ast.Gt, ast.Lt, ast.GtE, ast.LtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
    )
} | {ast.Mod: _remainder}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "strip": lambda text: str(text).strip(),
    "words": lambda text: str(text).split(),
    "lines": lambda text: str(text).splitlines(),
    "count": lambda text, part: str(text).count(part),
    "starts": lambda text, part: str(text).startswith(part),
    "ends": lambda text, part: str(text).endswith(part),
}
EXPRESSION_WORDS = f"It may use {', '.join(_NAMES)}, numbers, texts, operators, and {', '.join(_FUNCTIONS)}."
"""What an expression is made of, as a sentence."""


class ExpressionProblem(ValueError):
    """An expression cannot be read or evaluated; the text is a sentence."""


@lru_cache(maxsize=256)
def parsed_expression(expression: str) -> ast.expr:
    """The expression as a tree, which holds only what the language has. Raises ExpressionProblem."""
    if len(expression) > _LONGEST:
        raise ExpressionProblem(sentences.EXPRESSION_TOO_LONG.format(limit=_LONGEST))
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionProblem(sentences.EXPRESSION_UNREADABLE) from None
    layer: list[ast.AST] = [tree]
    for _ in range(_MAX_LEVELS):
        for node in layer:
            _admit(node)
        layer = [inner for node in layer for inner in _parts(node)]
        if not layer:
            return tree
    raise ExpressionProblem(sentences.EXPRESSION_TOO_DEEP)


def evaluated(expression: str, names: Mapping[str, Any]) -> Any:
    """The value of the expression with these names. Raises ExpressionProblem."""
    tree = parsed_expression(expression)
    _names.set(names)
    try:
        return _LANGUAGE.eval(expression, tree)
    except Exception as error:  # noqa: BLE001 - simpleeval raises what the expression's operations raise
        raise ExpressionProblem(sentences.EXPRESSION_FAILED.format(error=error).replace("..", ".")) from None


# One for all threads: making one changes the filters of warnings, which no two threads may do at once.
_names: ContextVar[Mapping[str, Any]] = ContextVar("names")
_LANGUAGE = SimpleEval(_OPERATORS, _FUNCTIONS, lambda node: _names.get()[node.id])
_LANGUAGE.nodes = {kind: _LANGUAGE.nodes[kind] for kind in _NODES if kind in _LANGUAGE.nodes}


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    # A function is no value: it can only be called.
    return node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)


def _admit(node: ast.AST) -> None:
    if isinstance(node, ast.Name) and node.id not in _NAMES:
        raise ExpressionProblem(sentences.EXPRESSION_WITHOUT.format(what=node.id[:40]))
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
        raise ExpressionProblem(sentences.EXPRESSION_CALLS_OTHERS)
    if isinstance(node, ast.Call) and node.keywords:
        raise ExpressionProblem(sentences.EXPRESSION_ARGUMENT_NAMED)
    operators = (ast.operator, ast.unaryop, ast.cmpop)
    if isinstance(node, operators) and type(node) not in _OPERATORS:
        raise ExpressionProblem(sentences.EXPRESSION_OPERATOR_MISSING.format(name=type(node).__name__))
    if not isinstance(node, (*_NODES, *operators, ast.boolop, ast.expr_context)):
        raise ExpressionProblem(sentences.EXPRESSION_WITHOUT.format(what=type(node).__name__))
