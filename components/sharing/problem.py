"""The error of links, settings files and capsules."""

from __future__ import annotations

from pydantic import ValidationError

from components.user_error import UserError

_MAX_STEP_CHARS = 40


class LinkProblem(UserError):
    """Content cannot be shared or read. The sentence says why and what to do."""


def what_is_wrong(error: ValidationError) -> str:
    """One sentence about the first invalid field, without its value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    steps = [str(step + 1) if isinstance(step, int) else step[:_MAX_STEP_CHARS] for step in first["loc"][:4]]
    message = first["msg"].removeprefix("Value error, ")
    return f"{' '.join(steps)}: {message}." if steps else f"{message}."
