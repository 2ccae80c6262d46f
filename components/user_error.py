"""The base of all errors shown to a user."""

from __future__ import annotations


class UserError(Exception):
    """An error with a ``sentence`` for the user: what happened and what to do.

    Each room derives its own family; ``ui/user_errors.py`` shows them all.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
