"""The root of this room's error family. The members stand beside the code that raises them."""


class EmbeddedProblem(Exception):
    """Something that keeps the embedded endpoint from serving.

    Its text is one or two plain sentences for a person: what happened, and what to do.
    """
