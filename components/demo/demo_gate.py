"""The gate of a demo. Every run passes it, whether it comes from a form, a link, an import or a sweep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from components.demo import budget, sentences, waiting
from components.demo.budget import Demand, Reservation, SlotsTaken
from components.demo.floods import Floods
from components.demo.requests import checked, tokens_of
from components.demo.settings import DemoSettings
from components.demo.slots import QueuedRun, Slots
from components.demo.switch import Switch
from components.demo.visitors import UNKNOWN
from components.log.log import Log
from components.runs.gate import Refused
from components.runs.order import Order
from components.runs.run import Activity, Run
from components.streaming.outcome import Outcome

_POLL_S = 0.1
_SLOT_AGAIN_S = 0.25
_WATCH_EVERY_S = 1.0
_LONGEST_PAUSE_S = 60.0
"""A run of an experiment waits this long for a limit to pass; any other run is refused."""
_MAX_WAIT_S = 180.0


class DemoGate:
    """Checks each run, queues it for a slot, reserves its tokens and settles what it used.

    The visitor is the run's owner. Runs without a network share one.
    """

    def __init__(
        self,
        settings: DemoSettings,
        log: Log,
        is_stopped: Callable[[], bool],
        is_watched: Callable[[Run], bool] = lambda _run: False,
        watch_every_s: float = _WATCH_EVERY_S,
    ) -> None:
        """``is_watched`` returns whether a run has a viewer now."""
        self._watch_every_s = watch_every_s
        self.slots = Slots(settings)
        self.switch = Switch(settings, is_stopped)
        self._settings = settings
        self._log = log
        self._is_watched = is_watched
        self._floods = Floods(settings, log)
        self._lock = threading.Lock()
        self._under_way: dict[Run, Reservation] = {}
        self._waiting: set[str] = set()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="demo", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Stop sending heartbeats. Running runs count for another half minute."""
        self._closing.set()
        self._watcher.join()

    def admit(self, order: Order) -> None:
        """Check the number of attempts before a run is created; see ``Gate.admit``."""
        self._floods.check(order.network or UNKNOWN, order.body)

    @contextmanager
    def enter(self, run: Run) -> Iterator[Callable[[Outcome], None]]:
        """Check a run before it is sent; see ``Gate.enter``."""
        self._check_switch()
        order = run.order
        request = checked(order.endpoint, order.body, self._settings)
        experiment = order.placement.experiment_id if order.placement else None
        tokens = tokens_of(request, order.body)
        demand = Demand(run.owner, run.network or UNKNOWN, tokens, request.max_tokens or 0, experiment)
        # Checked first, so that a refused run does not wait in the queue.
        try:
            budget.check(self._log, self._settings, demand)
        except Refused as refused:
            if not _may_wait(run, refused):
                raise
        queued = self.slots.join(demand.visitor, demand.network)
        try:
            with self._reserved(run, self._await_slot(run, queued, demand)) as settle:
                yield settle
        finally:
            self.slots.leave(queued)

    def _await_slot(self, run: Run, queued: QueuedRun, demand: Demand) -> Reservation:
        try:
            return self._reserve(run, queued, demand)
        finally:
            if run.id in self._waiting:
                self._waiting.remove(run.id)
                waiting.leave(self._log, run.id)

    def _wait(self, run: Run, place: int | None) -> None:
        if run.id not in self._waiting:
            waiting.join(self._log, self._settings, run.id, run.owner, run.network or UNKNOWN)
            self._waiting.add(run.id)
        run.queue(place)

    def _reserve(self, run: Run, queued: QueuedRun, demand: Demand) -> Reservation:
        gives_up_at = time.monotonic() + _MAX_WAIT_S
        while True:
            while not self.slots.wait(queued, _POLL_S):
                self._check_still_wanted(run)
                self._wait(run, self.slots.place_of(queued))
            self._check_still_wanted(run)
            try:
                reservation = budget.reserve(self._log, self._settings, demand)
            except SlotsTaken:
                # By runs of other processes: this one is next here.
                self._wait(run, None)
                self._closing.wait(_SLOT_AGAIN_S)
            except Refused as refused:
                if not _may_wait(run, refused) or time.monotonic() > gives_up_at:
                    raise
                self.slots.postpone(queued, refused.again_in_s or 0.0)
            else:
                run.enter(Activity.PREPARING)
                return reservation

    @contextmanager
    def _reserved(self, run: Run, reservation: Reservation) -> Iterator[Callable[[Outcome], None]]:
        used = reservation.tokens
        with self._lock:
            self._under_way[run] = reservation

        def settle(outcome: Outcome) -> None:
            nonlocal used
            used = used_tokens(outcome, reservation.tokens)

        try:
            yield settle
        finally:
            with self._lock:
                del self._under_way[run]
            budget.settle(self._log, reservation, used)

    def _check_switch(self) -> None:
        if sentence := self.switch.sentence():
            raise Refused(sentence)

    def _check_still_wanted(self, run: Run) -> None:
        if run.stopping:
            raise Refused(sentences.STOPPED_IN_QUEUE)
        if self._is_unwatched(run):
            raise Refused(sentences.LEFT_QUEUE)
        self._check_switch()

    def _is_unwatched(self, run: Run) -> bool:
        if self._is_watched(run):
            run.seen()
        return run.seen_at is not None and time.monotonic() - run.seen_at > self._settings.gone_after_s

    def _watch(self) -> None:
        """Send heartbeats for the runs of this process, and stop those without a viewer."""
        keep_alive_at = 0.0
        while not self._closing.wait(self._watch_every_s):
            with self._lock:
                under_way = dict(self._under_way)
            for run in filter(self._is_unwatched, under_way):
                run.stop()
            if time.monotonic() >= keep_alive_at:
                keep_alive_at = time.monotonic() + 10 * self._watch_every_s
                budget.keep_alive(self._log, list(under_way.values()))
                waiting.keep_alive(self._log, list(self._waiting))


def used_tokens(outcome: Outcome, reserved: int) -> int:
    """The tokens that a run used, as reported by the endpoint; else its whole reservation.

    Zero when it was never sent, or when the endpoint refused it (status 400 to 499).
    """
    if outcome.attempts == 0 or (outcome.http_status is not None and 400 <= outcome.http_status < 500):
        return 0
    usage = outcome.usage
    if usage is None or usage.completion_tokens is None or usage.prompt_tokens is None:
        return reserved
    return usage.prompt_tokens + usage.completion_tokens


def _may_wait(run: Run, refused: Refused) -> bool:
    return run.order.placement is not None and refused.again_in_s is not None and refused.again_in_s <= _LONGEST_PAUSE_S
