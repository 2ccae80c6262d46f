"""The slots of a demo and their queue, which serves visitors in turn.

This is the order within a process. ``budget.reserve`` counts the slots of all processes, ``waiting.py`` their queues.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from components.demo import sentences
from components.demo.settings import DemoSettings
from components.runs.gate import Refused


@dataclass(eq=False)
class QueuedRun:
    """A run in the queue, which waits or runs. Two runs are never equal."""

    visitor: str
    network: str
    runs: bool = False
    """Whether it has a slot."""


class Slots:
    """At most ``slots`` concurrent runs. The queue serves visitors in turn, and each visitor's runs in order.

    Of one visitor at most ``runs_at_once`` run and ``queue_of_one`` wait; one network has at most half of the queue.
    Thread-safe.
    """

    def __init__(self, settings: DemoSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns monotonic seconds."""
        self._settings = settings
        self._clock = clock
        self._changed = threading.Condition()
        self._lines: OrderedDict[str, deque[QueuedRun]] = OrderedDict()
        """The waiting runs of each visitor; the visitor whose turn is next comes first."""
        self._running: set[QueuedRun] = set()
        self._not_before: dict[str, float] = {}
        """The end of the wait of each visitor who must wait, on the monotonic clock."""

    @property
    def running(self) -> int:
        """The number of runs with a slot."""
        with self._changed:
            return len(self._running)

    @property
    def waiting(self) -> int:
        """The number of waiting runs."""
        with self._changed:
            return sum(map(len, self._lines.values()))

    def join(self, visitor: str, network: str) -> QueuedRun:
        """Queue a run, which may get its slot at once. Raises Refused when the queue has no room for it."""
        turn = QueuedRun(visitor, network)
        with self._changed:
            self._lines.setdefault(visitor, deque()).append(turn)
            self._fill()
            waiting = [(each.visitor, each.network) for line in self._lines.values() for each in line]
            if not turn.runs and (sentence := no_room(self._settings, waiting, visitor, network)):
                self._take_out(turn)
                raise Refused(sentence)
        return turn

    def wait(self, turn: QueuedRun, seconds: float) -> bool:
        """Wait until the run has a slot, at most this many seconds; returns whether it has one."""
        with self._changed:
            # A waiting run may be allowed to start now.
            self._fill()
            self._changed.wait_for(lambda: turn.runs, seconds)
            return turn.runs

    def place_of(self, turn: QueuedRun) -> int | None:
        """The position of the run in the queue, from 1; None when it does not wait."""
        with self._changed:
            line = self._lines.get(turn.visitor, deque())
            if turn not in line:
                return None
            before = line.index(turn)
            place, is_earlier = before + 1, True
            for visitor, others in self._lines.items():
                if visitor == turn.visitor:
                    is_earlier = False
                else:
                    place += min(len(others), before + is_earlier)
            return place

    def postpone(self, turn: QueuedRun, seconds: float) -> None:
        """Give the slot back and wait again as the visitor's next run; no other run of the visitor begins before it."""
        with self._changed:
            if turn.runs:
                self._running.remove(turn)
                turn.runs = False
                self._lines.setdefault(turn.visitor, deque()).appendleft(turn)
            self._not_before[turn.visitor] = self._clock() + seconds
            self._fill()

    def leave(self, turn: QueuedRun) -> None:
        """End a waiting or running run; no effect after its end."""
        with self._changed:
            self._running.discard(turn)
            turn.runs = False
            self._take_out(turn)
            self._fill()

    def _fill(self) -> None:
        """Give free slots to the next runs. Called whenever a slot may have become free."""
        now = self._clock()
        self._not_before = {visitor: at for visitor, at in self._not_before.items() if at > now}
        running = Counter(turn.visitor for turn in self._running)
        while len(self._running) < self._settings.slots:
            at_once = self._settings.runs_at_once
            may_run = (each for each in self._lines if each not in self._not_before and running[each] < at_once)
            visitor = next(may_run, None)
            if visitor is None:
                return
            turn = self._lines[visitor][0]
            self._take_out(turn)
            if visitor in self._lines:
                self._lines.move_to_end(visitor)
            running[visitor] += 1
            self._running.add(turn)
            turn.runs = True
            self._changed.notify_all()

    def _take_out(self, turn: QueuedRun) -> None:
        line = self._lines.get(turn.visitor, deque())
        if turn in line:
            line.remove(turn)
            if not line:
                del self._lines[turn.visitor]


def no_room(settings: DemoSettings, waiting: Sequence[tuple[str, str]], visitor: str, network: str) -> str | None:
    """Why a run may not wait, or None. ``waiting`` has visitor and network of all waiting runs, including this one."""
    if len(waiting) > settings.queue:
        return sentences.QUEUE_FULL.format(queue=settings.queue)
    if sum(each == visitor for each, _network in waiting) > settings.queue_of_one:
        return sentences.QUEUE_OF_ONE_FULL.format(queue_of_one=settings.queue_of_one)
    if sum(each == network for _visitor, each in waiting) > max(settings.queue // 2, 1):
        return sentences.QUEUE_OF_NETWORK_FULL
    return None
