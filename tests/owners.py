"""Checks every statement that Tempera executes in a test: it must name an owner, or be marked as for the whole log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Select, Update
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression

from components.log import tables

COMPONENTS = Path(tables.__file__).parents[1]
MIGRATIONS = COMPONENTS / "log" / "migrations"
OWNED = set(tables.metadata.tables.values()) - {
    *(tables.reservations, tables.waiting_runs, tables.attempts, tables.signing_key)
}
"""Reservations, waiting runs and attempts belong to visitors but are counted together. The signing key belongs to the
whole log."""
_SHARED = (tables.capsules.c.id, tables.reproductions.c.capsule_id)


class NoOwner(AssertionError):
    """A statement that would find rows of other owners."""


def check_owner(
    _connection: Any, statement: Any, _rows: Any, _parameters: Any, execution_options: dict[str, Any]
) -> None:
    """A listener for ``before_execute``. Raises NoOwner."""
    if not isinstance(statement, Select | Update | Delete) or execution_options.get("whole_log"):
        return
    if says_whose(statement) or not _is_of_components():
        return
    raise NoOwner(f"This statement says nothing of its owner:\n{statement}")


def says_whose(statement: Any) -> bool:
    """Whether the statement uses no owned table, or selects one owner's rows or one shared item."""
    parts = list(visitors.iterate(statement))
    owned = {getattr(part, "element", part) for part in parts} & OWNED
    return not owned or any(
        isinstance(part, BinaryExpression)
        and part.operator is operators.eq
        and (_is_owner(part.left) or any(part.left is column for column in _SHARED))
        for part in parts
    )


def _is_owner(part: Any) -> bool:
    """Whether it is a column of owners, or a function of one."""
    return any(getattr(each, "name", None) == "owner" for each in visitors.iterate(part))


def _is_of_components() -> bool:
    """Whether Tempera executes it, not a test or a migration."""
    frame = sys._getframe(1)
    while frame:
        path = Path(frame.f_code.co_filename)
        if path != Path(__file__) and "sqlalchemy" not in path.parts:
            return path.is_relative_to(COMPONENTS) and not path.is_relative_to(MIGRATIONS)
        frame = frame.f_back
    return False
