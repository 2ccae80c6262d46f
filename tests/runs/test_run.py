from __future__ import annotations

from collections.abc import Callable

from components.runs.run import Activity, Run
from components.streaming.answer import Delta
from components.streaming.outcome import Outcome, Status


def test_a_look_at_a_running_run_shows_what_has_arrived(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.append((Delta(0, "", "thinking"),), 10.0)
    run.append((Delta(0, "Hello"), Delta(1, "other choice")), 20.0)
    run.append((Delta(0, " you"),), 30.0)
    record = run.record()
    assert (record.running, record.text, record.reasoning) == (True, "Hello you", "thinking")
    assert (record.ttft_ms, record.chunk_count) == (20.0, 3)
    assert record.completion_tokens is None


def test_every_change_wakes_whoever_waits(new_run: Callable[[], Run]) -> None:
    run = new_run()
    seen = run.wait_for_change(-1, 0)
    assert run.wait_for_change(seen, 0.01) == seen
    run.append((Delta(0, "x"),), 1.0)
    assert run.wait_for_change(seen, 5) > seen


def test_a_stop_before_the_stream_begins_stops_it_when_it_does(new_run: Callable[[], Run]) -> None:
    run = new_run()
    stops: list[str] = []
    run.stop()
    run.attach(lambda: stops.append("stopped"))
    assert stops == ["stopped"]
    assert run.activity is Activity.STOPPING


def test_stopping_a_finished_run_changes_nothing(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.finish(Outcome(Status.OK))
    version = run.version
    run.stop()
    assert run.version == version
    assert run.record().status == "ok"


def test_unreported_tokens_stay_unreported(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.append((Delta(0, "Hello"),), 1.0)
    run.finish(Outcome(Status.OK, texts=("Hello",), chunk_count=1))
    record = run.record()
    assert (record.prompt_tokens, record.completion_tokens, record.tokens_per_second) == (None, None, None)
