from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from components.demo.settings import DemoSettings
from components.demo.slots import QueuedRun, Slots
from components.runs.gate import Refused
from tests.demo.conftest import SETTINGS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def join_all(slots: Slots, visitors: list[str]) -> list[QueuedRun]:
    return [slots.join(visitor, f"network of {visitor}") for visitor in visitors]


def test_of_fifty_visitors_four_run_twenty_wait_and_the_others_are_refused() -> None:
    slots = Slots(SETTINGS)
    turns, refused = [], []
    for number in range(50):
        try:
            turns.append(slots.join(f"visitor {number}", f"network {number}"))
        except Refused as refusal:
            refused.append(refusal.sentence)
    assert (slots.running, slots.waiting, len(refused)) == (4, 20, 26)
    assert set(refused) == {"All places are taken, and 20 runs wait for one already. Try again in a minute."}
    assert [slots.place_of(turn) for turn in turns] == [None] * 4 + list(range(1, 21))
    served = []
    while running := [turn for turn in turns if turn.runs]:
        served += [turns.index(turn) for turn in running if turns.index(turn) not in served]
        slots.leave(running[0])
    assert served == list(range(24))


def test_many_waiting_runs_of_one_visitor_do_not_starve_others() -> None:
    slots = Slots(DemoSettings(slots=1, runs_at_once=1))
    join_all(slots, ["first"])
    greedy = join_all(slots, ["greedy"] * 5)
    others = join_all(slots, ["anna", "berta"])
    assert [slots.place_of(turn) for turn in greedy] == [1, 4, 5, 6, 7]
    assert [slots.place_of(turn) for turn in others] == [2, 3]


def test_fifty_visitors_are_served_in_fair_turns() -> None:
    """A visitor who always asks again is served once per round of all waiting visitors."""
    slots = Slots(DemoSettings(slots=2, queue=1_000))
    waiting: dict[str, list[QueuedRun]] = {f"visitor {number}": [] for number in range(50)}
    served: Counter[str] = Counter()
    for visitor in waiting:
        waiting[visitor].append(slots.join(visitor, visitor))
    for _ in range(500):
        visitor, turn = next((visitor, turn) for visitor, turns in waiting.items() for turn in turns if turn.runs)
        if visitor == "visitor 0":
            while len(waiting[visitor]) < 5:
                waiting[visitor].append(slots.join(visitor, visitor))
        served[visitor] += 1
        waiting[visitor].remove(turn)
        slots.leave(turn)
        if not waiting[visitor]:
            waiting[visitor].append(slots.join(visitor, visitor))
    assert max(served.values()) - min(served.values()) <= 2


def test_a_visitor_has_at_most_two_active_runs_although_slots_are_free() -> None:
    slots = Slots(SETTINGS)
    turns = join_all(slots, ["anna"] * 4)
    assert [turn.runs for turn in turns] == [True, True, False, False]
    slots.leave(turns[0])
    assert [turn.runs for turn in turns] == [False, True, True, False]


def test_the_sixth_waiting_run_of_a_visitor_is_refused() -> None:
    slots = Slots(SETTINGS)
    join_all(slots, ["anna"] * 7)
    with pytest.raises(Refused, match="5 runs of yours wait already"):
        slots.join("anna", "elsewhere")
    assert slots.waiting == 5


def test_one_network_has_half_of_the_queue() -> None:
    slots = Slots(SETTINGS)
    for number in range(14):
        slots.join(f"visitor {number}", "here")
    with pytest.raises(Refused, match="from your network"):
        slots.join("another", "here")
    slots.join("another", "there")


def test_leaving_twice_frees_one_place() -> None:
    slots = Slots(DemoSettings(slots=1))
    first, second, third = join_all(slots, ["anna", "berta", "clara"])
    slots.leave(second)
    slots.leave(second)
    assert (slots.place_of(third), slots.place_of(second)) == (1, None)
    assert not slots.wait(third, 0)
    slots.leave(first)
    assert slots.wait(third, 0)
    slots.leave(first)
    assert slots.running == 1


def test_waiting_runs_are_woken() -> None:
    slots = Slots(DemoSettings(slots=1))
    first, second = join_all(slots, ["anna", "berta"])
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(slots.wait(second, 10)))
    thread.start()
    slots.leave(first)
    thread.join(5)
    assert woken == [True]


def test_a_postponed_run_lets_others_pass_and_is_then_its_visitors_first() -> None:
    clock = Clock()
    slots = Slots(DemoSettings(slots=1), clock)
    first, second, other = join_all(slots, ["anna", "anna", "berta"])
    slots.postpone(first, 30)
    assert (first.runs, other.runs) == (False, True)
    slots.leave(other)
    assert not slots.wait(second, 0)
    clock.now = 31.0
    assert slots.wait(first, 0)
    assert (second.runs, slots.place_of(second)) == (False, 1)


class Queue(RuleBasedStateMachine):
    """For any actions: limits hold, no slot is free while an eligible run waits, and places are correct."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = DemoSettings(slots=3, queue=6, queue_of_one=3, runs_at_once=2)
        self.clock = Clock()
        self.slots = Slots(self.settings, self.clock)
        self.turns: list[QueuedRun] = []
        self.held_until: dict[str, float] = {}

    @rule(visitor=st.sampled_from("abcde"), network=st.sampled_from("xyz"))
    def join(self, visitor: str, network: str) -> None:
        waiting = [turn for turn in self.turns if not turn.runs]
        try:
            self.turns.append(self.slots.join(visitor, network))
        except Refused:
            full = len(waiting) >= 6 or sum(turn.network == network for turn in waiting) >= 3
            assert full or sum(turn.visitor == visitor for turn in waiting) >= 3

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def leave(self, data: Any) -> None:
        turn = data.draw(st.sampled_from(self.turns))
        self.turns.remove(turn)
        self.slots.leave(turn)

    @precondition(lambda self: any(turn.runs for turn in self.turns))
    @rule(data=st.data(), seconds=st.integers(1, 60))
    def postpone(self, data: Any, seconds: int) -> None:
        turn = data.draw(st.sampled_from([turn for turn in self.turns if turn.runs]))
        self.slots.postpone(turn, seconds)
        self.held_until[turn.visitor] = self.clock.now + seconds

    @precondition(lambda self: self.turns)
    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds
        self.slots.wait(self.turns[0], 0)

    @invariant()
    def counts_hold(self) -> None:
        running = Counter(turn.visitor for turn in self.turns if turn.runs)
        assert self.slots.running == running.total() <= 3
        assert max(running.values(), default=0) <= 2
        waiting = [turn for turn in self.turns if not turn.runs]
        assert self.slots.waiting == len(waiting)
        assert sorted(self.slots.place_of(turn) or 0 for turn in waiting) == list(range(1, len(waiting) + 1))
        if running.total() < 3:
            for turn in waiting:
                assert running[turn.visitor] == 2 or self.held_until.get(turn.visitor, 0.0) > self.clock.now


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=settings.default.max_examples // 2, stateful_step_count=30, deadline=None)
