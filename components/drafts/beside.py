"""Drafts side by side: the first as the base, each other one as a lane of what it changes."""

from __future__ import annotations

from components.contract.messages import Role
from components.drafts.change import between
from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import Draft, variables_in
from components.drafts.variables import names_in


def beside(base: Draft, *others: Draft) -> Draft:
    """The base with lanes: one that changes nothing, and one for each other draft, which asks what that one asks.

    What a lane cannot change, such as a user's message, stays as it is in the base. Several system messages become one.
    """
    lanes = [Lane(id="1"), *(_lane(base, other, str(number)) for number, other in enumerate(others, 2))]
    comparison = Comparison(lanes=tuple(lanes), highest_id=len(lanes))
    return base.model_copy(update={"comparison": comparison})


def _lane(base: Draft, now: Draft, lane_id: str) -> Lane:
    lane = Lane(**{**vars(between(base, now)), "id": lane_id, "turns": None, "variables": {}})
    if _system(now) == _system(base):
        return lane
    system = "\n".join(_system(now))
    # What is left in braces came out of a value, or is meant as text: the base has no value for it.
    literal = bool(names_in([system])) and not _misses_values(now)
    return lane.model_copy(update={"system": system, "literal": literal})


def _system(draft: Draft) -> list[str]:
    return [draft.text_of(turn) for turn in draft.turns if turn.role is Role.SYSTEM]


def _misses_values(draft: Draft) -> bool:
    system = tuple(turn for turn in draft.turns if turn.role is Role.SYSTEM)
    return any(not draft.variables.get(name) for name in variables_in(system))
