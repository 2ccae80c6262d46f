"""What may stand between a run and its endpoint: it decides whether, and when, a run is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from components.runs.order import Order
from components.runs.run import Run
from components.streaming.outcome import Outcome
from components.user_error import UserError


class Refused(UserError):
    """Something is not sent.

    ``again_in_s`` is after how many seconds the same would be sent, where time alone mends it.
    """

    def __init__(self, sentence: str, again_in_s: float | None = None) -> None:
        super().__init__(sentence)
        self.again_in_s = again_in_s


class Gate(Protocol):
    """Whatever every run passes before anything of it goes upstream."""

    def admit(self, order: Order) -> None:
        """Let a run be made at all, which costs a row of the log. Returns at once. Raises Refused."""
        ...

    def enter(self, run: Run) -> AbstractContextManager[Callable[[Outcome], None]]:
        """Let a run be sent for as long as the context lasts, in the run's own thread; may wait for that.

        The context gives a function that wants to be told how the run ended. Raises Refused, also when the run is
        stopped while it waits.
        """
        ...
