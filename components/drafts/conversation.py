"""The turns of a conversation that is being written, with the branches that were tried at each of them.

Functions of values: each takes the turns as they are and gives the turns as they would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from components.contract.messages import Role


class Turn(BaseModel):
    """One message as it is being written. ``id``, a whole number as text, names it within its conversation.

    ``tool_calls`` is JSON as typed, empty for none; empty ``name`` and ``tool_call_id`` are not sent. ``{{name}}`` in a
    ``literal`` turn is text and no variable. A turn may be one of several branches: ``earlier`` and ``later`` hold the
    others, each with all the turns that follow in it.
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
        """Which branch this is, counted from 1, and how many there are."""
        return len(self.earlier) + 1, len(self.earlier) + 1 + len(self.later)


Turns = tuple[Turn, ...]


@dataclass(frozen=True)
class Deleted:
    """A deleted turn, or a deleted branch with all turns in it."""

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
    """With a new turn: a system turn at the beginning, behind those already there, any other at the end."""
    place = len(turns)
    if role is Role.SYSTEM:
        place = next((at for at, turn in enumerate(turns) if turn.role is not Role.SYSTEM), len(turns))
    return *turns[:place], Turn(id=new_id, role=role, content=content), *turns[place:]


def replaced(turns: Turns, turn: Turn) -> Turns:
    """With this turn in the place of the one that has its id. Raises LookupError."""
    place = place_of(turns, turn.id)
    return *turns[:place], turn, *turns[place + 1 :]


def duplicated(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """With a copy of a turn right behind it; its branches are not copied. Raises LookupError."""
    place = place_of(turns, turn_id)
    copy = turns[place].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    return *turns[: place + 1], copy, *turns[place + 1 :]


def moved(turns: Turns, turn_id: str, by: int) -> Turns:
    """With a turn moved so many places, -1 for one up; it stops at either end. Raises LookupError."""
    place = place_of(turns, turn_id)
    others = turns[:place] + turns[place + 1 :]
    to = min(max(place + by, 0), len(others))
    return *others[:to], turns[place], *others[to:]


def movable(turns: Turns, turn_id: str, by: int) -> bool:
    """Whether a turn can change places with the one before (-1) or behind it (1) without leaving another branch.

    What stands before a turn that has branches belongs to all of them. Raises LookupError.
    """
    place = place_of(turns, turn_id)
    if not 0 <= place + by < len(turns):
        return False
    return turns[place].branch[1] == turns[place + by].branch[1] == 1


def deleted(turns: Turns, turn_id: str) -> tuple[Turns, Deleted]:
    """Without a turn, and what was taken away. Of several branches the whole branch goes, and the one beside it shows.

    Raises LookupError.
    """
    place = place_of(turns, turn_id)
    turn = turns[place]
    if turn.earlier or turn.later:
        others = (*turn.earlier, *turn.later)
        shown = _shown(others, max(len(turn.earlier) - 1, 0))
        return (*turns[:place], *shown), Deleted(place, _alone(turns[place:]), whole_branch=True)
    return turns[:place] + turns[place + 1 :], Deleted(place, (turn,), whole_branch=False)


def restored(turns: Turns, deletion: Deleted) -> Turns:
    """With what a deletion took away, as near to its place as what is there now allows."""
    place = min(deletion.place, len(turns))
    if deletion.whole_branch and place < len(turns):
        branches = (*_branches(turns, place), deletion.turns)
        return *turns[:place], *_shown(branches, len(branches) - 1)
    return *turns[:place], *deletion.turns, *turns[place:]


def branched(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """With a new branch at a turn: a copy of it, and nothing behind it yet. What was there is a branch of its own.

    Raises LookupError.
    """
    place = place_of(turns, turn_id)
    copy = turns[place].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    branches = (*_branches(turns, place), (copy,))
    return *turns[:place], *_shown(branches, len(branches) - 1)


def branch_chosen(turns: Turns, turn_id: str, step: int) -> Turns:
    """With the branch shown that stands so many steps from the one shown at this turn. Raises LookupError."""
    place = place_of(turns, turn_id)
    branches = _branches(turns, place)
    chosen = min(max(len(turns[place].earlier) + step, 0), len(branches) - 1)
    return *turns[:place], *_shown(branches, chosen)


def all_turns(turns: Turns) -> Iterator[Turn]:
    """Every turn, those of branches that do not show included."""
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
