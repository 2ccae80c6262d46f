"""The extra body fields of a form: as edited JSON text, and parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.contract.strict_json import read_json_object
from components.streaming.guard import safe_text


def read_extra_body(text: str, what: str = "The text") -> dict[str, Any]:
    """The fields in the text; none when it is empty. Raises ValueError with a sentence that begins with ``what``."""
    return read_json_object(text, what) if text.strip() else {}


def extra_body_text(extra_body: Mapping[str, Any]) -> str:
    """Extra body fields as JSON for a person to edit; empty when there are none."""
    return json_text(extra_body) if extra_body else ""


def json_text(value: object) -> str:
    """The value as JSON for a person to edit."""
    # JSON allows lone surrogates, a page does not.
    return safe_text(json.dumps(value, ensure_ascii=False, indent=2))
