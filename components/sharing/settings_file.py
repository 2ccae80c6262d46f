"""Settings as a JSON file, when they are too long or too private for a link; the content is the same.

The file may be edited by hand: it has no checksum, and an error names its field.
"""

from __future__ import annotations

import json

from pydantic import ValidationError
from pydantic_core import from_json

from components.contract.strict_json import holds_too_much, read_json
from components.drafts.draft import Draft
from components.sharing import sentences
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.problem import LinkProblem, what_is_wrong

MAX_FILE_BYTES = 1_000_000

_VERSION_KEY = "tempera"
_VERSION = 1


def settings_file(draft: Draft, *, comparison: bool = False) -> str:
    """The settings of a draft as JSON text, with the lanes on request.

    The endpoint is included by name only. Raises LinkProblem when the settings exceed a file's limits or contain a
    value that it cannot hold.
    """
    settings = linked_settings(draft, comparison=comparison)
    # The version is first, for readers; the rest is sorted.
    document = {_VERSION_KEY: _VERSION, **dict(sorted(settings.to_json().items()))}
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if len(text.encode()) > MAX_FILE_BYTES:
        raise LinkProblem(sentences.SETTINGS_TOO_LARGE_FOR_FILE)
    return text


def read_settings_file(content: bytes) -> LinkedSettings:
    """The settings in a file. Raises LinkProblem, and nothing else, for any input."""
    if len(content) > MAX_FILE_BYTES:
        raise LinkProblem(sentences.FILE_TOO_LARGE)
    # Some Windows editors begin a file with a byte order mark.
    content = content.removeprefix(b"\xef\xbb\xbf")
    if holds_too_much(content):
        raise LinkProblem(sentences.FILE_WITH_TOO_MANY_VALUES)
    try:
        document = from_json(content)
    except ValueError as error:
        raise LinkProblem(sentences.FILE_NOT_JSON.format(error=error)) from None
    version = document.pop(_VERSION_KEY, None) if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise LinkProblem(sentences.FILE_OF_ANOTHER_KIND)
    if version > _VERSION:
        raise LinkProblem(sentences.FILE_NEWER)
    try:
        # Validated first: valid settings have few keys, so the search for duplicates is fast.
        settings = LinkedSettings.model_validate_json(json.dumps(document))
        read_json(content)
    except ValidationError as error:
        raise LinkProblem(sentences.FILE_UNUSABLE.format(why=what_is_wrong(error))) from None
    except ValueError as error:
        raise LinkProblem(sentences.FILE_UNUSABLE_JSON.format(error=error)) from None
    return settings
