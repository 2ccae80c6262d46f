"""Keeps the results of checks that are made after a run has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, update

from components.log.owned import OwnedLog
from components.log.storable import storable
from components.log.tables import ENDED, owned, runs

_FACTS = ("passed", "check_results")


def save_results(log: OwnedLog, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Set the facts ``passed`` and ``check_results`` of runs that have ended, by id. Raises DatabaseUnavailable."""
    ended = (runs.c.id == bindparam("run")) & ENDED & owned(runs, log.owner)
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _FACTS}
    rows = [
        {"run": run_id, **{f"new_{name}": None if of[name] is None else storable(of[name]) for name in _FACTS}}
        for run_id, of in facts.items()
    ]

    def work(connection: Connection) -> None:
        connection.execute(update(runs).where(ended).values(new), rows)

    if rows:
        log.write(work)
