"""Converts pasted text to a request: JSON, a shell command, or code.

Addresses, headers, cookies and keys are left out and never repeated; nothing is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from components.contract.credentials import credentials_left_out, without_credentials
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, from_fields
from components.snippets import sentences
from components.snippets.loose_messages import contract_messages, with_messages
from components.snippets.nesting import nests_too_deeply
from components.snippets.problem import ImportProblem
from components.snippets.reading import find_request

MAX_CHARACTERS = 2_000_000

STREAM_SWITCHED_ON = "The request did not say whether to stream; stream is on."


@dataclass(frozen=True)
class Imported:
    """An imported request. ``notes`` are sentences about what was changed or left out."""

    request: ChatCompletionStreamRequest
    notes: tuple[str, ...] = ()


def import_request(text: str, profile: Profile) -> Imported:
    """The request in ``text``, with the keys of this dialect.

    Unknown keys are in ``extra_body``. Raises ImportProblem with one sentence when the text has no request.
    """
    if len(text) > MAX_CHARACTERS:
        raise ImportProblem(sentences.TEXT_TOO_LONG.format(max_characters=MAX_CHARACTERS))
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise ImportProblem(sentences.NO_TEXT)
    raw = find_request(text)
    if not isinstance(raw.fields, Mapping):
        raise ImportProblem(sentences.REQUEST_NOT_AN_OBJECT)
    fields, changes = with_messages(raw.fields)
    for key in ("model", "messages"):
        if key not in fields:
            raise ImportProblem(sentences.REQUEST_WITHOUT_KEY.format(key=key))
    if nests_too_deeply(fields):
        raise ImportProblem(sentences.REQUEST_TOO_DEEP)
    messages, more_changes = contract_messages(fields["messages"], fills_in=raw.fills_in)
    remaining, left_out = without_credentials(fields)
    changes += more_changes + credentials_left_out([*raw.credentials, *left_out])
    body: dict[str, Any] = {"stream": True, **remaining, "messages": messages}
    if "stream" not in fields:
        changes.append(STREAM_SWITCHED_ON)
    try:
        request = from_fields(body, profile)
    except ValidationError as error:
        raise ImportProblem(_sentence(error)) from None
    return Imported(request, (*raw.notes, *changes))


def _sentence(error: ValidationError) -> str:
    """The error of the first invalid field, without its value."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step + 1) if isinstance(step, int) else step for step in first["loc"][:3])
    return f"{place}: {first['msg']}."
