"""What stands in the way of a sweep."""

from __future__ import annotations

from components.user_error import UserError


class SweepProblem(UserError):
    """A sweep cannot be made as it is described; the text is a sentence that says why and what to do."""
