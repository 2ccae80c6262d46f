"""The turns of an edited conversation, with the branches of each turn.

The functions are pure: each takes turns and returns the new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from components.contract.messages import Role


class Turn(BaseModel):
    """One edited message. ``id``, a whole number as text, is unique within its conversation.

    ``tool_calls`` is JSON as typed, empty for none; empty ``name`` and ``tool_call_id`` are not sent. In a ``literal``
    turn, ``{{name}}`` is text and not a variable. A turn may be one of several branches: ``earlier`` and ``later`` hold
    the others, each with all its following turns.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    role: Role
    content: str = ""
    prefix: bool = False
    name: str = ""
    tool_call_id: str = ""
    tool_calls: str = ""
    literal: bool = False
    earlier: tuple[Turns, ...] = ()
    later: tuple[Turns, ...] = ()

    @property
    def branch(self) -> tuple[int, int]:
        """The number of this branch, from 1, and the number of branches."""
        return len(self.earlier) + 1, len(self.earlier) + 1 + len(self.later)


Turns = tuple[Turn, ...]


@dataclass(frozen=True)
class Deleted:
    """A deleted turn, or a deleted branch with all its turns."""

    place: int
    turns: Turns
    whole_branch: bool


def place_of(turns: Turns, turn_id: str) -> int:
    """The index of a turn. Raises LookupError."""
    for place, turn in enumerate(turns):
        if turn.id == turn_id:
            return place
    raise LookupError(turn_id)


def added(turns: Turns, role: Role, new_id: str, content: str = "") -> Turns:
    """The turns with a new one: a system turn after the system turns at the beginning, any other at the end."""
    place = len(turns)
    if role is Role.SYSTEM:
        place = next((at for at, turn in enumerate(turns) if turn.role is not Role.SYSTEM), len(turns))
    return *turns[:place], Turn(id=new_id, role=role, content=content), *turns[place:]


def replaced(turns: Turns, turn: Turn) -> Turns:
    """The turns with the one of the same id replaced by this turn. Raises LookupError."""
    place = place_of(turns, turn.id)
    return *turns[:place], turn, *turns[place + 1 :]


def duplicated(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """The turns with a copy of a turn right after it; its branches are not copied. Raises LookupError."""
    place = place_of(turns, turn_id)
    copy = turns[place].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    return *turns[: place + 1], copy, *turns[place + 1 :]


def moved(turns: Turns, turn_id: str, by: int) -> Turns:
    """The turns with one moved by ``by`` places, negative for up, at most to the end. Raises LookupError."""
    place = place_of(turns, turn_id)
    others = turns[:place] + turns[place + 1 :]
    to = min(max(place + by, 0), len(others))
    return *others[:to], turns[place], *others[to:]


def movable(turns: Turns, turn_id: str, by: int) -> bool:
    """Whether a turn can change places with the previous (-1) or next one (1) without affecting another branch.

    Turns before a branching turn belong to all its branches. Raises LookupError.
    """
    place = place_of(turns, turn_id)
    if not 0 <= place + by < len(turns):
        return False
    return turns[place].branch[1] == turns[place + by].branch[1] == 1


def deleted(turns: Turns, turn_id: str) -> tuple[Turns, Deleted]:
    """The turns without this one, and the deleted part.

    If the turn has branches, its whole branch is deleted and a neighbouring one is shown. Raises LookupError.
    """
    place = place_of(turns, turn_id)
    turn = turns[place]
    if turn.earlier or turn.later:
        others = (*turn.earlier, *turn.later)
        shown = _shown(others, max(len(turn.earlier) - 1, 0))
        return (*turns[:place], *shown), Deleted(place, _alone(turns[place:]), whole_branch=True)
    return turns[:place] + turns[place + 1 :], Deleted(place, (turn,), whole_branch=False)


def restored(turns: Turns, deletion: Deleted) -> Turns:
    """The turns with a deleted part restored, as near to its place as possible."""
    place = min(deletion.place, len(turns))
    if deletion.whole_branch and place < len(turns):
        branches = (*_branches(turns, place), deletion.turns)
        return *turns[:place], *_shown(branches, len(branches) - 1)
    return *turns[:place], *deletion.turns, *turns[place:]


def branched(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """The turns with a new branch that begins and ends with a copy of this turn. The previous turns stay a branch.

    Raises LookupError.
    """
    place = place_of(turns, turn_id)
    copy = turns[place].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    branches = (*_branches(turns, place), (copy,))
    return *turns[:place], *_shown(branches, len(branches) - 1)


def branch_chosen(turns: Turns, turn_id: str, step: int) -> Turns:
    """The turns with another branch shown: ``step`` branches from the one shown at this turn. Raises LookupError."""
    place = place_of(turns, turn_id)
    branches = _branches(turns, place)
    chosen = min(max(len(turns[place].earlier) + step, 0), len(branches) - 1)
    return *turns[:place], *_shown(branches, chosen)


def all_turns(turns: Turns) -> Iterator[Turn]:
    """Every turn, including those of hidden branches."""
    for turn in turns:
        yield turn
        for branch in (*turn.earlier, *turn.later):
            yield from all_turns(branch)


def highest_id(turns: Turns) -> int:
    """The highest id of all turns; 0 when there are none."""
    return max((int(turn.id) for turn in all_turns(turns)), default=0)


def renumbered(turns: Turns, after: int) -> Turns:
    """The same turns with new ids, all higher than ``after``."""
    ids = {turn.id: str(after + number) for number, turn in enumerate(all_turns(turns), 1)}

    def renamed(turn: Turn) -> Turn:
        earlier = tuple(tuple(map(renamed, branch)) for branch in turn.earlier)
        later = tuple(tuple(map(renamed, branch)) for branch in turn.later)
        return turn.model_copy(update={"id": ids[turn.id], "earlier": earlier, "later": later})

    return tuple(map(renamed, turns))


def _branches(turns: Turns, place: int) -> tuple[Turns, ...]:
    turn = turns[place]
    return *turn.earlier, _alone(turns[place:]), *turn.later


def _alone(turns: Turns) -> Turns:
    return turns[0].model_copy(update={"earlier": (), "later": ()}), *turns[1:]


def _shown(branches: Sequence[Turns], chosen: int) -> Turns:
    first, *following = branches[chosen]
    around = {"earlier": tuple(branches[:chosen]), "later": tuple(branches[chosen + 1 :])}
    return first.model_copy(update=around), *following
