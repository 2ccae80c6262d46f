"""Turns drafts into a comparison: the first is the base, and each other draft becomes a lane."""

from __future__ import annotations

from components.contract.messages import Role
from components.drafts.change import between
from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import Draft, variables_in
from components.drafts.variables import names_in


def side_by_side(base: Draft, *others: Draft) -> Draft:
    """The base with lanes: one without changes, and one for each other draft, which sends that draft's request.

    Parts that a lane cannot change, such as a user's message, stay as in the base. Several system messages become one.
    """
    lanes = [Lane(id="1"), *(_lane(base, other, str(number)) for number, other in enumerate(others, 2))]
    comparison = Comparison(lanes=tuple(lanes), highest_id=len(lanes))
    return base.model_copy(update={"comparison": comparison})


def _lane(base: Draft, other: Draft, lane_id: str) -> Lane:
    lane = Lane(**{**vars(between(base, other)), "id": lane_id, "turns": None, "variables": {}})
    if _system(other) == _system(base):
        return lane
    system = "\n".join(_system(other))
    # Remaining braces come from a value, or are meant as text; the base has no value for them.
    literal = bool(names_in([system])) and not _misses_values(other)
    return lane.model_copy(update={"system": system, "literal": literal})


def _system(draft: Draft) -> list[str]:
    return [draft.text_of(turn) for turn in draft.turns if turn.role is Role.SYSTEM]


def _misses_values(draft: Draft) -> bool:
    system = tuple(turn for turn in draft.turns if turn.role is Role.SYSTEM)
    return any(not draft.variables.get(name) for name in variables_in(system))
