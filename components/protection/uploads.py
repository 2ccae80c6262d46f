"""The sessions that may upload a file now: those with an uploader on their page."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from components.user_error import UserError


class UploadRefused(UserError):
    """The file is refused. ``status`` is the HTTP status; the message says why and what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Uploads:
    """A thread-safe register of sessions with an uploader, and the bytes that each visitor and network holds."""

    def __init__(self, max_bytes: int, max_bytes_of_network: int) -> None:
        self._max_bytes = max_bytes
        self._max_of_network = max_bytes_of_network
        self._lock = threading.Lock()
        self._owners: dict[str, tuple[str, str | None]] = {}
        self._on_page: set[str] = set()
        self._drawn_now: set[str] = set()
        self._in_transit: Counter[str] = Counter()

    @contextmanager
    def page(self, session: str) -> Iterator[None]:
        """Hold while a page is drawn: uploaders of the previous page that are not drawn again stop taking files."""
        with self._lock:
            self._drawn_now.discard(session)
        yield
        with self._lock:
            if session not in self._drawn_now:
                self._on_page.discard(session)

    def register(self, session: str, visitor: str, network: str | None) -> None:
        """Register an uploader on this session's page, which belongs to this visitor."""
        with self._lock:
            self._owners[session] = visitor, network
            self._on_page.add(session)
            self._drawn_now.add(session)

    @contextmanager
    def receiving(
        self, session: str, size: int, held: Callable[[], Mapping[str, int]], free: Callable[[str], bool]
    ) -> Iterator[None]:
        """Hold while a file of this size is received. Raises UploadRefused.

        ``held`` returns the bytes in memory by session. ``free`` releases a disconnected session's files and returns
        True if it did.
        """
        with self._lock:
            if session not in self._on_page:
                raise UploadRefused(403, "This page does not accept a file now. Reload it, then choose the file again.")
            if not self._fits(session, size, held()):
                # Files of closed pages are kept in case the visitor returns, but not at the cost of other visitors.
                visitor = self._owners[session]
                for other in [other for other, owner in self._owners.items() if owner == visitor and free(other)]:
                    del self._owners[other]
                if not self._fits(session, size, held()):
                    raise UploadRefused(
                        413,
                        f"Your pages already hold files of {self._max_bytes / 1e6:.0f} MB, which is the limit. "
                        "Remove some, or reload the page; then choose the file again.",
                    )
            self._in_transit[session] += size
        try:
            yield
        finally:
            with self._lock:
                self._in_transit[session] -= size
                if not self._in_transit[session]:
                    del self._in_transit[session]

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Forget the sessions that have ended, and their files."""
        with self._lock:
            for session in [session for session in self._owners if is_gone(session)]:
                del self._owners[session]
                self._on_page.discard(session)
                self._drawn_now.discard(session)

    def _fits(self, session: str, size: int, held: Mapping[str, int]) -> bool:
        visitor, network = self._owners[session]
        of_visitor = of_network = size
        for other, (other_visitor, other_network) in self._owners.items():
            taken = held.get(other, 0) + self._in_transit[other]
            of_visitor += taken if other_visitor == visitor else 0
            of_network += taken if other_network == network else 0
        return of_visitor <= self._max_bytes and (network is None or of_network <= self._max_of_network)
