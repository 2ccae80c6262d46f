"""Searches runs by words, filters and order: one page at a time, at any size of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import func, literal, select, tuple_

from components.log.database import Database
from components.log.query import read_rows
from components.log.record import LISTED, NUMBERS, SHOWN, TIMED
from components.log.tables import NEWEST_FIRST, owned, run_annotations, runs
from components.log.view import MAX_COUNTED, MAX_MATCHES, View, quick_conditions
from components.streaming.outcome import Status

ORDERS = {
    "started": runs.c.created_at,
    **{NUMBERS[name].label: runs.c[name] for name in (*TIMED, *NUMBERS) if NUMBERS[name].sortable},
}
"""The sort orders of runs. Runs without the number are left out of the list."""

_MAX_CHOICES = 5_000

_LIST = (
    runs.c.id,
    runs.c.created_at,
    runs.c.status,
    runs.c.error_kind,
    runs.c.finish_reason,
    runs.c.endpoint,
    runs.c.model,
    func.substr(runs.c.settings, 1, 400).label("settings"),
    func.substr(runs.c.prompt, 1, 160).label("prompt_begin"),
    func.substr(runs.c.text, 1, 160).label("answer_begin"),
    *(runs.c[name] for name in LISTED),
    runs.c.experiment_id,
    runs.c.passed,
    runs.c.check_results,
    run_annotations.c.rating,
    run_annotations.c.tags,
)

_MEASURED = ("created_at", "status", "endpoint", "model", "settings", *SHOWN, "rate_basis", "passed")


class PageEnd(NamedTuple):
    """The end of a page: the sort value and the id of its last run."""

    value: str | float
    id: str


@dataclass(frozen=True)
class Page:
    """A page of runs, one row each, and the position where the next page begins; None on the last page."""

    runs: pd.DataFrame
    next: PageEnd | None


@dataclass(frozen=True)
class Summary:
    """The summary of a view; ``more`` says that it has more than ``MAX_COUNTED`` runs.

    ``ended`` counts the runs that have ended, ``ok`` the successful ones among them. ``passed`` and
    ``failed`` count the answers of which it is known whether they pass their checks. Medians are in ms and in tokens
    per second, and None when no run has the number.
    """

    count: int
    more: bool
    ended: int
    ok: int
    ttft_ms: float | None
    tokens_per_second: float | None
    completion_tokens: int
    passed: int = 0
    failed: int = 0


def page_of(
    database: Database, view: View, after: PageEnd | None = None, limit: int = 50, max_matches: int = MAX_MATCHES
) -> Page:
    """A page of the view's runs; words are searched in ``max_matches`` runs. Raises FilterProblem, QueryFailed."""
    order = ORDERS[view.order]
    condition = quick_conditions(database, view, max_matches)
    statement = select(*_LIST).select_from(runs.outerjoin(run_annotations)).where(condition)
    if view.order != "started":
        statement = statement.where(order.is_not(None))
    if after:
        position = tuple_(order, runs.c.id)
        last_position = tuple_(literal(after.value), literal(after.id))
        statement = statement.where(position < last_position if view.descending else position > last_position)
    ordered = (order.desc(), runs.c.id.desc()) if view.descending else (order, runs.c.id)
    # One more row than shown reveals whether there is a next page.
    rows = read_rows(database, statement.order_by(*ordered).limit(limit + 1))
    frame = pd.DataFrame(rows[:limit], columns=[each.name for each in _LIST])
    if len(rows) <= limit:
        return Page(frame, None)
    return Page(frame, PageEnd(rows[limit - 1][order.name], rows[limit - 1]["id"]))


def summary_of(database: Database, view: View) -> Summary:
    """The summary of the view's runs, or of the newest ones when there are many.

    Raises FilterProblem, QueryFailed.
    """
    columns = runs.c.status, runs.c.ttft_ms, runs.c.tokens_per_second, runs.c.completion_tokens, runs.c.passed
    newest = select(*columns).where(quick_conditions(database, view)).order_by(runs.c.created_at.desc())
    rows = read_rows(database, newest.limit(MAX_COUNTED + 1))
    frame = pd.DataFrame(rows[:MAX_COUNTED], columns=[each.name for each in columns])
    numbers = frame[["ttft_ms", "tokens_per_second", "completion_tokens"]].astype(float)
    medians = numbers.median()
    return Summary(
        count=len(frame),
        more=len(rows) > MAX_COUNTED,
        ended=int((frame["status"] != Status.RUNNING.value).sum()),
        ok=int((frame["status"] == Status.OK.value).sum()),
        ttft_ms=_number(medians["ttft_ms"]),
        tokens_per_second=_number(medians["tokens_per_second"]),
        completion_tokens=int(numbers["completion_tokens"].sum()),
        passed=sum(row["passed"] is True for row in rows[:MAX_COUNTED]),
        failed=sum(row["passed"] is False for row in rows[:MAX_COUNTED]),
    )


def measured(database: Database, view: View, limit: int = MAX_COUNTED) -> pd.DataFrame:
    """The numbers of the view's newest runs, up to a limit, one row each, newest first.

    ``characters`` is the answer's length. Raises FilterProblem, QueryFailed.
    """
    columns = [runs.c[name] for name in _MEASURED]
    selected = [*columns, func.length(runs.c.text).label("characters")]
    condition = quick_conditions(database, view)
    newest = select(*selected).where(condition).order_by(*NEWEST_FIRST)
    return pd.DataFrame(read_rows(database, newest.limit(limit)), columns=[each.name for each in selected])


def choices(database: Database) -> dict[str, list[str]]:
    """The endpoints, models and finish reasons of the newest 5,000 runs, most frequent first.

    Raises QueryFailed.
    """
    columns = runs.c.endpoint, runs.c.model, runs.c.finish_reason
    newest = select(*columns).where(owned(runs, database.owner)).order_by(*NEWEST_FIRST).limit(_MAX_CHOICES)
    frame = pd.DataFrame(read_rows(database, newest), columns=[each.name for each in columns])
    return {each.name: frame[each.name].dropna().value_counts().index.tolist() for each in columns}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
