"""The error of this package."""

from components.user_error import UserError


class EmbeddedProblem(UserError):
    """The embedded endpoint cannot serve, or its model is unusable; the text has the reason and the next step."""
