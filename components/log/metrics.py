"""Metrics of the last 24 hours for the operator: numbers only, over all owners' runs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import func, select

from components.log.database import Database
from components.log.query import read_rows
from components.log.record import DAY_S, utc_now
from components.log.tables import WHOLE_LOG, runs
from components.streaming.outcome import Status

_MAX_RUNS = 10_000


@dataclass(frozen=True)
class Metrics:
    """Runs that began within the last 24 hours by status, and quantiles of their time to first token, in ms.

    ``ttft_ms`` covers the newest 10,000 runs that have it, by quantile; empty when there are none.
    """

    runs: dict[str, int]
    ttft_ms: dict[float, float]


def metrics_of(database: Database) -> Metrics:
    """The metrics of the last 24 hours. Raises QueryFailed."""
    recent = runs.c.created_at > utc_now(DAY_S)
    counted = select(runs.c.status, func.count().label("runs")).where(recent).group_by(runs.c.status)
    timed = select(runs.c.ttft_ms).where(recent, runs.c.ttft_ms.is_not(None)).order_by(runs.c.created_at.desc())
    counts = read_rows(database, counted.execution_options(**WHOLE_LOG))
    times = read_rows(database, timed.limit(_MAX_RUNS).execution_options(**WHOLE_LOG))
    counts_by_status = {status.value: 0 for status in Status} | {row["status"]: row["runs"] for row in counts}
    quantiles = pd.Series([row["ttft_ms"] for row in times], dtype=float).quantile([0.5, 0.95]).dropna()
    return Metrics(counts_by_status, {float(str(quantile)): float(value) for quantile, value in quantiles.items()})
