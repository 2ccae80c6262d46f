"""How many runs one sweep or comparison of a demo may make, and how many tokens they may ask for together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from components.demo import sentences
from components.demo.settings import DemoSettings
from components.runs.gate import Refused

_MOST_KEPT = 10_000


@dataclass
class _Taken:
    runs: int = 0
    tokens: int = 0


class Together:
    """Counts in this process what each experiment of each visitor has taken. Any thread may use it.

    Every run counts, also one that is made again, and whatever a visitor may do in a minute or a day holds as well.
    """

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._taken: OrderedDict[tuple[str, str], _Taken] = OrderedDict()

    @contextmanager
    def counted(self, visitor: str, experiment_id: str | None, max_tokens: int) -> Iterator[None]:
        """Count a run of an experiment, unless it ends with Refused. Raises Refused itself when it is one too many."""
        if experiment_id is None:
            yield
            return
        taken = self._take(visitor, experiment_id, max_tokens)
        try:
            yield
        except Refused:
            with self._lock:
                taken.runs -= 1
                taken.tokens -= max_tokens
            raise

    def _take(self, visitor: str, experiment_id: str, max_tokens: int) -> _Taken:
        settings, key = self._settings, (visitor, experiment_id)
        with self._lock:
            taken = self._taken.setdefault(key, _Taken())
            self._taken.move_to_end(key)
            if len(self._taken) > _MOST_KEPT:
                self._taken.popitem(last=False)
            if taken.runs >= settings.sweep_runs:
                raise Refused(sentences.EXPERIMENT_TOO_MANY_RUNS.format(sweep_runs=settings.sweep_runs))
            if taken.tokens + max_tokens > settings.sweep_tokens:
                raise Refused(sentences.EXPERIMENT_TOO_MANY_TOKENS.format(sweep_tokens=settings.sweep_tokens))
            taken.runs += 1
            taken.tokens += max_tokens
            return taken
