"""The differences between two requests, field by field, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass

from components.contract.fields import CONTRACT_FIELDS
from components.contract.request import ChatCompletionStreamRequest

_MAX_CHARACTERS = 40


@dataclass(frozen=True)
class Difference:
    """One field that differs; ``before`` and ``after`` are short words, empty for messages."""

    field: str
    before: str = ""
    after: str = ""

    def shortened(self) -> Difference:
        """The difference in words that fit into a line."""
        return Difference(self.field, shortened(self.before), shortened(self.after))

    def __str__(self) -> str:
        return f"{self.field} {self.before} → {self.after}" if self.before or self.after else self.field


def differences(before: ChatCompletionStreamRequest, after: ChatCompletionStreamRequest) -> list[Difference]:
    """The fields in which two requests differ, in the order of the form. Omitted and null are different."""
    differing = []
    if before.model != after.model:
        differing.append(Difference("model", before.model, after.model))
    if [message.model_dump(exclude_unset=True) for message in before.messages] != [
        message.model_dump(exclude_unset=True) for message in after.messages
    ]:
        differing.append(Difference("messages"))
    for field in CONTRACT_FIELDS:
        words = _words(before, field), _words(after, field)
        if words[0] != words[1]:
            differing.append(Difference(field, *words))
    if before.stream != after.stream:
        differing.append(Difference("stream", _json(before.stream), _json(after.stream)))
    for key in dict.fromkeys([*before.extra_body, *after.extra_body]):
        words = (
            _json(before.extra_body[key]) if key in before.extra_body else "omitted",
            _json(after.extra_body[key]) if key in after.extra_body else "omitted",
        )
        if words[0] != words[1]:
            differing.append(Difference(key, *words))
    return differing


def _words(request: ChatCompletionStreamRequest, field: str) -> str:
    state = request.state_of(field)
    return _json(getattr(request, field)) if state == "value" else state


def _json(value: object) -> str:
    return shortened(json.dumps(value, ensure_ascii=False, sort_keys=True))


def shortened(words: str) -> str:
    """The words, cut to fit into one line."""
    return words if len(words) <= _MAX_CHARACTERS else f"{words[: _MAX_CHARACTERS - 1]}…"
