"""A request as code that sends the same body: as JSON, as a curl command, as Python."""

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
    """The text that sends ``request`` to ``base_url`` (which ends in /v1), or its JSON alone.

    ``key_variable`` names the environment variable that will hold the key; None stands for an endpoint without one.
    What runs sends a body that is equal to ``to_bytes``, byte for byte with curl and requests, as JSON with the two
    clients. Raises CannotSay where a language would send something else, and UnsendableField as ``to_bytes`` does.
    """
    if key_variable is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key_variable):
        raise ValueError("The variable for the key needs a plain name, such as API_KEY.")
    body = to_bytes(request, profile).decode()
    if language is Language.JSON:
        return body
    return _WRITERS[language](body, base_url, key_variable)
