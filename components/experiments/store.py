"""Keeps experiments and votes in the log's database, and finds the runs of an experiment."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, insert, literal, select, update

from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import is_id, read_rows
from components.log.record import RunRecord, utc_now
from components.log.storable import storable, storable_text
from components.log.tables import ENDED, experiments, owned, owned_runs, runs, upsert, votes
from components.runs.order import WARM_UP, Placement
from components.runs.run import live_run
from components.streaming.outcome import Status

_LEFT_OUT = {"request_body": "", "prompt": "", "draft": None, "raw_error": None, "reasoning": "", "retries": "[]"}

COMPARISON = "comparison"
"""Content: a draft with its lanes."""
SWEEP = "sweep"
"""Content: a draft, a set-up and the rows of its plan."""


@dataclass(frozen=True)
class StoredExperiment:
    """An experiment in the log. ``created_at`` is in UTC; ``content`` is its definition as JSON."""

    id: str
    kind: str
    content: str
    created_at: str


_COLUMNS = [experiments.c[field.name] for field in fields(StoredExperiment)]


class Better(StrEnum):
    """The better one of two answers."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    BOTH_BAD = "both bad"


@dataclass(frozen=True)
class Vote:
    """A vote on two runs. Each setting lists, in words, what differs from the other."""

    first_run: str
    second_run: str
    first_setting: str
    second_setting: str
    better: Better
    blind: bool


@dataclass(frozen=True)
class Judgement:
    """A judgement; ``first`` and ``second`` are the settings of the two answers, in words."""

    first: str
    second: str
    verdict: Better


def save_experiment(log: OwnedLog, experiment_id: str, content: str, kind: str = COMPARISON) -> None:
    """Queue an experiment to be stored, replacing one of the same id. Never blocks or raises.

    ``experiment_id`` must be 32 hexadecimal digits; other ids are ignored.
    """
    if not is_id(experiment_id):
        return
    values = {"kind": kind, "content": storable_text(content), "created_at": utc_now()}
    row = {"id": experiment_id, "owner": log.owner, **values}
    log.post(
        f"experiment {experiment_id}",
        lambda connection: connection.execute(upsert(connection.dialect.name, experiments), row),
    )


def find_experiment(database: Database, experiment_id: str) -> StoredExperiment | None:
    """The experiment with that id, or None. Raises QueryFailed."""
    statement = select(*_COLUMNS).where(experiments.c.id == experiment_id, owned(experiments, database.owner))
    rows = read_rows(database, statement) if is_id(experiment_id) else []
    return StoredExperiment(**rows[0]) if rows else None


def newest_experiments(database: Database, limit: int, kind: str = COMPARISON) -> list[StoredExperiment]:
    """At most ``limit`` experiments of a kind, newest first. Raises QueryFailed."""
    newest = experiments.c.created_at.desc(), experiments.c.id.desc()
    statement = select(*_COLUMNS).where(experiments.c.kind == kind, owned(experiments, database.owner))
    statement = statement.order_by(*newest).limit(limit)
    return [StoredExperiment(**row) for row in read_rows(database, statement)]


def runs_of(database: Database, experiment_id: str) -> list[RunRecord]:
    """The runs of an experiment in the order of their start. Raises QueryFailed."""
    own = (runs.c.experiment_id == experiment_id) & owned(runs, database.owner)
    statement = select(runs).where(own).order_by(runs.c.created_at, runs.c.id)
    return [RunRecord(**row) for row in read_rows(database, statement)] if is_id(experiment_id) else []


@dataclass(frozen=True)
class PlacedRun:
    """A run of an experiment with its place; ``checks`` is that of ``Placement``."""

    id: str
    position: int
    repeat: int
    status: str
    checks: str | None


def placed_runs(database: Database, experiment_id: str) -> list[PlacedRun]:
    """The runs of an experiment, without their content, in the order of their start. Raises QueryFailed."""
    own = (runs.c.experiment_id == experiment_id) & owned(runs, database.owner)
    columns = [runs.c[each.name] for each in fields(PlacedRun)]
    statement = select(*columns).where(own).order_by(runs.c.created_at, runs.c.id)
    return [PlacedRun(**row) for row in read_rows(database, statement)] if is_id(experiment_id) else []


def ended_run_ids(database: Database, experiment_id: str) -> set[str]:
    """The ids of the runs of an experiment that have ended. Raises QueryFailed."""
    ended = (runs.c.experiment_id == experiment_id) & ENDED
    statement = select(runs.c.id).where(ended, owned(runs, database.owner))
    rows = read_rows(database, statement) if is_id(experiment_id) else []
    return {row["id"] for row in rows}


def answered_run_ids(database: Database, experiment_id: str) -> list[str]:
    """The ids of an experiment's runs with a complete answer, warm-ups left out. Raises QueryFailed."""
    answered = (runs.c.experiment_id == experiment_id) & (runs.c.status == Status.OK.value) & (runs.c.repeat != WARM_UP)
    statement = select(runs.c.id).where(answered, owned(runs, database.owner)).order_by(runs.c.created_at, runs.c.id)
    return [row["id"] for row in read_rows(database, statement)] if is_id(experiment_id) else []


_REPORTED = ("model", "served_model", "system_fingerprint", "app_version")


def reported_facts(database: Database, experiment_id: str) -> dict[str, str]:
    """Models, what the endpoint said of itself, and Tempera's version in an experiment's answered runs.

    Several values are joined by commas. Raises QueryFailed.
    """
    answered = (runs.c.experiment_id == experiment_id) & (runs.c.status == Status.OK.value)
    columns = [runs.c[name] for name in _REPORTED]
    rows = read_rows(database, select(*columns).where(answered, owned(runs, database.owner)).distinct())
    return {name: ", ".join(sorted({row[name] for row in rows if row[name]})) for name in _REPORTED}


def light_runs_under_way(database: Database, experiment_id: str) -> list[RunRecord]:
    """The runs of an experiment that have not ended, as from ``light_runs``. Raises QueryFailed."""
    of_it = (runs.c.experiment_id == experiment_id) & owned(runs, database.owner)
    return _light(database, of_it & (runs.c.status == Status.RUNNING.value)) if is_id(experiment_id) else []


def light_runs(database: Database, run_ids: Sequence[str], *, with_draft: bool = False) -> list[RunRecord]:
    """These runs without request, reasoning, retries, raw error and, unless asked for, draft. Raises QueryFailed."""
    left_out = _LEFT_OUT.keys() - ({"draft"} if with_draft else set())
    return _light(database, owned_runs(database.owner, run_ids), left_out)


def _light(
    database: Database, condition: ColumnElement[bool], left_out: Collection[str] = _LEFT_OUT.keys()
) -> list[RunRecord]:
    """The runs of a condition that names the owner, too."""
    columns = [
        literal(_LEFT_OUT[column.name]).label(column.name) if column.name in left_out else column for column in runs.c
    ]
    statement = select(*columns).where(condition)
    return [RunRecord(**row) for row in read_rows(database, statement)]


def adopt(log: OwnedLog, run_id: str, placement: Placement) -> None:
    """Add a run without an experiment to one; returns at once."""
    live = live_run(log, run_id)
    if live:
        live.adopt(placement)
    of_its_own = (runs.c.id == run_id) & runs.c.experiment_id.is_(None) & owned(runs, log.owner)

    def work(connection: Connection) -> None:
        connection.execute(update(runs).where(of_its_own).values(**vars(placement)))

    log.post(f"placement {run_id}", work)


def save_vote(log: OwnedLog, vote: Vote) -> None:
    """Store a vote, replacing an earlier one on the same two runs.

    Does nothing when a run is not in the log. Raises DatabaseUnavailable.
    """
    values = {name: storable(value) for name, value in vars(vote).items()}
    row = {"id": uuid.uuid4().hex, "created_at": utc_now(), **values, "better": vote.better.value}

    def work(connection: Connection) -> None:
        pair = (vote.first_run, vote.second_run)
        logged = connection.execute(select(runs.c.id).where(runs.c.id.in_(pair), owned(runs, log.owner))).all()
        if len(logged) == len(set(pair)):
            earlier = votes.c.first_run.in_(pair) & votes.c.second_run.in_(pair) & owned(votes, log.owner)
            connection.execute(delete(votes).where(earlier))
            connection.execute(insert(votes), row)

    log.write(work)


def votes_on(database: Database, run_ids: list[str]) -> list[Vote]:
    """The votes on these runs, oldest first. Raises QueryFailed."""
    condition = votes.c.first_run.in_(run_ids) & votes.c.second_run.in_(run_ids) & owned(votes, database.owner)
    return [_vote(row) for row in read_rows(database, select(votes).where(condition).order_by(votes.c.created_at))]


def judgements(database: Database) -> list[Judgement]:
    """All votes of the owner, oldest first. Raises QueryFailed."""
    columns = votes.c.first_setting, votes.c.second_setting, votes.c.better
    own = select(*columns).where(owned(votes, database.owner))
    rows = read_rows(database, own.order_by(votes.c.created_at))
    return [Judgement(row["first_setting"], row["second_setting"], Better(row["better"])) for row in rows]


def _vote(row: dict[str, object]) -> Vote:
    values = {name: row[name] for name in Vote.__annotations__}
    return Vote(**{**values, "better": Better(str(row["better"])), "blind": bool(row["blind"])})  # type: ignore[arg-type]
