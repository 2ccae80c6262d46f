"""The languages of generated code."""

from __future__ import annotations

from enum import Enum

from components.user_error import UserError


class CannotExport(UserError):
    """This language cannot send the request exactly; the sentence says why, and which one can."""


class Language(Enum):
    """A language of generated code.

    ``label`` is its name on pages, ``file_ending`` the extension of its files, ``highlighting`` its name in syntax
    highlighters, ``packages`` the packages to install with pip.
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
