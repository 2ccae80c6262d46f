"""A draft in words, field by field: drafts can be compared even when they do not make a request yet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from components.contract.difference import Difference
from components.contract.fields import is_of_contract
from components.contract.messages import Role
from components.drafts.draft import Draft
from components.drafts.extra_body import read_extra_body
from components.drafts.setting import FieldState, Setting

SYSTEM = "system message"
OMITTED = "omitted"
_UNREADABLE = "extra body fields"


def in_words(draft: Draft) -> dict[str, str]:
    """Each field of the draft in words, in the order of the form: a value as JSON, ``null`` or ``omitted``.

    System messages are included in full, other messages are not. An invalid extra body is one field.
    """
    words = {"endpoint": draft.endpoint or OMITTED, "model": draft.model or OMITTED}
    system = "\n".join(draft.text_of(turn) for turn in draft.turns if turn.role is Role.SYSTEM)
    words[SYSTEM] = system or OMITTED
    settings = {field: _setting_in_words(setting) for field, setting in draft.settings.items()}
    words |= {field: word for field, word in settings.items() if is_of_contract(field)}
    words["stream"] = json.dumps(draft.stream)
    words |= {field: word for field, word in settings.items() if not is_of_contract(field)}
    further = _extra_body_in_words(draft.extra_body)
    # A key with a field's name must not hide that field.
    return words | {f"{key} (extra body)" if key in words else key: value for key, value in further.items()}


def differing(all_words: Sequence[Mapping[str, str]]) -> list[str]:
    """The fields whose words differ, in order of appearance."""
    fields = dict.fromkeys(field for words in all_words for field in words)
    return [field for field in fields if len({words.get(field, OMITTED) for words in all_words}) > 1]


def differences_between(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """The differences from one to the other, in full."""
    return [
        Difference(field, before.get(field, OMITTED), after.get(field, OMITTED)) for field in differing([before, after])
    ]


def _setting_in_words(setting: Setting) -> str:
    if setting.state is FieldState.VALUE:
        # All digits: values that differ only in the last one are different.
        return setting.typed or json.dumps(setting.value, ensure_ascii=False, sort_keys=True).removesuffix(".0")
    return OMITTED if setting.state is FieldState.OMIT else "null"


def _extra_body_in_words(text: str) -> dict[str, str]:
    try:
        fields = read_extra_body(text)
    except ValueError:
        return {_UNREADABLE: text}
    return {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in fields.items()}
