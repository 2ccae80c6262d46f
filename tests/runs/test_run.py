from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from components.contract.chunk import Usage
from components.runs.order import WARM_UP, Placement
from components.runs.run import Activity, Run
from components.streaming.answer import Delta, TimedEvent
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import A_PLACEMENT, make_run
from tests.orders import text_event


def test_a_running_run_shows_its_text_so_far(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(text_event("", 10.0, "thinking"))
    run.take(TimedEvent("", "", 20.0, (Delta(0, "Hello"), Delta(1, "other choice"))))
    run.take(text_event(" you", 30.0))
    record = run.record()
    assert (record.running, record.text, record.reasoning) == (True, "Hello you", "thinking")
    assert (record.ttft_ms, record.ttfo_ms, record.chunk_count) == (10.0, 20.0, 3)
    assert record.tokens_per_second == 100.0
    assert record.completion_tokens is None


def test_every_change_notifies_until_the_listener_is_removed(new_run: Callable[[], Run]) -> None:
    run = new_run()
    heard: list[int] = []

    def listener() -> None:
        heard.append(run.version)

    run.listen(listener)
    run.take(text_event("x", 1.0))
    run.stop()
    assert heard == [1, 2]
    run.leave(listener)
    run.finish(Outcome(Status.CANCELLED))
    assert (heard, run.version) == ([1, 2], 3)


def test_a_stop_before_the_stream_stops_it_when_it_begins(new_run: Callable[[], Run]) -> None:
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


def test_an_ended_run_stores_its_answer_once(new_run: Callable[[], Run]) -> None:
    run, text = new_run(), "x" * 100_000
    run.take(text_event(text, 1.0))
    while_it_goes_on = run.size
    run.finish(Outcome(Status.OK, text="".join(text)))
    assert abs(run.size - while_it_goes_on) < 1_000
    assert run.record().text == run.texts()[0] == text


def test_an_internal_error_keeps_the_text_so_far(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(text_event("Hello", 1.0, "Hm."))
    run.finish(Outcome(Status.ERROR))
    assert run.texts() == (run.record().text, run.record().reasoning) == ("Hello", "Hm.")


def test_unreported_tokens_stay_unreported(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.take(text_event("Hello", 1.0))
    run.finish(Outcome(Status.OK, text="Hello", chunk_count=1))
    record = run.record()
    assert (record.prompt_tokens, record.completion_tokens, record.tokens_per_second) == (None, None, None)


PLACE = [field.name for field in fields(Placement)]


def test_a_run_of_an_experiment_has_its_placement_before_and_after_its_end() -> None:
    run = make_run(A_PLACEMENT)
    running = run.record()
    run.finish(Outcome(Status.OK))
    for record in (running, run.record()):
        assert {name: getattr(record, name) for name in PLACE} == {
            "experiment_id": "e" * 32,
            "lane": "left",
            "position": 1,
            "repeat": 2,
            "timing": "in turn",
            "concurrency": 4,
            "checks": "c" * 32,
        }


def test_position_0_and_a_warm_up_are_recorded() -> None:
    record = make_run(replace(A_PLACEMENT, position=0, repeat=WARM_UP, checks=None)).record()
    assert (record.position, record.repeat, record.checks) == (0, 0, None)


def test_a_single_run_has_no_placement(new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.finish(Outcome(Status.OK))
    record = run.record()
    assert [getattr(record, name) for name in (*PLACE, "determinism")] == [None] * 8


@pytest.mark.parametrize(("queued_ms", "cached_tokens"), [(12.5, 7), (0.0, 0), (None, None)])
def test_reported_queue_time_and_cached_tokens_are_recorded(
    new_run: Callable[[], Run], queued_ms: float | None, cached_tokens: int | None
) -> None:
    run = new_run()
    assert (run.record().queued_ms, run.record().cached_tokens) == (None, None)
    usage = Usage(9, 2, 11, cached_tokens)
    run.finish(Outcome(Status.OK, usage=usage, timings=Timings(queued_ms=queued_ms)))
    assert (run.record().queued_ms, run.record().cached_tokens) == (queued_ms, cached_tokens)


def test_the_endpoints_version_and_request_id_are_kept(new_run: Callable[[], Run]) -> None:
    reported, unreported = new_run(), new_run()
    reported.finish(Outcome(Status.OK, served_model="m-2026", system_fingerprint="fp_1", request_id="r-1"))
    unreported.finish(Outcome(Status.OK))
    assert reported.record().endpoint_facts == [
        ("served model", "m-2026"),
        ("system fingerprint", "fp_1"),
        ("request id", "r-1"),
    ]
    assert unreported.record().endpoint_facts == []
