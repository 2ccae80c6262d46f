"""Who looks at the page, and what of the log is theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.runs.owned import LOCAL, OwnLog
from components.service import service

BY_OWNER: dict[type | str, Callable[[Any], Any]] = {OwnLog: lambda log: log.owner}
"""How what is cached for all visitors tells their logs apart."""


def owner() -> str:
    """Who owns what is made on this page."""
    return LOCAL


def own_log() -> OwnLog:
    """The log as the visitor has it."""
    return OwnLog(service().log, owner())
