"""The base of every error that a person is told."""

from __future__ import annotations


class UserError(Exception):
    """Something did not work, and a person can read why. ``sentence`` says what happened and what to do.

    Each room derives its own family; ``ui/user_errors.py`` shows them all.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
