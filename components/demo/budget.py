"""Runs and tokens, counted in the log's database by its clock so that all processes agree.

A run reserves tokens before it is sent and settles what it used. A run that cannot be counted is refused.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, text, true, update
from sqlalchemy.exc import SQLAlchemyError

from components.demo import sentences
from components.demo.settings import DemoSettings
from components.log.database import DatabaseUnavailable
from components.log.database_clock import read_database_clock
from components.log.log import Log
from components.log.tables import reservations
from components.runs.gate import Refused

ALIVE_S = 30.0
"""A run without a heartbeat for this long no longer counts as running."""

_MINUTE_S = 60.0
_DAY_S = 86_400.0
_KEPT_S = 2 * _DAY_S
_DELETE_AT_ONCE = 200
_SOON_S = 2.0
_LOCK = 0x74656D70657261  # an arbitrary number, used by no other lock
_MAX_TOKENS = 2**53
_T = TypeVar("_T")


@dataclass(frozen=True)
class Reservation:
    """The tokens that one run reserves until it is settled."""

    id: str
    tokens: int


class SlotsTaken(Refused):
    """All slots are taken. The run may have one as soon as another run ends."""


@dataclass(frozen=True)
class Demand:
    """The tokens that a visitor's run needs: at most ``tokens`` in total, including ``max_tokens`` for the answer."""

    visitor: str
    network: str
    tokens: int
    max_tokens: int = 0
    experiment_id: str | None = None


@dataclass(frozen=True)
class Left:
    """The runs and tokens that a visitor has left this minute and today."""

    runs_this_minute: int
    runs_today: int
    own_tokens_today: int
    """Of this visitor."""
    tokens_today: int
    """Of all visitors together."""


@dataclass(frozen=True)
class _Scope:
    """The scope of a budget (a visitor, a network or everyone) and its limits."""

    condition: ColumnElement[bool]
    tokens: int
    """A day."""
    have_used: str
    per: str = ""
    share: int = 1
    """As a multiple of one visitor's runs."""
    shared: str = ""
    """A sentence that says with whom the limit is shared; empty when it is not."""

    def runs(self, number: int) -> int:
        return number * self.share


@dataclass(frozen=True)
class _Used:
    minute: int
    day: int
    now: int
    tokens: int
    """Those used where that is known, else those reserved."""
    reserved: int
    """Of these, the tokens of runs that are under way."""


def reserve(log: Log, settings: DemoSettings, demand: Demand, now: datetime | None = None) -> Reservation:
    """Reserve a slot and tokens for a run that begins now, in one exclusive transaction.

    ``now`` is in UTC, by default the database's time. Raises Refused, with what to do; also when the database cannot be
    reached; SlotsTaken when nothing but a slot is missing.
    """
    reservation = Reservation(uuid.uuid4().hex, demand.tokens)

    def work(connection: Connection) -> None:
        lock_demo(connection)
        moment = now or read_database_clock(connection)
        _refuse(connection, settings, demand, moment, at_once=True)
        if _used(connection, _everybody(settings), moment).now >= settings.slots:
            raise SlotsTaken(sentences.SLOTS_TAKEN)
        values = {"created_at": _written(moment), "alive_at": _written(moment), "settled": False}
        connection.execute(insert(reservations), {"id": reservation.id, **vars(demand), **values})
        _delete_old(connection, moment)

    try:
        log.write(work)
    except (DatabaseUnavailable, SQLAlchemyError):
        raise Refused(sentences.COUNTERS_UNREACHABLE) from None
    return reservation


def check(log: Log, settings: DemoSettings, demand: Demand) -> None:
    """Raise Refused where ``reserve`` would, apart from the number of running runs; reserve nothing."""
    _read(log, lambda connection: _refuse(connection, settings, demand, read_database_clock(connection), at_once=False))


def left(log: Log, settings: DemoSettings, visitor: str, network: str, now: datetime | None = None) -> Left:
    """The visitor's remaining runs and tokens. Raises Refused when the database cannot be reached."""

    def look(connection: Connection) -> Left:
        moment = now or read_database_clock(connection)
        scopes = [(each, _used(connection, each, moment)) for each in _scopes(settings, visitor, network)]
        tokens = max(settings.tokens_a_day - _used(connection, _everybody(settings), moment).tokens, 0)
        return Left(
            max(min(scope.runs(settings.runs_a_minute) - used.minute for scope, used in scopes), 0),
            max(min(scope.runs(settings.runs_a_day) - used.day for scope, used in scopes), 0),
            max(min(tokens, *(scope.tokens - used.tokens for scope, used in scopes)), 0),
            tokens,
        )

    return _read(log, look)


def settle(log: Log, reservation: Reservation, used_tokens: int) -> None:
    """Settle a finished run. Returns at once; the write happens before any later ``reserve``."""
    values = {"settled": True, "tokens": max(0, min(used_tokens, _MAX_TOKENS))}
    statement = update(reservations).where(reservations.c.id == reservation.id).values(values)
    log.post(f"reservation {reservation.id}", lambda connection: connection.execute(statement))


def keep_alive(log: Log, under_way: Sequence[Reservation], now: datetime | None = None) -> None:
    """Write a heartbeat for the running runs of this process. Returns at once."""
    ids = [reservation.id for reservation in under_way]

    def work(connection: Connection) -> None:
        alive_at = _written(now or read_database_clock(connection))
        connection.execute(update(reservations).where(reservations.c.id.in_(ids)).values(alive_at=alive_at))

    if ids:
        log.post("reservations under way", work)


def lock_demo(connection: Connection) -> None:
    """Lock the counters for other processes until the end of the transaction."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _scopes(settings: DemoSettings, visitor: str, network: str) -> tuple[_Scope, _Scope]:
    row = reservations.c
    return (
        _Scope(
            row.visitor == visitor,
            tokens=settings.tokens_of_visitor,
            have_used=sentences.TOKENS_OF_VISITOR_USED,
            per=" for one visitor",
        ),
        _Scope(
            row.network == network,
            tokens=settings.tokens_of_network,
            have_used=sentences.TOKENS_OF_NETWORK_USED,
            per=" for one network",
            share=settings.visitors_a_network,
            shared=sentences.SHARED_BY_NETWORK,
        ),
    )


def _everybody(settings: DemoSettings) -> _Scope:
    return _Scope(true(), settings.tokens_a_day, sentences.TOKENS_OF_ALL_USED)


def _refuse(connection: Connection, settings: DemoSettings, demand: Demand, now: datetime, *, at_once: bool) -> None:
    scopes = _scopes(settings, demand.visitor, demand.network)
    for scope in scopes:
        _refuse_too_many(connection, settings, scope, now, at_once=at_once)
    for scope in (_everybody(settings), *reversed(scopes)):
        _refuse_too_large(connection, scope, demand.tokens, now)
    _refuse_too_many_together(connection, settings, demand)


def _refuse_too_many_together(connection: Connection, settings: DemoSettings, demand: Demand) -> None:
    """Refuse a run of an experiment that has reached its limit of runs; repeated runs count, too."""
    if demand.experiment_id is None:
        return
    row = reservations.c
    in_experiment = (row.experiment_id == demand.experiment_id) & (row.visitor == demand.visitor)
    counts = select(func.count(), func.coalesce(func.sum(row.max_tokens), 0)).where(in_experiment)
    runs, max_tokens = map(int, connection.execute(counts).one())
    if runs >= settings.sweep_runs:
        raise Refused(sentences.EXPERIMENT_TOO_MANY_RUNS.format(sweep_runs=settings.sweep_runs))
    if max_tokens + demand.max_tokens > settings.sweep_tokens:
        raise Refused(sentences.EXPERIMENT_TOO_MANY_TOKENS.format(sweep_tokens=settings.sweep_tokens))


def _refuse_too_many(
    connection: Connection, settings: DemoSettings, scope: _Scope, now: datetime, *, at_once: bool
) -> None:
    used = _used(connection, scope, now)
    for count, number, seconds, period in (
        (used.day, scope.runs(settings.runs_a_day), _DAY_S, "day"),
        (used.minute, scope.runs(settings.runs_a_minute), _MINUTE_S, "minute"),
    ):
        if count >= number:
            wait = _until_one_is_free(connection, scope, number, seconds, now)
            raise Refused(
                sentences.TOO_MANY_RUNS_A_PERIOD.format(
                    number=number, period=period, shared=scope.shared, wait=_in(wait)
                ),
                wait,
            )
    number = scope.runs(settings.runs_at_once)
    if at_once and used.now >= number:
        raise Refused(sentences.TOO_MANY_RUNS_AT_ONCE.format(number=number, shared=scope.shared), _SOON_S)


def _used(connection: Connection, scope: _Scope, now: datetime) -> _Used:
    row = reservations.c
    in_minute = row.created_at > _written(now, _MINUTE_S)
    under_way = ~row.settled & (row.alive_at > _written(now, ALIVE_S))
    counts = connection.execute(
        select(
            func.count(case((in_minute, 1))),
            func.count(),
            func.count(case((under_way, 1))),
            func.coalesce(func.sum(row.tokens), 0),
            func.coalesce(func.sum(case((under_way, row.tokens))), 0),
        ).where(scope.condition, row.created_at > _written(now, _DAY_S))
    ).one()
    return _Used(*map(int, counts))


def _until_one_is_free(connection: Connection, scope: _Scope, number: int, seconds: float, now: datetime) -> float:
    """The seconds until fewer than ``number`` runs have begun within the period."""
    row = reservations.c
    newest_first = select(row.created_at).where(scope.condition).order_by(row.created_at.desc())
    started = connection.execute(newest_first.offset(number - 1).limit(1)).scalar_one()
    return max((datetime.fromisoformat(started) - now).total_seconds() + seconds, 0.0)


def _refuse_too_large(connection: Connection, scope: _Scope, tokens: int, now: datetime) -> None:
    if tokens > scope.tokens:
        raise Refused(sentences.MORE_TOKENS_THAN_A_DAY.format(tokens=tokens, limit=scope.tokens, per=scope.per))
    used = _used(connection, scope, now)
    missing = used.tokens + tokens - scope.tokens
    if missing <= 0:
        return
    if missing <= used.reserved:
        raise Refused(sentences.TOKENS_RESERVED, _SOON_S)
    row = reservations.c
    oldest_first = func.sum(row.tokens).over(order_by=(row.created_at, row.id)).label("freed")
    of_today = scope.condition & (row.created_at > _written(now, _DAY_S))
    freed = select(row.created_at, oldest_first).where(of_today).subquery()
    started = connection.execute(select(func.min(freed.c.created_at)).where(freed.c.freed >= missing)).scalar_one()
    wait = max((datetime.fromisoformat(started) - now).total_seconds() + _DAY_S, 0.0)
    raise Refused(sentences.TOKENS_USED.format(have_used=scope.have_used, wait=_in(wait)), wait)


def _delete_old(connection: Connection, now: datetime) -> None:
    row = reservations.c
    old = select(row.id).where(row.created_at < _written(now, _KEPT_S)).limit(_DELETE_AT_ONCE)
    connection.execute(delete(reservations).where(row.id.in_(old)))


def _read(log: Log, look: Callable[[Connection], _T]) -> _T:
    database = log.database
    if database is None:
        raise Refused(sentences.COUNTERS_UNREACHABLE)
    try:
        with database.reader.begin() as connection:
            return look(connection)
    except SQLAlchemyError:
        raise Refused(sentences.COUNTERS_UNREACHABLE) from None


def _written(moment: datetime, ago_s: float = 0.0) -> str:
    """A moment, or one some seconds before it, as the log writes it."""
    return (moment - timedelta(seconds=ago_s)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _in(seconds: float) -> str:
    if seconds < 90:
        return f"in {max(math.ceil(seconds), 1)} s"
    if seconds < 5_400:
        return f"in {math.ceil(seconds / 60)} minutes"
    return f"in {math.ceil(seconds / 3_600)} hours"
