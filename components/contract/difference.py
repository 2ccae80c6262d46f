"""The differences between two requests, field by field, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from components.contract.fields import CONTRACT_FIELDS
from components.contract.request import ChatCompletionStreamRequest

_MAX_CHARACTERS = 40
_CONTEXT = 12
"""How many equal characters stand before two values that differ late."""


@dataclass(frozen=True)
class Difference:
    """One field that differs; ``before`` and ``after`` are short words, empty for messages."""

    field: str
    before: str = ""
    after: str = ""

    def shortened(self) -> Difference:
        """The difference in words that fit into a line: of values that differ late, those from there on."""
        if self.before == self.after or shortened(self.before) != shortened(self.after):
            return Difference(self.field, shortened(self.before), shortened(self.after))
        pairs = enumerate(zip_longest(self.before, self.after))
        start = next(place for place, (one, other) in pairs if one != other) - _CONTEXT
        return Difference(self.field, shortened(f"…{self.before[start:]}"), shortened(f"…{self.after[start:]}"))

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
    differing += _differing(CONTRACT_FIELDS, before.sent_values(), after.sent_values())
    differing += _differing(["stream"], {"stream": before.stream}, {"stream": after.stream})
    further = dict.fromkeys([*before.extra_body, *after.extra_body])
    return differing + _differing(further, before.extra_body, after.extra_body)


def _differing(names: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    words = [(name, _words(before, name), _words(after, name)) for name in names]
    return [Difference(*each).shortened() for each in words if each[1] != each[2]]


def _words(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False, sort_keys=True) if name in values else "omitted"


def shortened(words: str) -> str:
    """The words, cut to fit into one line."""
    return words if len(words) <= _MAX_CHARACTERS else f"{words[: _MAX_CHARACTERS - 1]}…"
