from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from components.contract.chunk import Usage
from components.log.log import Log
from components.log.query import QueryFailed, events_of, find_run
from components.log.record import RunRecord
from components.log.tables import events, runs
from components.log.unwritten import Unwritten
from components.runs.run import Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.faults import ErrorKind
from components.streaming.limits import Limits
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import A_PLACEMENT, make_run
from tests.orders import order, text_event
from tests.waiting import wait_for


def test_the_row_exists_before_anything_is_sent(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    found = find_run(log.database, run.id)
    assert found
    assert (found.status, found.text, found.request_body) == ("running", "", '{"model": "m"}')


def test_runs_that_begin_together_are_committed_together(sqlite_url: str, new_run: Callable[[], Run]) -> None:
    log = Log(sqlite_url, Limits(log_flush_ms=60_000))
    runs, commits = [new_run() for _ in range(4)], []
    log.write(lambda _connection: None)  # the first round is over
    event.listen(log.database.writer, "commit", commits.append)
    with log.together():
        for run in runs:
            log.begin(run)
        time.sleep(0.05)
        assert find_run(log.database, runs[0].id) is None
    for run in runs:
        log.wait_until_committed(run)
        assert find_run(log.database, run.id)
    assert len(commits) == 1
    for run in runs:
        run.finish(Outcome(Status.CANCELLED))
    log.close()


def test_text_is_written_while_it_streams(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    run.take(text_event("Hello", 5.0))
    wait_for(lambda: find_run(log.database, run.id).text == "Hello")
    run.take(text_event(" you", 6.0))
    wait_for(lambda: find_run(log.database, run.id).text == "Hello you")


def test_a_finished_run_is_written_completely_and_released(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    run.take(text_event("Hi 🐙", 5.0))
    run.finish(Outcome(Status.INTERRUPTED, ErrorKind.STALL, "It stopped.", http_status=200, warnings=("odd",)))
    log.end(run)
    wait_for(lambda: log.live(run.id) is None)
    found = find_run(log.database, run.id)
    assert (found.status, found.error_kind, found.error_message) == ("interrupted", "stall", "It stopped.")
    assert (found.text, found.http_status, found.warnings) == ("Hi 🐙", 200, '["odd"]')


def test_closing_writes_the_remaining_runs(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url)
    run = new_run()
    log.begin(run)
    run.take(text_event("last words", 5.0))
    log.close()
    again = Log(url)
    assert find_run(again.database, run.id).text == "last words"
    again.close()


def test_a_database_that_recovers_gets_the_missed_runs(tmp_path: Path, new_run: Callable[[], Run]) -> None:
    obstacle = tmp_path / "folder"
    obstacle.write_text("a file stands where the folder should be")
    log = Log(f"sqlite:///{obstacle / 'runs.sqlite3'}", Limits(log_retry_s=0.1))
    assert log.problem.startswith("Runs are not being logged: ")
    run = new_run()
    log.begin(run)
    run.finish(Outcome(Status.OK, text="Hi"))
    log.end(run)
    assert log.live(run.id) is run
    obstacle.unlink()
    wait_for(lambda: log.live(run.id) is None)
    assert find_run(log.database, run.id).status == "ok"
    assert log.problem is None
    log.close()


def test_many_runs_at_once_are_written_in_turn(new_run: Callable[[], Run]) -> None:
    unwritten = Unwritten(Limits())
    runs = [new_run() for _ in range(10)]
    for run in runs:
        unwritten.add(run)
    written = []
    for second in range(1, 21):
        for run in runs:
            run.take(text_event("x", 1.0))
        due = unwritten.due(float(second), 3)
        written += [snapshot.record.id for snapshot in due]
        unwritten.written(due, float(second))
    for five_rounds in range(0, 45, 3):
        assert {*written[five_rounds : five_rounds + 15]} == {run.id for run in runs}


def test_a_run_that_has_ended_is_in_the_log_when_end_returns(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert find_run(log.database, run.id).status == "ok"
    assert log.live(run.id) is None


NO_IDS = ["", "0", "None", ":id", "%", "_" * 32, "A" * 32, "' or 1=1 --", "x" * 10_000, "\x00"]


def test_an_invalid_id_finds_no_run(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    assert [no_id for no_id in NO_IDS if find_run(log.database, no_id)] == []


def test_a_run_of_this_process_is_never_lost_however_old_its_heartbeat(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, Limits(lost_after_s=0, heartbeat_s=0, log_flush_ms=20))
    run = new_run()
    log.begin(run)
    log.wait_until_committed(run)
    for _ in range(5):
        log.write(lambda _connection: None)  # a round, which looks for lost runs
    assert find_run(log.database, run.id).status == "running"
    log.close()


def take(run: Run, number: int) -> None:
    """Add this many events to the run."""
    for _ in range(number):
        run.take(TimedEvent("message", f"{run.kept_events} \N{OCTOPUS}", run.kept_events / 3, (Delta(0, "x"),)))


def segments(log: Log, run: Run) -> list[int]:
    """The start positions of the run's event segments in the database."""
    statement = select(events.c.first).where(events.c.run_id == run.id).order_by(events.c.first)
    with log.database.reader.begin() as connection:
        return list(connection.execute(statement).scalars())


def test_the_events_of_a_finished_run_are_read_in_order(log: Log, new_run: Callable[[], Run]) -> None:
    run, other = new_run(), new_run()
    for one in (run, other):
        log.begin(one)
    take(run, 3)
    take(other, 1)
    for one in (run, other):
        one.finish(Outcome(Status.OK, chunk_count=3))
        log.end(one)
    assert events_of(log.database, run.id) == run.events()
    assert events_of(log.database, other.id) == other.events()
    assert len(run.events()) == find_run(log.database, run.id).event_count == 3


def test_a_run_without_events_has_none(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.finish(Outcome(Status.OK))
    log.begin(run)
    log.end(run)
    assert events_of(log.database, run.id) == []
    assert find_run(log.database, run.id).event_count == 0


def test_events_are_written_when_they_are_many(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, Limits(log_flush_ms=40, log_events_s=3_600))
    run = new_run()
    log.begin(run)
    take(run, 255)
    wait_for(lambda: find_run(log.database, run.id) and find_run(log.database, run.id).event_count == 255)
    assert segments(log, run) == []
    take(run, 1)
    wait_for(lambda: segments(log, run) == [0])
    take(run, 300)
    wait_for(lambda: len(segments(log, run)) >= 2)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert events_of(log.database, run.id) == run.events()
    assert len(run.events()) == 556
    log.close()


def test_waiting_events_are_written_without_further_events(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url, Limits(heartbeat_s=60, log_flush_ms=50, log_events_s=0.3))
    run = new_run()
    began = time.monotonic()
    log.begin(run)
    take(run, 2)
    wait_for(lambda: find_run(log.database, run.id) and find_run(log.database, run.id).text == "xx")
    wait_for(lambda: segments(log, run) == [0])
    assert time.monotonic() - began > 0.3
    assert events_of(log.database, run.id) == run.events()
    take(run, 1)
    wait_for(lambda: segments(log, run) == [0, 2])
    log.close()


def test_closing_writes_the_events_of_ended_runs(url: str, new_run: Callable[[], Run]) -> None:
    log = Log(url)
    run = new_run()
    log.begin(run)
    take(run, 5)
    run.finish(Outcome(Status.OK))
    log.close()
    again = Log(url)
    assert events_of(again.database, run.id) == run.events()
    again.close()


@pytest.mark.parametrize("stands", ["all", "a part", "nothing"])
def test_events_that_are_written_again_are_stored_once(url: str, new_run: Callable[[], Run], stands: str) -> None:
    log = Log(url, Limits(log_flush_ms=40, log_events_s=0.05))
    run = new_run()
    log.begin(run)
    for number in (300, 600, 900):
        take(run, 300)
        wait_for(lambda number=number: len(events_of(log.database, run.id)) == number)
    assert len(segments(log, run)) >= 3
    if stands != "all":
        first = 300 if stands == "a part" else 0
        log.write(lambda connection: connection.execute(events.delete().where(events.c.first >= first)))
    log._unwritten.forget_versions()
    take(run, 7)
    wait_for(lambda: len(events_of(log.database, run.id)) == 907)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert events_of(log.database, run.id) == run.events()
    log.close()


def test_events_of_an_unconfirmed_commit_are_stored_once(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    take(run, 300)
    wait_for(lambda: segments(log, run) == [0])
    log._unwritten.find(run.id).events = 0
    take(run, 300)
    wait_for(lambda: len(events_of(log.database, run.id)) == 600)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert events_of(log.database, run.id) == run.events()


def test_a_run_that_ends_during_a_flush_is_written_with_its_last_events(
    new_run: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    take(run, 1)

    def record() -> RunRecord:
        run.finish(Outcome(Status.OK))
        return Run.record(run)

    monkeypatch.setattr(run, "record", record)
    unwritten = Unwritten(Limits())
    unwritten.add(run)
    (snapshot,) = unwritten.due(time.monotonic(), 10)
    assert snapshot.record.status == "ok"
    assert snapshot.events == run.events()
    unwritten.written([snapshot], time.monotonic())
    assert unwritten.find(run.id) is None


def test_fifty_thousand_events_come_back_and_more_are_counted(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    take(run, 50_000)
    run.take(TimedEvent("message", "one too many", 1.0))
    run.finish(Outcome(Status.OK))
    log.end(run)
    wait_for(lambda: log.live(run.id) is None)
    found = events_of(log.database, run.id)
    assert found == run.events()
    assert len(found) == 50_000
    assert find_run(log.database, run.id).event_count == 50_001


def test_damaged_events_are_named_and_the_run_stays_readable(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    take(run, 3)
    run.finish(Outcome(Status.OK))
    log.end(run)
    log.write(lambda connection: connection.execute(update(events).values(content=b"nonsense")))
    with pytest.raises(QueryFailed, match="events of this run are damaged"):
        events_of(log.database, run.id)
    assert find_run(log.database, run.id).text == "xxx"


def test_an_invalid_id_finds_no_events(log: Log, new_run: Callable[[], Run]) -> None:
    run = new_run()
    log.begin(run)
    take(run, 3)
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert [no_id for no_id in NO_IDS if events_of(log.database, no_id)] == []


def test_a_run_keeps_its_draft(log: Log, new_run: Callable[[], Run]) -> None:
    without = new_run()
    draft = '{"text": "Hi \N{OCTOPUS}"}'
    run = Run(order(body=b"{}", draft=draft))
    for one in (without, run):
        log.begin(one)
        log.wait_until_committed(one)
    assert find_run(log.database, run.id).draft == draft
    assert find_run(log.database, without.id).draft is None


def test_the_placement_in_an_experiment_is_stored_during_a_run_and_after_it(log: Log) -> None:
    run, alone = make_run(A_PLACEMENT), make_run()
    for one in (run, alone):
        log.begin(one)
        log.wait_until_committed(one)
    place = asdict(A_PLACEMENT)
    assert {name: getattr(find_run(log.database, run.id), name) for name in place} == place
    assert {getattr(find_run(log.database, alone.id), name) for name in place} == {None}
    run.finish(Outcome(Status.OK))
    log.end(run)
    assert {name: getattr(find_run(log.database, run.id), name) for name in place} == place


@pytest.mark.parametrize(("queued_ms", "cached_tokens"), [(12.5, 7), (0.0, 0), (None, None)])
def test_reported_queue_time_and_cached_tokens_are_stored(
    log: Log, new_run: Callable[[], Run], queued_ms: float | None, cached_tokens: int | None
) -> None:
    run = new_run()
    log.begin(run)
    run.finish(Outcome(Status.OK, usage=Usage(9, 2, 11, cached_tokens), timings=Timings(queued_ms=queued_ms)))
    log.end(run)
    found = find_run(log.database, run.id)
    assert (found.queued_ms, found.cached_tokens) == (queued_ms, cached_tokens)


def test_facts_found_after_the_end_of_a_run_are_kept(log: Log) -> None:
    run = make_run(A_PLACEMENT)
    log.begin(run)
    run.finish(Outcome(Status.OK))
    log.end(run)
    found_out = update(runs).where(runs.c.id == run.id).values(determinism="first differs at character 212")
    log.write(lambda connection: connection.execute(found_out))
    # Again, as if the connection was lost before the log knew of the first commit.
    log.begin(run)
    log.end(run)
    assert find_run(log.database, run.id).determinism == "first differs at character 212"
