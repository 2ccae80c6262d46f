"""Drafts side by side: the first as the base, each other one as a lane of what it changes."""

from __future__ import annotations

from typing import Any

from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import Draft, variables_in
from components.drafts.setting import FieldState
from components.drafts.variables import names_in


def beside(base: Draft, *others: Draft) -> Draft:
    """The base with lanes: one that changes nothing, and one for each other draft, which asks what that one asks.

    What a lane cannot change, such as a user's message, stays as it is in the base. Several system messages become one.
    """
    lanes = [Lane(id="1"), *(_lane(base, other, str(number)) for number, other in enumerate(others, 2))]
    comparison = Comparison(lanes=tuple(lanes), highest_id=len(lanes))
    return base.model_copy(update={"comparison": comparison})


def _lane(base: Draft, now: Draft, lane_id: str) -> Lane:
    changed: dict[str, Any] = {
        part: getattr(now, part)
        for part in ("endpoint", "model", "stream", "extra_body")
        if getattr(now, part) != getattr(base, part)
    }
    changed["settings"] = {
        field: setting
        for field, setting in now.settings.items()
        if setting.state is not base.settings[field].state
        or (setting.state is FieldState.VALUE and setting.value != base.settings[field].value)
    }
    if _system(now) != _system(base):
        changed["system"] = system = "\n".join(_system(now))
        # What is left in braces came out of a value, or is meant as text: the base has no value for it.
        changed["literal"] = bool(names_in([system])) and not _misses_values(now)
    return Lane(id=lane_id, **changed)


def _system(draft: Draft) -> list[str]:
    return [draft.text_of(turn) for turn in draft.turns if turn.role is Role.SYSTEM]


def _misses_values(draft: Draft) -> bool:
    system = tuple(turn for turn in draft.turns if turn.role is Role.SYSTEM)
    return any(not draft.variables.get(name) for name in variables_in(system))
