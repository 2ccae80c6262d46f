"""The lines of an export, as text."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement

from components.log.database import Database
from components.log.export import json_lines


def export_runs(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[str]:
    return (line.decode("utf-8", "surrogatepass") for line in json_lines(database, where))
