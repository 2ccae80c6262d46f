"""Tickets with which a browser downloads a page's export, outside the page, at any size."""

from __future__ import annotations

import secrets
import threading
import time

from components.log.view import View

LIFE_S = 600.0
"""The life of a token, in seconds."""


class Tickets:
    """Tokens of 192 bits, each for one owner's runs in one view. Thread-safe.

    Each is valid for ``life_s``; beyond ``limit``, the oldest are dropped.
    """

    def __init__(self, life_s: float = LIFE_S, limit: int = 1_000) -> None:
        self._life_s, self._limit = life_s, limit
        self._lock = threading.Lock()
        self._views: dict[str, tuple[View, str, float]] = {}

    def issue(self, view: View, owner: str) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        with self._lock:
            self._views = {token_: ticket for token_, ticket in self._views.items() if ticket[2] > now}
            while len(self._views) >= self._limit:
                del self._views[next(iter(self._views))]
            self._views[token] = view, owner, now + self._life_s
        return token

    def find(self, token: str) -> tuple[View, str] | None:
        """The view and owner of a token, or None when it is unknown or expired."""
        with self._lock:
            ticket = self._views.get(token)
        return ticket[:2] if ticket and ticket[2] > time.monotonic() else None
