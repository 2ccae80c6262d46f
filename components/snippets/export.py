"""Generates code that sends a request: JSON, a curl command, Python."""

from __future__ import annotations

import re

from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.snippets.language import Language
from components.snippets.to_curl import to_curl
from components.snippets.to_mistralai import to_mistralai
from components.snippets.to_openai import to_openai
from components.snippets.to_requests import to_requests

_WRITERS = {
    Language.CURL: to_curl,
    Language.REQUESTS: to_requests,
    Language.MISTRALAI: to_mistralai,
    Language.OPENAI: to_openai,
}


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
    body = to_bytes(request, profile).decode()
    if language is Language.JSON:
        return body
    return _WRITERS[language](body, base_url, key_variable)
