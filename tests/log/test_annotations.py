"""Stars, tags and notes of a run, which are deleted with it."""

from __future__ import annotations

import pytest

from components.log.annotations import MAX_CHARACTERS, Annotation, annotate, annotation_of
from components.log.compaction import size_bytes
from components.log.deletion import delete_run, delete_runs_of_view, restore_run
from components.log.log import Log
from components.log.query import events_of, find_run
from components.log.search import page_of
from components.log.view import View
from components.streaming.answer import Delta, TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run


@pytest.fixture
def run_id(log: Log) -> str:
    return ended_run(log)


def ended_run(log: Log, status: Status = Status.OK) -> str:
    run = make_run()
    log.begin(run)
    run.take(TimedEvent("message", '{"x": 1}', 3.0, (Delta(0, "unmistakable"),)))
    run.finish(Outcome(status, text="unmistakable"))
    log.end(run)
    return run.id


def test_the_last_annotation_counts_and_a_new_run_has_none(log: Log, run_id: str) -> None:
    assert annotation_of(log.database, run_id) == Annotation()
    annotate(log, run_id, Annotation(2, ("a",), "n"))
    annotation = Annotation(5, ("good", "two words"), "Notes\nof two lines \U0001f30a")
    annotate(log, run_id, annotation)
    assert annotation_of(log.database, run_id) == annotation
    annotate(log, run_id, Annotation())
    assert annotation_of(log.database, run_id) == Annotation()
    assert annotation_of(log.database, "no id") == Annotation()
    annotate(log, "0" * 32, annotation)
    assert annotation_of(log.database, "0" * 32) == Annotation()


def test_tags_are_unique_lines_and_notes_have_a_limit(log: Log, run_id: str) -> None:
    annotate(log, run_id, Annotation(None, ("a\nb", " a  b ", "", "x" * 99), "n\0" * MAX_CHARACTERS))
    annotation = annotation_of(log.database, run_id)
    assert annotation.tags == ("a b", "x" * 60)
    assert len(annotation.notes) == MAX_CHARACTERS
    assert [page["id"] for _, page in page_of(log.database, View(tag="a b")).runs.iterrows()] == [run_id]


def test_a_deleted_run_is_removed_completely_and_can_be_restored(log: Log, run_id: str) -> None:
    annotate(log, run_id, Annotation(4, ("keep",), "Why"))
    record, events = find_run(log.database, run_id), events_of(log.database, run_id)
    assert len(events) == 1
    deleted = delete_run(log, run_id)
    assert deleted is not None
    assert (find_run(log.database, run_id), events_of(log.database, run_id)) == (None, [])
    assert annotation_of(log.database, run_id) == Annotation()
    for _ in range(2):  # a second click restores nothing more
        restore_run(log, deleted)
    assert (find_run(log.database, run_id), events_of(log.database, run_id)) == (record, events)
    assert annotation_of(log.database, run_id) == Annotation(4, ("keep",), "Why")
    assert page_of(log.database, View(words="unmistakable")).runs["id"].tolist() == [run_id]


def test_active_and_missing_runs_are_not_deleted(log: Log) -> None:
    run = make_run()
    log.begin(run)
    log.wait_until_committed(run)
    assert delete_run(log, run.id) is None
    assert find_run(log.database, run.id)
    assert delete_run(log, "0" * 32) is None
    assert delete_run(log, "' or 1=1") is None
    run.finish(Outcome(Status.OK))
    log.end(run)


def test_exactly_the_runs_of_a_view_are_deleted_in_steps(log: Log) -> None:
    for _ in range(5):
        ended_run(log, Status.ERROR)
    good = ended_run(log)
    assert list(delete_runs_of_view(log, log.database, View(status="error"), at_once=2)) == [2, 4, 5]
    assert page_of(log.database, View()).runs["id"].tolist() == [good]


def test_the_reported_size_grows_with_the_log(log: Log) -> None:
    before = size_bytes(log.database)
    assert before > 10_000
    ended_run(log)
    assert size_bytes(log.database) >= before
