"""The languages in which a request can be written, and the one refusal they share."""

from __future__ import annotations

from enum import Enum

from components.user_error import UserError


class CannotSay(UserError):
    """This language cannot send this very request; the sentence says why, and which one can."""


class Language(Enum):
    """One way to write a request.

    ``label`` is its name for a person, ``file_ending`` what its files end in, ``highlighting`` the name under which
    syntax highlighters know it, ``packages`` what pip must install for it.
    """

    JSON = ("JSON", ".json", "json")
    CURL = ("curl", ".sh", "bash")
    REQUESTS = ("Python: requests", ".py", "python", "requests sseclient-py")
    MISTRALAI = ("Python: mistralai", ".py", "python", "mistralai")
    OPENAI = ("Python: openai", ".py", "python", "openai")

    def __init__(self, label: str, file_ending: str, highlighting: str, packages: str = "") -> None:
        self.label = label
        self.file_ending = file_ending
        self.highlighting = highlighting
        self.packages = packages
