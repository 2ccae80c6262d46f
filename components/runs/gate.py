"""The gate between a run and its endpoint: decides whether and when a run is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from components.runs.order import Order
from components.runs.run import Run
from components.streaming.outcome import Outcome
from components.user_error import UserError


class Refused(UserError):
    """A run is refused.

    ``again_in_s`` is the time until a retry can succeed, in seconds; None when waiting does not help.
    """

    def __init__(self, sentence: str, again_in_s: float | None = None) -> None:
        super().__init__(sentence)
        self.again_in_s = again_in_s


class Gate(Protocol):
    """The checks that every run passes before anything goes upstream."""

    def admit(self, order: Order) -> None:
        """Allow a run to be created, which costs a row of the log. Returns at once. Raises Refused."""

    def enter(self, run: Run) -> AbstractContextManager[Callable[[Outcome], None]]:
        """Allow a run to be sent while the context lasts. Called in the run's own thread; may block.

        The context yields a function to call with the run's outcome. Raises Refused, also when the run is stopped while
        it waits.
        """
