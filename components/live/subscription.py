"""One run on one page: decides which messages the page gets next, and when."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import Any, Literal

from components.live.channels import AnswerView, Shown
from components.live.frames import Reader
from components.live.status_words import ShownNumber, ended_in_words, footer, status_words, waiting_words
from components.live.token_rows import TokenRows
from components.markdown.answer import AnswerBlocks
from components.runs.run import Activity, RetryWait

Part = Literal["status"] | AnswerView
"""The part of a run that a page shows: status and numbers, or the answer in one of its views."""
Message = list[Any]
"""A frame (see ``Frame``), or an object: a ``note`` instead of the answer, text ``said`` aloud, and ``ended``."""

_NUMBERS_EACH_S = 0.25
"""Numbers that change more often cannot be read."""
_LONG_S = 0.005
_LARGE_TEXT = 1_000
"""Characters that may be slow to render: some hundred tokens, or one unusually large event."""


class Subscription:
    """The state of one watched run on one page: what has been sent so far."""

    def __init__(self, shown: Shown, blocks: AnswerBlocks | TokenRows | None = None) -> None:
        """``blocks`` are those of the answer in the view that is drawn; None for the status and its numbers.

        Lanes of one visitor may have the same blocks: their messages are made one after another.
        """
        self._run = shown.run
        self._blocks = blocks
        self._reader = Reader()
        self._last_facts: dict[str, object] = {}
        self.changed = True
        """Whether there may be something to send."""
        self.not_before = 0.0
        """The monotonic time before which nothing is sent unless it is urgent."""
        self.timed = False
        """Whether a timer is set for that time."""
        self._activity: tuple[Activity | None, int | None, RetryWait | None] = None, None, None
        self._drawn = 0
        self._was_slow = False

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` at every change of the run; the returned function unsubscribes it."""
        self._run.listen(listener)
        return lambda: self._run.leave(listener)

    def resume(self, count: int, size: int) -> None:
        """Resume after a lost connection: the page has this many blocks of this many UTF-16 code units."""
        if self._blocks:
            self._blocks.update(self._run.texts()[0], ended=self.has_ended)
            self._reader.resume(self._blocks.blocks, count, size)

    def messages(self) -> list[Message]:
        """The messages that bring the page up to date."""
        began = time.perf_counter()
        self.changed = False
        # Read before the text: an ended run gets no more text.
        ended = self.has_ended
        blocks, facts = self._answer(self._blocks, ended) if self._blocks else self._status(ended)
        messages: list[Message] = []
        if frame := self._reader.frame(blocks):
            messages.append([*frame])
        if changed := {name: fact for name, fact in facts.items() if fact != self._last_facts.get(name)}:
            # Last, because the page redraws itself at the end.
            messages.append([changed])
            self._last_facts = facts
        self._was_slow = time.perf_counter() - began > _LONG_S
        return messages

    @property
    def takes_long(self) -> bool:
        """Whether rendering the next messages may block other pages."""
        if isinstance(self._blocks, TokenRows) and self._blocks.reads_log:
            return True
        return self._was_slow or (self._blocks is not None and len(self._run.texts()[0]) - self._drawn > _LARGE_TEXT)

    @property
    def urgent(self) -> bool:
        """Whether there is something to send at once: the run has ended or changed its activity."""
        activity, _place, retry_wait = self._activity
        run = self._run
        return run.finished or run.activity is not activity or run.retry_wait is not retry_wait

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended."""
        return self._run.finished

    def _answer(self, answer: AnswerBlocks | TokenRows, ended: bool) -> tuple[list[str], dict[str, object]]:
        """The blocks of the answer, and the facts beside them."""
        text, reasoning = self._run.texts()
        answer.update(text, ended=ended)
        self._drawn = len(text)
        note = "" if text or ended else waiting_words(reasoning, self._run.retry_wait)
        announcement = ended_in_words(self._run.record()) if ended else "Answer started" if text else ""
        return answer.blocks, {"note": note, "said": announcement, "ended": ended}

    def _status(self, ended: bool) -> tuple[list[str], dict[str, object]]:
        """The block of the status and its numbers, and the facts beside it."""
        record = self._run.record()
        self._activity = self._run.activity, self._run.place_in_queue, self._run.retry_wait
        badge, colour = status_words(record, *self._activity)
        colours = f"background: var(--st-{colour}-background-color); color: var(--st-{colour}-text-color)"
        parts = [_number(number, with_meaning=ended) for number in footer(record)]
        block = (
            f'<span class="live-badge" style="{colours}">{html.escape(badge)}</span>'
            f'<span class="live-numbers">{" · ".join(parts)}</span>'
        )
        self.not_before = time.monotonic() + _NUMBERS_EACH_S
        *_, retry_wait = self._activity
        if not ended and retry_wait and (remaining_s := retry_wait.remaining_s):
            # The countdown changes each second though the run does not.
            self.changed = True
            self.not_before = time.monotonic() + (remaining_s % 1 or 1)
        return [block], {"ended": ended}


def _number(number: ShownNumber, *, with_meaning: bool) -> str:
    # Definitions would be most of the traffic of a running answer.
    title = f' title="{html.escape(number.meaning)}"' if with_meaning else ""
    return f"<span{title}>{html.escape(number.value)}</span>"
