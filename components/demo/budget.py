"""What visitors have used and may use still, counted in the log's database, so that all processes on it agree.

A run reserves what it may use before it is sent, and settles what it has used. What cannot be counted is refused.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Connection, case, delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from components.demo.settings import DemoSettings
from components.runs.database import DatabaseUnavailable
from components.runs.gate import Refused
from components.runs.log import Log
from components.runs.tables import reservations

ALIVE_S = 30.0
"""A run whose process has not said for so long that it lives does not count as under way."""

_MINUTE_S = 60.0
_DAY_S = 86_400.0
_KEPT_S = 2 * _DAY_S
_DELETE_AT_ONCE = 200
_SOON_S = 2.0
_LOCK = 0x74656D70657261  # any number that nothing else in the database locks
_MOST_TOKENS = 2**53

_UNREACHABLE = "The demo's counters cannot be reached, so nothing is sent. Try again in a minute."
_OTHERS_TOO = " All of your network share that."


@dataclass(frozen=True)
class Reservation:
    """What one run may use, in tokens, until it is settled."""

    id: str
    tokens: int


@dataclass(frozen=True)
class Left:
    """How many runs a visitor may begin this minute and today, and how many tokens all visitors have today."""

    runs_this_minute: int
    runs_today: int
    tokens_today: int


@dataclass(frozen=True)
class _Party:
    """A visitor, or a network and all visitors on it: whose runs are counted, and how many they may be."""

    column: Column[str]
    name: str
    share: int
    words: str

    def runs(self, number: int) -> int:
        return number * self.share


@dataclass(frozen=True)
class _Used:
    minute: int
    day: int
    now: int


def reserve(
    log: Log, settings: DemoSettings, visitor: str, network: str, tokens: int, now: datetime | None = None
) -> Reservation:
    """Reserve tokens for a run that begins now, in one transaction that no other one can come between.

    ``now`` is in UTC. Raises Refused, with what to do; also when the database cannot be reached.
    """
    moment = now or datetime.now(UTC)
    reservation = Reservation(uuid.uuid4().hex, tokens)

    def work(connection: Connection) -> None:
        if connection.dialect.name != "sqlite":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        parties = _parties(settings, visitor, network)
        for party in parties:
            _refuse_too_many(connection, settings, party, moment, at_once=True)
        _refuse_too_large(connection, settings, tokens, moment)
        values = {"visitor": visitor, "network": network, "tokens": tokens, "settled": False}
        times = {"created_at": _written(moment), "alive_at": _written(moment)}
        connection.execute(insert(reservations), {"id": reservation.id, **values, **times})
        _delete_old(connection, moment)

    try:
        log.write(work)
    except (DatabaseUnavailable, SQLAlchemyError):
        raise Refused(_UNREACHABLE) from None
    return reservation


def check(
    log: Log, settings: DemoSettings, visitor: str, network: str, tokens: int, now: datetime | None = None
) -> None:
    """Reserve nothing, but raise Refused where ``reserve`` would, but for how many runs are under way."""
    moment = now or datetime.now(UTC)

    def look(connection: Connection) -> None:
        for party in _parties(settings, visitor, network):
            _refuse_too_many(connection, settings, party, moment, at_once=False)
        _refuse_too_large(connection, settings, tokens, moment)

    _read(log, look)


def left(log: Log, settings: DemoSettings, visitor: str, network: str, now: datetime | None = None) -> Left:
    """What a visitor may use now. Raises Refused when the database cannot be reached."""
    moment = now or datetime.now(UTC)
    found: list[Left] = []

    def look(connection: Connection) -> None:
        parties = [(each, _used(connection, each, moment)) for each in _parties(settings, visitor, network)]
        found.append(
            Left(
                max(min(party.runs(settings.runs_a_minute) - used.minute for party, used in parties), 0),
                max(min(party.runs(settings.runs_a_day) - used.day for party, used in parties), 0),
                max(settings.tokens_a_day - _tokens_used(connection, moment), 0),
            )
        )

    _read(log, look)
    return found[0]


def settle(log: Log, reservation: Reservation, used_tokens: int) -> None:
    """Say that a run is over and what it used. Returns at once; it is written soon, before any later ``reserve``."""
    values = {"settled": True, "tokens": max(0, min(used_tokens, _MOST_TOKENS))}
    statement = update(reservations).where(reservations.c.id == reservation.id).values(values)
    log.post(f"reservation {reservation.id}", lambda connection: connection.execute(statement))


def keep_alive(log: Log, under_way: Sequence[Reservation], now: datetime | None = None) -> None:
    """Say that these runs, all that this process has under way, go on. Returns at once; it is written soon."""
    ids = [reservation.id for reservation in under_way]
    values = {"alive_at": _written(now or datetime.now(UTC))}
    statement = update(reservations).where(reservations.c.id.in_(ids)).values(values)
    if ids:
        log.post("reservations under way", lambda connection: connection.execute(statement))


def _parties(settings: DemoSettings, visitor: str, network: str) -> tuple[_Party, _Party]:
    return (
        _Party(reservations.c.visitor, visitor, 1, ""),
        _Party(reservations.c.network, network, settings.visitors_a_network, _OTHERS_TOO),
    )


def _refuse_too_many(
    connection: Connection, settings: DemoSettings, party: _Party, now: datetime, *, at_once: bool
) -> None:
    used = _used(connection, party, now)
    for count, number, seconds, period in (
        (used.day, party.runs(settings.runs_a_day), _DAY_S, "day"),
        (used.minute, party.runs(settings.runs_a_minute), _MINUTE_S, "minute"),
    ):
        if count >= number:
            wait = _until_one_is_free(connection, party, number, seconds, now)
            raise Refused(f"This demo allows {number:,} runs a {period}.{party.words} Try again {_in(wait)}.", wait)
    number = party.runs(settings.runs_at_once)
    if at_once and used.now >= number:
        raise Refused(
            f"This demo allows {number:,} runs at once.{party.words} Wait until one of them has ended.", _SOON_S
        )


def _used(connection: Connection, party: _Party, now: datetime) -> _Used:
    row = reservations.c
    in_minute = row.created_at > _written(now, _MINUTE_S)
    under_way = ~row.settled & (row.alive_at > _written(now, ALIVE_S))
    counts = connection.execute(
        select(func.count(case((in_minute, 1))), func.count(), func.count(case((under_way, 1)))).where(
            party.column == party.name, row.created_at > _written(now, _DAY_S)
        )
    ).one()
    return _Used(*counts)


def _until_one_is_free(connection: Connection, party: _Party, number: int, seconds: float, now: datetime) -> float:
    """After how many seconds fewer than ``number`` runs have begun within so many seconds."""
    row = reservations.c
    newest_first = select(row.created_at).where(party.column == party.name).order_by(row.created_at.desc())
    begun = connection.execute(newest_first.offset(number - 1).limit(1)).scalar_one()
    return max((_read_moment(begun) - now).total_seconds() + seconds, 0.0)


def _refuse_too_large(connection: Connection, settings: DemoSettings, tokens: int, now: datetime) -> None:
    if tokens > settings.tokens_a_day:
        raise Refused(
            f"This run may use {tokens:,} tokens, and this demo has {settings.tokens_a_day:,} a day. Ask for less."
        )
    missing = _tokens_used(connection, now) + tokens - settings.tokens_a_day
    if missing <= 0:
        return
    row = reservations.c
    oldest_first = func.sum(row.tokens).over(order_by=(row.created_at, row.id)).label("freed")
    freed = select(row.created_at, oldest_first).where(row.created_at > _written(now, _DAY_S)).subquery()
    begun = connection.execute(select(func.min(freed.c.created_at)).where(freed.c.freed >= missing)).scalar_one()
    wait = max((_read_moment(begun) - now).total_seconds() + _DAY_S, 0.0)
    raise Refused(
        "All visitors together have used the tokens that this demo has for a day. "
        f"There are enough for this run again {_in(wait)}.",
        wait,
    )


def _tokens_used(connection: Connection, now: datetime) -> int:
    """The tokens of the last day: those used where that is known, else those reserved."""
    used = select(func.coalesce(func.sum(reservations.c.tokens), 0))
    return int(connection.execute(used.where(reservations.c.created_at > _written(now, _DAY_S))).scalar_one())


def _delete_old(connection: Connection, now: datetime) -> None:
    row = reservations.c
    old = select(row.id).where(row.created_at < _written(now, _KEPT_S)).limit(_DELETE_AT_ONCE)
    connection.execute(delete(reservations).where(row.id.in_(old)))


def _read(log: Log, look: Callable[[Connection], None]) -> None:
    database = log.database
    if database is None:
        raise Refused(_UNREACHABLE)
    try:
        with database.reader.begin() as connection:
            look(connection)
    except SQLAlchemyError:
        raise Refused(_UNREACHABLE) from None


def _written(moment: datetime, ago_s: float = 0.0) -> str:
    """A moment, or one some seconds before it, as the log writes it."""
    return (moment - timedelta(seconds=ago_s)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _in(seconds: float) -> str:
    if seconds < 90:
        return f"in {max(math.ceil(seconds), 1)} s"
    if seconds < 5_400:
        return f"in {math.ceil(seconds / 60)} minutes"
    return f"in {math.ceil(seconds / 3_600)} hours"
