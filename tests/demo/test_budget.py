from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from components.demo import budget
from components.demo.budget import Demand, Left, Reservation, SlotsTaken, keep_alive, left, reserve, settle
from components.demo.settings import DemoSettings
from components.log.log import Log
from components.log.tables import reservations
from components.runs.gate import Refused
from components.streaming.limits import Limits
from tests.demo.conftest import BEGAN, SETTINGS, later, rows
from tests.log.processes import process
from tests.waiting import wait_for

FREE = replace(SETTINGS, slots=1_000, runs_at_once=1_000, visitor_percent=100, network_percent=100)
"""Settings without limits on concurrent runs or on one visitor's share of the tokens."""
SHARED = replace(FREE, tokens_a_day=1_000, visitor_percent=20, network_percent=40)


def begin(log: Log, settings: DemoSettings = FREE, at: datetime = BEGAN, **more: Any) -> Reservation:
    return reserve(log, settings, Demand(**{"visitor": "anna", "network": "here", "tokens": 100, **more}), at)


def refusal(log: Log, settings: DemoSettings = FREE, at: datetime = BEGAN, **more: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        begin(log, settings, at, **more)
    return refused.value


def test_the_eleventh_run_of_a_minute_is_refused_with_the_wait(log: Log) -> None:
    for second in range(10):
        begin(log, at=later(seconds=second))
    refused = refusal(log, at=later(seconds=20))
    assert refused.sentence == "This demo allows 10 runs a minute. Try again in 40 s."
    assert refused.again_in_s == 40
    begin(log, at=later(seconds=60))
    assert refusal(log, at=later(seconds=60)).again_in_s == 1


def test_runs_are_limited_per_day(log: Log) -> None:
    few = replace(FREE, runs_a_day=3)
    for hour in range(3):
        begin(log, few, later(hours=hour))
    refused = refusal(log, few, later(hours=4))
    assert refused.sentence == "This demo allows 3 runs a day. Try again in 20 hours."
    begin(log, few, later(hours=24))


def test_usage_counts_for_the_visitor_and_the_network(log: Log) -> None:
    for visitor in ("anna", "berta", "clara", "dora", "emil"):
        for _ in range(10):
            begin(log, visitor=visitor)
    assert "10 runs a minute" in refusal(log).sentence
    # A new cookie gives no new budget.
    assert "50 runs a minute. All of your network share that." in refusal(log, visitor="frida").sentence
    begin(log, visitor="frida", network="there")
    assert "10 runs a minute" in refusal(log, network="there").sentence


def test_a_third_run_at_once_is_refused_until_one_is_settled(log: Log) -> None:
    first = begin(log, SETTINGS)
    begin(log, SETTINGS)
    assert "2 runs at once" in refusal(log, SETTINGS).sentence
    settle(log, first, 10)
    begin(log, SETTINGS)


def test_a_killed_process_frees_its_places_but_keeps_the_tokens(log: Log) -> None:
    begin(log, SETTINGS, tokens=100)
    begin(log, SETTINGS, tokens=100)
    assert refusal(log, SETTINGS, later(seconds=29))
    begin(log, SETTINGS, later(seconds=31))
    assert left(log, SETTINGS, "anna", "here", later(seconds=31)).tokens_today == 200_000 - 300


def test_an_active_run_keeps_its_slot(log: Log) -> None:
    held = [begin(log, SETTINGS), begin(log, SETTINGS)]
    keep_alive(log, held, later(seconds=20))
    assert "at once" in refusal(log, SETTINGS, later(seconds=45)).sentence
    keep_alive(log, [])
    begin(log, SETTINGS, later(seconds=51))


def test_actual_usage_replaces_the_reservation(log: Log) -> None:
    small = replace(FREE, tokens_a_day=1_000)
    first = begin(log, small, tokens=600)
    refused = refusal(log, small, later(hours=1), tokens=500)
    assert "All visitors together" in refused.sentence
    assert refused.again_in_s == 23 * 3_600
    settle(log, first, 50)
    second = begin(log, small, later(hours=1), tokens=500)
    settle(log, second, 2**70)
    assert "again in 24 hours" in refusal(log, small, later(hours=1)).sentence


def test_the_wait_lasts_until_enough_tokens_are_free(log: Log) -> None:
    small = replace(FREE, tokens_a_day=1_000)
    for hour in range(10):
        begin(log, small, later(hours=hour), tokens=100)
    assert refusal(log, small, later(hours=10), tokens=300).again_in_s == 16 * 3_600
    begin(log, small, later(hours=26), tokens=300)


def test_a_run_larger_than_the_daily_budget_is_refused(log: Log) -> None:
    refused = refusal(log, tokens=200_001)
    assert "Ask for less" in refused.sentence
    assert refused.again_in_s is None
    assert "has 200 a day for one visitor. Ask for less." in refusal(log, SHARED, tokens=201).sentence


def test_a_visitor_has_a_share_of_the_day_and_a_network_has_one(log: Log) -> None:
    for visitor in ("anna", "berta"):
        begin(log, SHARED, tokens=200, visitor=visitor)
    hour = later(hours=1)
    assert refusal(log, SHARED, hour, network="there").sentence.startswith("You have used your share of the tokens")
    for visitor in ("anna", "clara"):  # a new cookie gives no new share
        refused = refusal(log, SHARED, hour, visitor=visitor)
        assert refused.sentence.startswith("All of your network have used their share of the tokens")
        assert refused.again_in_s == 23 * 3_600
    begin(log, SHARED, hour, tokens=200, visitor="dora", network="there")
    begin(log, SHARED, later(hours=24), tokens=200)


def test_new_cookies_do_not_raise_the_tokens_of_a_network(log: Log) -> None:
    largest, refusals = 12_000 + 512, 0
    for turn in range(20):
        try:
            begin(log, SETTINGS, tokens=largest, visitor=f"cookie {turn % 5}")
        except Refused:
            refusals += 1
    assert refusals == 17
    assert left(log, SETTINGS, "berta", "there", BEGAN) == Left(10, 200, 20_000, 200_000 - 3 * largest)


def test_tokens_reserved_by_active_runs_are_soon_free(log: Log) -> None:
    first = begin(log, SHARED, tokens=150)
    refused = refusal(log, SHARED, tokens=150)
    assert refused.sentence.startswith("Runs that are under way have reserved the tokens")
    assert refused.again_in_s == 2
    settle(log, first, 50)
    begin(log, SHARED, tokens=150)


def test_a_refusal_uses_no_budget(log: Log) -> None:
    begin(log, replace(FREE, runs_a_minute=1))
    for _ in range(3):
        refusal(log, replace(FREE, runs_a_minute=1))
    assert len(rows(log)) == 1


def test_the_remaining_budget_is_known(log: Log) -> None:
    assert left(log, SETTINGS, "anna", "here", BEGAN) == Left(10, 200, 20_000, 200_000)
    settle(log, begin(log), 40)
    begin(log, visitor="berta", tokens=60)
    assert left(log, SETTINGS, "anna", "here", BEGAN) == Left(9, 199, 19_960, 199_900)
    assert left(log, SETTINGS, "anna", "here", later(minutes=2)) == Left(10, 199, 19_960, 199_900)
    assert left(log, SETTINGS, "anna", "here", later(days=2)) == Left(10, 200, 20_000, 200_000)
    begin(log, tokens=49_910, visitor="clara")
    assert left(log, SETTINGS, "anna", "here", BEGAN).own_tokens_today == 0
    assert left(log, SETTINGS, "anna", "there", BEGAN).own_tokens_today == 19_960
    crowded = replace(SETTINGS, visitors_a_network=1, runs_a_minute=2)
    assert left(log, crowded, "clara", "here", BEGAN).runs_this_minute == 0


def test_old_rows_are_deleted_in_time(log: Log) -> None:
    for visitor in range(20):
        begin(log, visitor=str(visitor))
    begin(log, at=later(days=3))
    assert len(rows(log)) == 1


def test_a_closed_log_refuses_all_runs(sqlite_url: str) -> None:
    closed = Log(sqlite_url)
    closed.close()
    assert "counters cannot be reached" in refusal(closed).sentence


def test_a_missing_database_refuses_all_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")) as log:
        assert "counters cannot be reached" in refusal(log).sentence
        with pytest.raises(Refused, match="counters cannot be reached"):
            left(log, SETTINGS, "anna", "here")
        with pytest.raises(Refused, match="counters cannot be reached"):
            budget.check(log, SETTINGS, Demand("anna", "here", 1))


def test_a_missing_table_refuses_all_runs(log: Log) -> None:
    log.write(lambda connection: reservations.drop(connection))
    with pytest.raises(Refused, match="counters cannot be reached"):
        left(log, SETTINGS, "anna", "here")
    assert "counters cannot be reached" in refusal(log).sentence


HOLDS = f"""
connection = Database(url).writer.connect()
connection.begin()
if connection.dialect.name != "sqlite":
    connection.exec_driver_sql("select pg_advisory_xact_lock({budget._LOCK})")
say("held")
sys.stdin.read()
"""


def test_locked_counters_refuse_all_runs(url: str) -> None:
    with closing(Log(url, Limits(log_lock_wait_s=0.05))) as log:
        with process(HOLDS, url) as child:
            assert child.line() == "held"
            assert "counters cannot be reached" in refusal(log).sentence

        def reserves() -> bool:
            # PostgreSQL releases the lock once it notices that the process is gone.
            with suppress(Refused):
                return bool(begin(log))
            return False

        wait_for(reserves)


def test_replicas_together_never_exceed_the_budget(url: str) -> None:
    """Two logs on one database, as in two processes, and eight threads that compete for the last tokens."""
    small = replace(FREE, tokens_a_day=1_000, runs_a_minute=1_000)
    with ExitStack() as stack:
        logs = [stack.enter_context(closing(Log(url))) for _ in range(2)]
        granted: list[Reservation] = []

        def ask(number: int) -> None:
            for turn in range(6):
                demand = Demand(f"visitor {number}", f"network {turn}", 70)
                with suppress(Refused):
                    granted.append(reserve(logs[number % 2], small, demand, later(seconds=turn)))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(granted) == 1_000 // 70
        assert sum(row.tokens for row in rows(logs[0])) == 14 * 70


def test_replicas_reserve_one_after_another(url: str) -> None:
    reserving = threading.Event()

    def hesitate(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO reservations"):
            reserving.set()
            time.sleep(0.1)

    small = replace(FREE, tokens_a_day=100)
    with closing(Log(url)) as one, closing(Log(url)) as other:
        event.listen(one.database.writer, "after_cursor_execute", hesitate)
        thread = threading.Thread(target=begin, args=(one, small))
        thread.start()
        assert reserving.wait(10)
        assert "Runs that are under way have reserved" in refusal(other, small).sentence
        thread.join()


def test_replicas_together_hold_a_visitor_to_the_runs_at_once(url: str) -> None:
    with closing(Log(url)) as one, closing(Log(url)) as other:
        first = begin(one, SETTINGS)
        begin(other, SETTINGS)
        for log in (one, other):
            assert "at once" in refusal(log, SETTINGS).sentence
        settle(one, first, 5)
        wait_for(lambda: rows(other)[0].settled or rows(other)[1].settled)
        begin(other, SETTINGS)


def test_replicas_together_have_as_many_slots_as_one(url: str) -> None:
    two = replace(FREE, slots=2)
    with closing(Log(url)) as one, closing(Log(url)) as other:
        first = begin(one, two)
        begin(other, two)
        for log in (one, other):
            assert isinstance(refusal(log, two), SlotsTaken)
        settle(one, first, 5)
        wait_for(lambda: any(row.settled for row in rows(other)))
        begin(other, two)


def test_a_sweep_has_twenty_runs_however_many_replicas_make_it(url: str) -> None:
    of_sweep = {"experiment_id": "e" * 32, "max_tokens": 100}
    free = replace(FREE, runs_a_minute=1_000)
    with closing(Log(url)) as one, closing(Log(url)) as other:
        for number in range(20):
            begin((one, other)[number % 2], free, **of_sweep)
        assert "has 20 runs" in refusal(one, free, **of_sweep).sentence
        begin(one, free, **of_sweep, visitor="berta")
        begin(one, free, max_tokens=100)


def test_a_sweep_may_request_ten_thousand_tokens(log: Log) -> None:
    free = replace(FREE, runs_a_minute=1_000)
    for _ in range(19):
        begin(log, free, experiment_id="e" * 32, max_tokens=512)
    assert "asks for 10,000 tokens" in refusal(log, free, experiment_id="e" * 32, max_tokens=512).sentence
    begin(log, free, experiment_id="e" * 32, max_tokens=10_000 - 19 * 512)


@dataclass
class Known:
    """A reservation in the test's own model."""

    visitor: str
    network: str
    at: datetime
    alive_at: datetime
    tokens: int
    settled: bool = False


STEPS = st.tuples(
    st.sampled_from([0.0, 1.0, 7.0, 31.0, 61.0, 3_600.0, 50_000.0]),
    st.sampled_from("ab"),
    st.sampled_from("xy"),
    st.integers(1, 400),
    st.none() | st.integers(0, 500),
)


@pytest.fixture(scope="module")
def shared_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    with closing(Log(f"sqlite:///{tmp_path_factory.mktemp('budget') / 'log.sqlite3'}")) as opened:
        yield opened


@settings(max_examples=settings.default.max_examples // 4)  # each step writes
@given(st.lists(STEPS, min_size=5, max_size=25))
def test_a_run_is_admitted_exactly_when_every_count_allows_it(shared_log: Log, steps: list[Any]) -> None:
    few = DemoSettings(runs_a_minute=3, runs_a_day=8, runs_at_once=2, visitors_a_network=2, tokens_a_day=2_000)
    few = replace(few, slots=100, visitor_percent=40, network_percent=60)
    shared_log.write(lambda connection: connection.execute(reservations.delete()))
    now, known = BEGAN, list[Known]()
    for passed, visitor, network, tokens, used in steps:
        now += timedelta(seconds=passed)
        today = [each for each in known if each.at > now - timedelta(days=1)]

        def fits(party: list[Known], share: int, now: datetime = now) -> bool:
            in_minute = [each for each in party if each.at > now - timedelta(seconds=60)]
            under_way = [each for each in party if not each.settled and each.alive_at > now - timedelta(seconds=30)]
            return len(in_minute) < 3 * share and len(party) < 8 * share and len(under_way) < 2 * share

        def affords(party: list[Known], most: int, tokens: int = tokens) -> bool:
            return sum(each.tokens for each in party) + tokens <= most

        of_visitor = [each for each in today if each.visitor == visitor]
        of_network = [each for each in today if each.network == network]
        allowed = (
            fits(of_visitor, 1)
            and fits(of_network, 2)
            and affords(today, 2_000)
            and affords(of_visitor, 800)
            and affords(of_network, 1_200)
        )
        try:
            reservation = reserve(shared_log, few, Demand(visitor, network, tokens), now)
        except Refused:
            assert not allowed
        else:
            assert allowed
            known.append(Known(visitor, network, now, now, tokens))
            if used is not None:
                settle(shared_log, reservation, used)
                known[-1].settled, known[-1].tokens = True, used
