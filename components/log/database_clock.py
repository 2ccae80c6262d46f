"""The database's clock, which all replicas share: their own clocks may differ by minutes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, String, literal_column, select


def database_now(dialect: str, ago_s: float = 0.0) -> ColumnElement[str]:
    """The database's time now, or some seconds ago, as an expression in the format of ``utc_now``."""
    if dialect == "sqlite":
        return literal_column(f"strftime('%Y-%m-%dT%H:%M:%f', 'now', '{-ago_s:f} seconds') || '000Z'", String)
    moment = f"clock_timestamp() at time zone 'utc' - interval '{ago_s:f} seconds'"
    return literal_column(f"""to_char({moment}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""", String)


def read_database_clock(connection: Connection) -> datetime:
    """The database's time now."""
    return datetime.fromisoformat(connection.execute(select(database_now(connection.dialect.name))).scalar_one())
