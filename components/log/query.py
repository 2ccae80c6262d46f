"""Reads runs from the log."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from components.log import sentences
from components.log.database import Database, reason
from components.log.events import StoredEvent, unpack
from components.log.record import FIXED, RunRecord
from components.log.tables import ENDED, NEWEST_FIRST, events, owned, runs
from components.streaming.outcome import Status
from components.user_error import UserError

_ID = re.compile("[0-9a-f]{32}")


class QueryFailed(UserError):
    """The log could not be read. The message says why and what to do."""


def count_runs(database: Database) -> int:
    """The number of the owner's runs. Raises QueryFailed."""
    count = select(func.count().label("runs")).where(owned(runs, database.owner))
    return int(read_rows(database, count)[0]["runs"])


def recent_rates(database: Database, endpoint: str, limit: int) -> list[float]:
    """Tokens per second of the endpoint's newest finished runs, newest first, up to a limit.

    Runs without a rate are skipped, and runs of releases that defined it differently. Raises QueryFailed.
    """
    rate = runs.c.tokens_per_second
    measured = rate.is_not(None) & runs.c.rate_basis.is_not(None)
    finished = (runs.c.endpoint == endpoint) & ENDED & measured
    statement = select(rate).where(owned(runs, database.owner), finished).order_by(*NEWEST_FIRST).limit(limit)
    return [row["tokens_per_second"] for row in read_rows(database, statement)]


@dataclass(frozen=True)
class Measured:
    """The cost of an answer: its request, tokens, time to the first token in ms, and tokens per second after it."""

    request_body: str
    prompt_tokens: int
    completion_tokens: int
    ttft_ms: float
    tokens_per_second: float


def recent_measures(database: Database, endpoint: str, model: str, limit: int) -> list[Measured]:
    """The costs of the newest answers of an endpoint and model, up to a limit; only complete ones.

    Raises QueryFailed.
    """
    columns = [runs.c[field.name] for field in fields(Measured)]
    conditions = [runs.c.endpoint == endpoint, runs.c.model == model, runs.c.status == Status.OK.value]
    statement = select(*columns).where(
        owned(runs, database.owner), *conditions, *(column.is_not(None) for column in columns)
    )
    newest = statement.order_by(*NEWEST_FIRST).limit(limit)
    return [Measured(**row) for row in read_rows(database, newest)]


_SEARCHED_RUNS = 5_000
"""The number of newest runs that are searched for identical requests."""


def answers_to(database: Database, endpoint: str, among_newest: int = _SEARCHED_RUNS) -> dict[str, list[str]]:
    """The ids of the endpoint's successful runs, newest first, by request body.

    Searches a limited number of the newest runs. Raises QueryFailed.
    """
    columns = runs.c.id, runs.c.endpoint, runs.c.status, runs.c.request_body, runs.c.created_at
    newest = select(*columns).where(owned(runs, database.owner)).order_by(*NEWEST_FIRST).limit(among_newest).subquery()
    successful = (newest.c.endpoint == endpoint) & (newest.c.status == Status.OK.value)
    ids: dict[str, list[str]] = {}
    order = newest.c.created_at.desc(), newest.c.id.desc()
    for row in read_rows(database, select(newest.c.id, newest.c.request_body).where(successful).order_by(*order)):
        ids.setdefault(row["request_body"], []).append(row["id"])
    return ids


def runs_that_answered(database: Database, texts: Collection[str], among_newest: int) -> list[RunRecord]:
    """The runs whose answer is one of these texts, newest first. Searches the newest runs only. Raises QueryFailed."""
    newest = select(runs.c.id).where(owned(runs, database.owner)).order_by(*NEWEST_FIRST).limit(among_newest)
    matches = runs.c.id.in_(newest) & runs.c.text.in_(texts) & owned(runs, database.owner)
    return [RunRecord(**row) for row in read_rows(database, select(runs).where(matches).order_by(*NEWEST_FIRST))]


def find_run(database: Database, run_id: str) -> RunRecord | None:
    """The run of that id, or None. Raises QueryFailed."""
    statement = select(runs).where(runs.c.id == run_id, owned(runs, database.owner))
    rows = read_rows(database, statement) if is_id(run_id) else []
    return RunRecord(**rows[0]) if rows else None


_MAX_WITH_THE_PROMPT = 50


def runs_of_prompt(database: Database, record: RunRecord) -> list[RunRecord]:
    """The newest ended runs of the same endpoint and model whose prompt begins as that of the run, or the reverse.

    So a run and those that begin with a part of its answer find each other. Raises QueryFailed.
    """
    prompt = runs.c.prompt
    same_prompt = (func.substr(prompt, 1, len(record.prompt)) == record.prompt) | (
        (func.length(prompt) > 0) & (func.substr(literal(record.prompt), 1, func.length(prompt)) == prompt)
    )
    same_model = (runs.c.model == record.model) & (runs.c.endpoint == record.endpoint) & (runs.c.id != record.id)
    statement = select(runs).where(owned(runs, database.owner), same_model, ENDED, same_prompt)
    newest = statement.order_by(runs.c.created_at.desc()).limit(_MAX_WITH_THE_PROMPT)
    return [RunRecord(**row) for row in read_rows(database, newest)]


_GROWING = "text", "reasoning"


def newer_record(database: Database, record: RunRecord) -> RunRecord | None:
    """A running run as the log has it by now; None when nothing is new. Raises QueryFailed.

    Only the new part of its texts is read.
    """
    new_parts = {name: func.substr(runs.c[name], len(getattr(record, name)) + 1).label(name) for name in _GROWING}
    columns = [new_parts.get(column.name, column) for column in runs.c if column.name not in FIXED]
    is_new = (runs.c.heartbeat_at != record.heartbeat_at) | (runs.c.status != record.status)
    statement = select(*columns).where(runs.c.id == record.id, owned(runs, database.owner), is_new)
    rows = read_rows(database, statement)
    if not rows:
        return None
    grown = {name: getattr(record, name) + rows[0][name] for name in _GROWING}
    return replace(record, **{**rows[0], **grown})


def packs_of(database: Database, run_id: str) -> list[bytes]:
    """The logged events of a run as packs, in order of arrival. Raises QueryFailed."""
    of_run = (events.c.run_id == run_id) & owned(events, database.owner)
    statement = select(events.c.content).where(of_run).order_by(events.c.first)
    return [segment["content"] for segment in read_rows(database, statement)] if is_id(run_id) else []


def events_of(database: Database, run_id: str) -> list[StoredEvent]:
    """The logged events of a run, in order of arrival. Raises QueryFailed."""
    try:
        return [event for pack in packs_of(database, run_id) for event in unpack(pack)]
    except ValueError as damaged:
        raise QueryFailed(str(damaged)) from None


def is_id(text: str) -> bool:
    """Whether the text can be the id of a row. Other texts are not queried: PostgreSQL refuses some of them."""
    return _ID.fullmatch(text) is not None


def read_rows(database: Database, statement: Any) -> list[dict[str, Any]]:
    """The rows of a statement as dictionaries by column name. Raises QueryFailed."""
    try:
        with database.reader.begin() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]
    except SQLAlchemyError as error:
        raise QueryFailed(sentences.UNREADABLE.format(place=database.place, error=reason(error))) from None
