"""Whether an endpoint answers: one timed look at its list of models, and the newest look at each endpoint."""

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
_KEY_STATUSES = (401, 403)


class Verdict(Enum):
    """What came of a look at an endpoint, in words for the page."""

    ANSWERS = "answers"
    REFUSES_KEY = "refuses the key"
    ASKS_FOR_KEY = "asks for a key"
    LISTS_NO_MODELS = "answers without a list of models"
    """It may chat all the same: some endpoints have no list."""
    DOES_NOT_ANSWER = "does not answer"


@dataclass(frozen=True)
class EndpointHealth:
    """One look at an endpoint; no field ever holds its key.

    ``milliseconds`` is the time from the call to the end of its answer, None when none came. ``problem`` is a sentence,
    perhaps the endpoint's own, and None when it answers with its models. ``checked_at`` is UTC.
    """

    verdict: Verdict
    milliseconds: float | None
    models: tuple[ModelCard, ...]
    problem: str | None
    checked_at: datetime


def check(address: Address, within_s: float = ANSWER_S) -> EndpointHealth:
    """Ask the endpoint for its models and take the time."""
    checked_at = datetime.now(UTC)
    began = time.perf_counter()
    models: list[ModelCard] = []
    problem = None
    verdict = Verdict.ANSWERS
    try:
        models = list_models(address, within_s)
    except ModelsUnavailable as unavailable:
        problem = str(unavailable)
        verdict = _verdict(unavailable.http_status, address)
    milliseconds = (time.perf_counter() - began) * 1000
    return EndpointHealth(
        verdict=verdict,
        milliseconds=None if verdict is Verdict.DOES_NOT_ANSWER else milliseconds,
        models=tuple(models),
        problem=problem,
        checked_at=checked_at,
    )


def _verdict(http_status: int | None, address: Address) -> Verdict:
    if http_status is None:
        return Verdict.DOES_NOT_ANSWER
    if http_status in _KEY_STATUSES:
        return Verdict.REFUSES_KEY if address.key else Verdict.ASKS_FOR_KEY
    return Verdict.LISTS_NO_MODELS


@dataclass(frozen=True)
class Look:
    """What is known of an endpoint now: its health (None before the first look), and whether it is being asked."""

    health: EndpointHealth | None
    asking: bool


@dataclass
class _Known:
    base_url: str
    health: EndpointHealth | None = None
    asking: bool = False
    asked_at: float | None = None


class Looks:
    """The newest look at each endpoint, shared by all visitors: nothing in it comes from one. Never waits.

    Each look has a thread of its own, and an endpoint never more than one at a time.
    """

    def __init__(self, ask: Callable[[Address], EndpointHealth] = check, lifetime_s: float = _LIFETIME_S) -> None:
        """``lifetime_s``: an endpoint is not asked more often than once in so many seconds, unless by ``again``."""
        self._ask = ask
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def look(self, name: str, address: Address, *, again: bool = False) -> Look:
        """What is known of the endpoint now. Begins a new look when the last one is old, and with ``again`` at once."""
        with self._lock:
            known = self._known.get(name)
            if known is None or known.base_url != address.base_url:
                known = self._known[name] = _Known(address.base_url)
            now = time.monotonic()
            old = known.asked_at is None or now - known.asked_at >= self._lifetime_s
            if not known.asking and (again or old):
                known.asking, known.asked_at = True, now
                threading.Thread(
                    target=self._find_out, args=(known, address), name=f"look at {name}", daemon=True
                ).start()
            return Look(known.health, known.asking)

    def _find_out(self, known: _Known, address: Address) -> None:
        health = None
        try:
            health = self._ask(address)
        finally:
            with self._lock:
                known.health, known.asking = health or known.health, False
