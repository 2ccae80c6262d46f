"""The errors of imports and exports."""

from __future__ import annotations

from components.user_error import UserError


class ImportProblem(UserError):
    """A text that cannot be imported; the sentence says why and what to do.

    It never repeats parts of a command, which may hold a key.
    """


class NothingSent(ImportProblem):
    """A command without a body; the request may be elsewhere in the text."""


class CannotExport(UserError):
    """This language cannot send the request exactly; the sentence says why, and which one can."""
