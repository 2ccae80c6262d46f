"""What stands in the way of a sweep."""

from __future__ import annotations


class SweepProblem(ValueError):
    """A sweep cannot be made as it is described; the text is a sentence that says why and what to do."""
