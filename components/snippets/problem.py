"""What stops an import."""

from __future__ import annotations

from components.user_error import UserError


class ImportProblem(UserError):
    """No request can be made from a text; the sentence says why and what to do.

    It never repeats the words of a command, for there may be a key among them.
    """


class NothingSent(ImportProblem):
    """A command has no body at all; the request may stand elsewhere in the text."""
