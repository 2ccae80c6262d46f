"""The turns and their branches: no edit loses text that was not deleted."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import TypeAdapter

from components.contract.messages import Role
from components.drafts.conversation import (
    Turn,
    Turns,
    added,
    all_turns,
    branch_chosen,
    branched,
    deleted,
    duplicated,
    highest_id,
    movable,
    moved,
    renumbered,
    replaced,
    restored,
)


def a_conversation(*contents: str) -> Turns:
    return tuple(Turn(id=str(n), role=Role.USER, content=content) for n, content in enumerate(contents, 1))


def contents(turns: Turns) -> list[str]:
    return [turn.content for turn in turns]


def test_a_system_turn_goes_to_the_beginning_and_any_other_to_the_end():
    turns = added(a_conversation("a"), Role.SYSTEM, "2", "rules")
    turns = added(turns, Role.SYSTEM, "3", "more rules")
    turns = added(turns, Role.ASSISTANT, "4", "b")
    assert contents(turns) == ["rules", "more rules", "a", "b"]


def test_a_turn_moves_up_and_down_and_stops_at_the_ends():
    turns = a_conversation("a", "b", "c")
    assert contents(moved(turns, "3", -1)) == ["a", "c", "b"]
    assert contents(moved(turns, "1", -1)) == ["a", "b", "c"]
    assert contents(moved(turns, "1", 9)) == ["b", "c", "a"]


def test_turns_move_only_within_their_branch():
    turns = branched(a_conversation("q1", "a1", "q2", "a2"), "3", "9")
    turns = added(turns, Role.USER, "10", "q3")
    assert [movable(turns, turn.id, 1) for turn in turns] == [True, False, False, False]
    assert [movable(turns, turn.id, -1) for turn in turns] == [False, True, False, False]


def test_a_copy_follows_its_original_with_a_new_id():
    turns = duplicated(a_conversation("a", "b"), "1", "3")
    assert [(turn.id, turn.content) for turn in turns] == [("1", "a"), ("3", "a"), ("2", "b")]


def test_a_restored_turn_returns_to_its_place_and_later_edits_stay():
    turns, deletion = deleted(a_conversation("a", "b", "c"), "2")
    assert contents(turns) == ["a", "c"]
    edited = replaced(turns, turns[1].model_copy(update={"content": "C"}))
    assert contents(restored(edited, deletion)) == ["a", "b", "C"]
    assert contents(restored((), deletion)) == ["b"]


def test_a_branch_begins_with_a_copy_and_the_old_one_can_be_chosen():
    turns = branched(a_conversation("question", "answer", "more"), "1", "9")
    assert contents(turns) == ["question"]
    assert turns[0].branch == (2, 2)
    turns = replaced(turns, turns[0].model_copy(update={"content": "other question"}))
    before = branch_chosen(turns, "9", -1)
    assert contents(before) == ["question", "answer", "more"]
    assert before[0].branch == (1, 2)
    assert contents(branch_chosen(before, "1", 1)) == ["other question"]
    assert branch_chosen(before, "1", -1) == before


def test_a_branch_keeps_its_nested_branches():
    turns = branched(a_conversation("a", "b", "c"), "2", "4")
    turns = added(turns, Role.USER, "5", "d")
    turns = branched(turns, "5", "6")
    assert [turn.branch for turn in turns] == [(1, 1), (2, 2), (2, 2)]
    back = branch_chosen(turns, "4", -1)
    assert contents(back) == ["a", "b", "c"]
    assert branch_chosen(back, "2", 1) == turns


def test_deleting_a_branch_shows_its_neighbour_and_undo_restores_it():
    turns = branched(a_conversation("a", "b"), "1", "3")
    left, deletion = deleted(turns, "3")
    assert contents(left) == ["a", "b"]
    assert left[0].branch == (1, 1)
    assert restored(left, deletion) == turns


def test_a_missing_turn_is_an_error():
    with pytest.raises(LookupError):
        moved(a_conversation("a"), "7", 1)


def test_renumbering_keeps_all_content():
    turns = branched(a_conversation("a", "b"), "2", "3")
    renamed = renumbered(turns, after=10)
    assert {int(turn.id) for turn in all_turns(renamed)} == {11, 12, 13}
    assert contents(renamed) == contents(turns)
    assert contents(branch_chosen(renamed, renamed[1].id, -1)) == contents(branch_chosen(turns, "3", -1))


class Editing(RuleBasedStateMachine):
    """Random editing, compared with the set of all texts written and not deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: Turns = ()
        self.words: Counter[str] = Counter()
        self.highest = 0
        self.undo: tuple | None = None

    def _id(self) -> str:
        self.highest += 1
        return str(self.highest)

    def _any(self, place: int) -> Turn:
        return self.turns[place % len(self.turns)]

    @rule(role=st.sampled_from(Role), word=st.sampled_from("abcdef"))
    def add(self, role: Role, word: str) -> None:
        self.turns = added(self.turns, role, self._id(), word)
        self.words[word] += 1

    @precondition(lambda self: self.turns)
    @rule(place=st.integers(0, 9), word=st.sampled_from("abcdef"))
    def edit(self, place: int, word: str) -> None:
        turn = self._any(place)
        self.turns = replaced(self.turns, turn.model_copy(update={"content": word}))
        self.words[turn.content] -= 1
        self.words[word] += 1

    @precondition(lambda self: self.turns)
    @rule(place=st.integers(0, 9), by=st.integers(-3, 3))
    def move(self, place: int, by: int) -> None:
        self.turns = moved(self.turns, self._any(place).id, by)

    @precondition(lambda self: self.turns)
    @rule(place=st.integers(0, 9), kind=st.sampled_from([duplicated, branched]))
    def copy(self, place: int, kind) -> None:
        turn = self._any(place)
        self.turns = kind(self.turns, turn.id, self._id())
        self.words[turn.content] += 1

    @precondition(lambda self: self.turns)
    @rule(place=st.integers(0, 9), step=st.integers(-2, 2))
    def choose(self, place: int, step: int) -> None:
        self.turns = branch_chosen(self.turns, self._any(place).id, step)

    @precondition(lambda self: self.turns)
    @rule(place=st.integers(0, 9))
    def delete(self, place: int) -> None:
        before = self.words.copy()
        self.turns, deletion = deleted(self.turns, self._any(place).id)
        self.words = Counter(turn.content for turn in all_turns(self.turns))
        lost = before - self.words
        gone = Counter(turn.content for turn in all_turns(deletion.turns))
        assert lost == gone
        self.undo = (deletion, gone)

    @precondition(lambda self: self.undo)
    @rule()
    def restore(self) -> None:
        deletion, gone = self.undo
        self.turns = restored(self.turns, deletion)
        self.words += gone
        self.undo = None

    @invariant()
    def every_word_can_be_reached(self) -> None:
        assert Counter(turn.content for turn in all_turns(self.turns)) == +self.words

    @invariant()
    def ids_are_unique(self) -> None:
        ids = [turn.id for turn in all_turns(self.turns)]
        assert len(ids) == len(set(ids))
        assert highest_id(self.turns) <= self.highest

    @invariant()
    def it_survives_json(self) -> None:
        kind = TypeAdapter(Turns)
        assert kind.validate_json(kind.dump_json(self.turns)) == self.turns


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=settings.default.max_examples // 2, stateful_step_count=25, deadline=None)
