"""Generates code that sends a request: JSON, a curl command, Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.snippets.to_curl import to_curl
from components.snippets.to_mistralai import to_mistralai
from components.snippets.to_openai import to_openai
from components.snippets.to_requests import to_requests

_Write = Callable[[str, str, str | None], str]


class Language(Enum):
    """A language of generated code.

    ``label`` is its name on pages, ``file_ending`` the extension of its files, ``highlighting`` its name in syntax
    highlighters, ``packages`` the packages to install with pip. ``write`` makes the code from a body, a base URL and
    the variable of the key.
    """

    JSON = ("JSON", ".json", "json", lambda body, _base_url, _key_variable: body)
    CURL = ("curl", ".sh", "bash", to_curl)
    REQUESTS = ("Python: requests", ".py", "python", to_requests, "requests sseclient-py")
    MISTRALAI = ("Python: mistralai", ".py", "python", to_mistralai, "mistralai")
    OPENAI = ("Python: openai", ".py", "python", to_openai, "openai")

    def __init__(self, label: str, file_ending: str, highlighting: str, write: _Write, packages: str = "") -> None:
        self.label = label
        self.file_ending = file_ending
        self.highlighting = highlighting
        self.write = write
        self.packages = packages


def export(
    request: ChatCompletionStreamRequest,
    profile: Profile,
    base_url: str,
    language: Language,
    key_variable: str | None = "API_KEY",
) -> str:
    """The code that sends ``request`` to ``base_url`` (which ends in /v1), or its JSON.

    ``key_variable`` is the name of the environment variable with the key, None for an endpoint without one. The code
    sends the bytes of ``to_bytes``; the two clients send equal JSON. Raises CannotExport when a language would send
    something else, and UnsendableField as ``to_bytes`` does.
    """
    if key_variable is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key_variable):
        raise ValueError("The variable for the key needs a plain name, such as API_KEY.")
    return language.write(to_bytes(request, profile).decode(), base_url, key_variable)
