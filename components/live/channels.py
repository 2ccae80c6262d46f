"""The runs that each open page may see. A page has a token; the token's channel lists the runs drawn on the page."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from components.live.followed import FollowedRun
from components.live.share import Shares
from components.live.token_rows import TokenRows
from components.log.events import StoredEvent
from components.log.record import LOCAL
from components.markdown.answer import AnswerBlocks, View
from components.protection.places import PlaceLimits
from components.runs.run import Run
from components.streaming.limits import Limits

AnswerView = View | Literal["tokens"]
"""A view of an answer: as Markdown, as received, or as tokens with their probabilities."""
_MAX_RUNS = 16
"""More than any page draws; the run drawn longest ago is dropped first."""
_PAGES = PlaceLimits(Limits().pages_at_once)


@dataclass(frozen=True)
class Shown:
    """A run on a page: live here, or in the log. ``read_events`` may be slow and may fail."""

    run: Run | FollowedRun
    read_events: Callable[[], list[StoredEvent]]


@dataclass(frozen=True)
class Announcement:
    """The next run of a place on a page. ``turn`` counts the announcements of the place from 1."""

    place: str
    run_id: str
    turn: int
    replay: bool


class Channel:
    """The runs that one page may watch. ``visitor`` and ``network`` identify its owner for limits."""

    def __init__(self, visitor: str = LOCAL, network: str | None = None) -> None:
        self.visitor = visitor
        self.network = network
        self.token = secrets.token_urlsafe(24)
        self._shown: dict[str, Shown] = {}
        self._blocks: WeakValueDictionary[tuple[str, AnswerView], AnswerBlocks | TokenRows] = WeakValueDictionary()
        self._turns: dict[str, int] = {}
        self._listeners: list[Callable[[Announcement], None]] = []
        self._used_at = time.monotonic()
        self._lock = threading.Lock()

    def announce(
        self,
        place: str,
        run: Run | FollowedRun,
        read_events: Callable[[], list[StoredEvent]],
        *,
        replay: bool = False,
    ) -> bool:
        """Let the page see this run, and tell its connections to show it in that place, before its script draws it.

        Returns whether the page is connected.
        """
        self.show(run, read_events)
        with self._lock:
            turn = self._turns[place] = self._turns.get(place, 0) + 1
            listeners = list(self._listeners)
        for listener in listeners:
            listener(Announcement(place, run.id, turn, replay))
        return bool(listeners)

    def turn(self, place: str) -> int:
        """The number of announcements of the place: what a script draws before the newest one is outdated."""
        with self._lock:
            return self._turns.get(place, 0)

    def show(self, run: Run | FollowedRun, read_events: Callable[[], list[StoredEvent]]) -> None:
        """Let the page see this run."""
        with self._lock:
            self._used_at = time.monotonic()
            self._shown.pop(run.id, None)
            self._shown[run.id] = Shown(run, read_events)
            while len(self._shown) > _MAX_RUNS:
                del self._shown[next(iter(self._shown))]

    def find(self, run_id: str) -> Shown | None:
        """The run of that id, or None when this page may not see it."""
        with self._lock:
            return self._shown.get(run_id)

    def blocks_of(self, run_id: str, view: AnswerView) -> AnswerBlocks | TokenRows:
        """The answer of that run as blocks, the same ones for every lane of the page that draws it now."""
        with self._lock:
            blocks = self._blocks.get((run_id, view))
            if blocks is None:
                blocks = _rows(self._shown.get(run_id)) if view == "tokens" else AnswerBlocks(view)
                self._blocks[run_id, view] = blocks
            return blocks

    @contextmanager
    def connected(self, listener: Callable[[Announcement], None]) -> Iterator[None]:
        """Hold this while a connection lasts; ``listener`` gets the announcements and must return at once."""
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)
                self._used_at = time.monotonic()

    def is_watching(self, run_id: str) -> bool:
        """Whether the page is connected and may see that run."""
        with self._lock:
            return bool(self._listeners) and run_id in self._shown

    def unused_s(self, now: float) -> float:
        """The seconds since a page used the token; 0 while one is connected."""
        with self._lock:
            return 0.0 if self._listeners else now - self._used_at


def _rows(shown: Shown | None) -> TokenRows:
    if shown is None:
        return TokenRows()
    if isinstance(shown.run, Run):
        return TokenRows(shown.run.events, grows=True)
    return TokenRows(lambda since: shown.read_events()[since:])


class Channels:
    """The channels of all open pages, and each visitor's share of the live view.

    An unused token stays valid for ``life_s``: as long as Streamlit keeps a disconnected session.
    """

    def __init__(self, pages: PlaceLimits = _PAGES) -> None:
        """``pages`` is how many pages may be connected at once."""
        self.life_s = 120.0
        self.shares = Shares(pages)
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def open(self, visitor: str = LOCAL, network: str | None = None) -> Channel:
        """A channel for a new view of a visitor's page."""
        channel = Channel(visitor, network)
        with self._lock:
            self._forget_old()
            self._channels[channel.token] = channel
        return channel

    def find(self, token: str) -> Channel | None:
        """The channel of that token, unless the token is wrong or old."""
        with self._lock:
            self._forget_old()
            return self._channels.get(token)

    def are_watching(self, run: Run) -> bool:
        """Whether a connected page draws the run."""
        with self._lock:
            channels = list(self._channels.values())
        return any(channel.is_watching(run.id) for channel in channels)

    def _forget_old(self) -> None:
        now = time.monotonic()
        for token in [token for token, channel in self._channels.items() if channel.unused_s(now) > self.life_s]:
            del self._channels[token]
