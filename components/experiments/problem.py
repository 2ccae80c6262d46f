"""Why a sweep cannot run."""

from __future__ import annotations

from components.user_error import UserError


class SweepProblem(UserError):
    """A sweep cannot run as described; the text is a sentence with the reason and the remedy."""
