"""The kinds of checks, and how one is read."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import JsonValue, ValidationError

from components.checks import sentences
from components.checks.check import Check, CheckProblem
from components.checks.judge import Judge
from components.checks.text_checks import Contains, Equals, FinishReason, Length, Matches, NotContains, Similar
from components.checks.value_checks import CallsTool, Expression, IsJson, MatchesSchema, NumberWithin
from components.contract.difference import shortened

MAX_CHECKS = 50
"""The limit of checks on an answer."""


KINDS: Mapping[str, type[Check]] = {
    row.kind: row
    for row in (
        Contains,
        NotContains,
        Matches,
        Equals,
        IsJson,
        MatchesSchema,
        Length,
        FinishReason,
        CallsTool,
        Similar,
        NumberWithin,
        Expression,
        Judge,
    )
}
"""Each kind of check by its name in a file."""


def read_check(kind: str, value: JsonValue) -> Check:
    """The check of that kind; ``value`` is an object of its fields, or the value of its bare field.

    Raises CheckProblem.
    """
    if kind not in KINDS:
        near = "".join(sentences.CHECK_MEANT.format(kind=name) for name in get_close_matches(kind, KINDS, 1))
        raise CheckProblem(sentences.CHECK_UNKNOWN.format(kind=shortened(kind), near=near, kinds=", ".join(KINDS)))
    check_class = KINDS[kind]
    fields = value if isinstance(value, dict) and not check_class.bare_objects else {check_class.bare: value}
    try:
        return check_class.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        path = [step for step in first["loc"] if step in fields] if fields is value else []
        where = f"{first['loc'][0]}: " if path else ""
        known = ", ".join(check_class.model_fields) if first["type"] == "extra_forbidden" else ""
        wrong = sentences.CHECK_HAS_NO.format(known=known) if known else first["msg"].removeprefix("Value error, ")
        raise CheckProblem(
            sentences.CHECK_WRONG.format(kind=kind, problem=f"{where}{wrong}".rstrip(".")), path
        ) from None
