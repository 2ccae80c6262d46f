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

    index: int
    turns: Turns
    whole_branch: bool


def index_of(turns: Turns, turn_id: str) -> int:
    """The index of a turn. Raises LookupError."""
    for index, turn in enumerate(turns):
        if turn.id == turn_id:
            return index
    raise LookupError(turn_id)


def added(turns: Turns, role: Role, new_id: str, content: str = "") -> Turns:
    """The turns with a new one: a system turn after the system turns at the beginning, any other at the end."""
    new_index = len(turns)
    if role is Role.SYSTEM:
        new_index = next((i for i, turn in enumerate(turns) if turn.role is not Role.SYSTEM), len(turns))
    return *turns[:new_index], Turn(id=new_id, role=role, content=content), *turns[new_index:]


def replaced(turns: Turns, turn: Turn) -> Turns:
    """The turns with the one of the same id replaced by this turn. Raises LookupError."""
    index = index_of(turns, turn.id)
    return *turns[:index], turn, *turns[index + 1 :]


def duplicated(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """The turns with a copy of a turn right after it; its branches are not copied. Raises LookupError."""
    index = index_of(turns, turn_id)
    copy = turns[index].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    return *turns[: index + 1], copy, *turns[index + 1 :]


def moved(turns: Turns, turn_id: str, by: int) -> Turns:
    """The turns with one moved by ``by`` places, negative for up, at most to the end. Raises LookupError."""
    index = index_of(turns, turn_id)
    others = turns[:index] + turns[index + 1 :]
    target = min(max(index + by, 0), len(others))
    return *others[:target], turns[index], *others[target:]


def movable(turns: Turns, turn_id: str, by: int) -> bool:
    """Whether a turn can change places with the previous (-1) or next one (1) without affecting another branch.

    Turns before a branching turn belong to all its branches. Raises LookupError.
    """
    index = index_of(turns, turn_id)
    if not 0 <= index + by < len(turns):
        return False
    return turns[index].branch[1] == turns[index + by].branch[1] == 1


def deleted(turns: Turns, turn_id: str) -> tuple[Turns, Deleted]:
    """The turns without this one, and the deleted part.

    If the turn has branches, its whole branch is deleted and a neighbouring one is shown. Raises LookupError.
    """
    index = index_of(turns, turn_id)
    turn = turns[index]
    if turn.earlier or turn.later:
        others = (*turn.earlier, *turn.later)
        shown = _shown(others, max(len(turn.earlier) - 1, 0))
        return (*turns[:index], *shown), Deleted(index, _alone(turns[index:]), whole_branch=True)
    return turns[:index] + turns[index + 1 :], Deleted(index, (turn,), whole_branch=False)


def restored(turns: Turns, deletion: Deleted) -> Turns:
    """The turns with a deleted part restored, as near to its position as possible."""
    index = min(deletion.index, len(turns))
    if deletion.whole_branch and index < len(turns):
        branches = (*_branches(turns, index), deletion.turns)
        return *turns[:index], *_shown(branches, len(branches) - 1)
    return *turns[:index], *deletion.turns, *turns[index:]


def branched(turns: Turns, turn_id: str, new_id: str) -> Turns:
    """The turns with a new branch that begins and ends with a copy of this turn. The previous turns stay a branch.

    Raises LookupError.
    """
    index = index_of(turns, turn_id)
    copy = turns[index].model_copy(update={"id": new_id, "earlier": (), "later": ()})
    branches = (*_branches(turns, index), (copy,))
    return *turns[:index], *_shown(branches, len(branches) - 1)


def branch_chosen(turns: Turns, turn_id: str, step: int) -> Turns:
    """The turns with another branch shown: ``step`` branches from the one shown at this turn. Raises LookupError."""
    index = index_of(turns, turn_id)
    branches = _branches(turns, index)
    chosen = min(max(len(turns[index].earlier) + step, 0), len(branches) - 1)
    return *turns[:index], *_shown(branches, chosen)


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


def _branches(turns: Turns, index: int) -> tuple[Turns, ...]:
    turn = turns[index]
    return *turn.earlier, _alone(turns[index:]), *turn.later


def _alone(turns: Turns) -> Turns:
    return turns[0].model_copy(update={"earlier": (), "later": ()}), *turns[1:]


def _shown(branches: Sequence[Turns], chosen: int) -> Turns:
    first, *following = branches[chosen]
    around = {"earlier": tuple(branches[:chosen]), "later": tuple(branches[chosen + 1 :])}
    return first.model_copy(update=around), *following
