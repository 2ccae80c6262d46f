"""The base class of this package's errors; each error is defined in the module that raises it."""

from components.user_error import UserError


class EmbeddedProblem(UserError):
    """The embedded endpoint cannot serve; the text has the reason and the next step."""
