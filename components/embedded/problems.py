"""The root of this room's error family. The members stand beside the code that raises them."""

from components.user_error import UserError


class EmbeddedProblem(UserError):
    """Something that keeps the embedded endpoint from serving.

    Its text is one or two plain sentences for a person: what happened, and what to do.
    """
