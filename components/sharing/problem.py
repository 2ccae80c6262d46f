"""What stops a link, a settings file or a capsule."""

from __future__ import annotations

from pydantic import ValidationError

from components.user_error import UserError

_MOST_STEP_CHARS = 40


class LinkProblem(UserError):
    """Something cannot be passed on, or what was passed on cannot be read; the sentence says why and what to do."""


def what_is_wrong(error: ValidationError) -> str:
    """One sentence about the first field that is wrong, without its value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    steps = [str(step + 1) if isinstance(step, int) else step[:_MOST_STEP_CHARS] for step in first["loc"][:4]]
    said = first["msg"].removeprefix("Value error, ")
    return f"{' '.join(steps)}: {said}." if steps else f"{said}."
