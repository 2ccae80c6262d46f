"""Health checks: one timed request for an endpoint's model list, and the newest result for each endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from components.endpoints.endpoint import Address
from components.endpoints.models import ANSWER_S, ModelCard, ModelsUnavailable, list_models

_LIFETIME_S = 60.0
KEY_STATUSES = (401, 403)


class HealthVerdict(Enum):
    """The result of a health check, in words for the page."""

    ANSWERS = "answers"
    REFUSES_KEY = "refuses the key"
    ASKS_FOR_KEY = "asks for a key"
    LISTS_NO_MODELS = "answers without a list of models"
    """Chat may still work: some endpoints have no model list."""
    DOES_NOT_ANSWER = "does not answer"


@dataclass(frozen=True)
class EndpointHealth:
    """The result of one health check; no field holds the key.

    ``milliseconds`` is the time from the call to the end of its answer, None when none came. ``problem`` is a sentence,
    perhaps the endpoint's own, and None when it answers with its models. ``checked_at`` is UTC.
    """

    verdict: HealthVerdict
    milliseconds: float | None
    models: tuple[ModelCard, ...]
    problem: str | None
    checked_at: datetime


def check(address: Address, within_s: float = ANSWER_S) -> EndpointHealth:
    """Request the endpoint's model list and measure the time."""
    checked_at = datetime.now(UTC)
    began = time.perf_counter()
    try:
        models, verdict, problem = list_models(address, within_s), HealthVerdict.ANSWERS, None
    except ModelsUnavailable as unavailable:
        models, verdict, problem = [], _verdict(unavailable.http_status, address), str(unavailable)
    milliseconds = (time.perf_counter() - began) * 1000
    return EndpointHealth(
        verdict=verdict,
        milliseconds=None if verdict is HealthVerdict.DOES_NOT_ANSWER else milliseconds,
        models=tuple(models),
        problem=problem,
        checked_at=checked_at,
    )


def _verdict(http_status: int | None, address: Address) -> HealthVerdict:
    if http_status is None:
        return HealthVerdict.DOES_NOT_ANSWER
    if http_status in KEY_STATUSES:
        return HealthVerdict.REFUSES_KEY if address.key else HealthVerdict.ASKS_FOR_KEY
    return HealthVerdict.LISTS_NO_MODELS


@dataclass(frozen=True)
class HealthState:
    """The newest health of an endpoint (None before the first check), and whether a check is running."""

    health: EndpointHealth | None
    checking: bool


@dataclass
class _Entry:
    base_url: str
    health: EndpointHealth | None = None
    checking: bool = False
    checked_since: float | None = None


class HealthChecks:
    """The newest health of each endpoint, shared by all visitors: it holds nothing of theirs. Never blocks.

    Each check runs in its own thread, at most one per endpoint.
    """

    def __init__(self, ask: Callable[[Address], EndpointHealth] = check, lifetime_s: float = _LIFETIME_S) -> None:
        """``lifetime_s``: the minimum interval between checks of an endpoint, except with ``again``."""
        self._ask = ask
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def state(self, name: str, address: Address, *, again: bool = False) -> HealthState:
        """The newest state of the endpoint. Starts a check when the last one is old, or with ``again``."""
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or entry.base_url != address.base_url:
                entry = self._entries[name] = _Entry(address.base_url)
            now = time.monotonic()
            old = entry.checked_since is None or now - entry.checked_since >= self._lifetime_s
            if not entry.checking and (again or old):
                entry.checking, entry.checked_since = True, now
                threading.Thread(target=self._check, args=(entry, address), name=f"look at {name}", daemon=True).start()
            return HealthState(entry.health, entry.checking)

    def _check(self, entry: _Entry, address: Address) -> None:
        health = None
        try:
            health = self._ask(address)
        finally:
            with self._lock:
                entry.health, entry.checking = health or entry.health, False
