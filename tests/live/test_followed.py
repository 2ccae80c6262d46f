"""A run of another process on a page: only its new text is sent, without a request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components.live.followed import FollowedRun
from components.log.log import Log
from components.log.query import find_run
from components.log.stopping import request_stop
from components.runs.run import Run
from components.streaming.limits import Limits
from tests.live.conftest import Reader, Server, end, make_run, tell
from tests.log.conftest import _postgresql_server, postgresql_url, sqlite_url, url
from tests.waiting import wait_for

__all__ = ["_postgresql_server", "postgresql_url", "sqlite_url", "url"]


@pytest.fixture
def logs(url: str) -> Iterator[tuple[Log, Log]]:
    """The logs of the process of the run and of the process of the page."""
    opened = Log(url, Limits(log_flush_ms=50, stop_requests_s=0.05)), Log(url)
    yield opened
    for log in opened:
        log.close()


def followed(logs: tuple[Log, Log], run: Run) -> FollowedRun:
    logs[0].begin(run)
    logs[0].wait_until_committed(run)
    assert logs[1].database
    record = find_run(logs[1].database, run.id)
    assert record
    return FollowedRun(logs[1], record, poll_s=0.05)


def reads_until(reader: Reader, text: str) -> None:
    while text not in reader.plain_text:
        reader.read()


def test_only_new_text_of_a_run_of_another_process_reaches_the_page(live: Server, logs: tuple[Log, Log]) -> None:
    run = make_run("word " * 20_000)
    channel = live.channels.open()
    channel.show(followed(logs, run), run.events)
    with live.reader(channel.token) as reader:
        reader.watch(run.id, "markdown")
        reads_until(reader, "word word")
        received = reader.received
        tell(run, "\n\nA further \N{OCTOPUS} paragraph")
        reads_until(reader, "\N{OCTOPUS} paragraph")
        tell(run, " and its end.")
        end(run)
        logs[0].end(run)
        reader.read_to_the_end()
        assert "and its end." in reader.plain_text
        assert reader.received - received < 2_000


def test_a_stopping_run_of_another_process_is_shown_as_stopping(live: Server, logs: tuple[Log, Log]) -> None:
    run = make_run("Hello")
    channel = live.channels.open()
    channel.show(followed(logs, run), run.events)
    with live.reader(channel.token) as reader:
        reader.watch(run.id, "status")
        reads_until(reader, "running")
        request_stop(logs[1], run.id)
        reads_until(reader, "Stopping")
        wait_for(lambda: run.stopping)
        end(run)
        logs[0].end(run)
        reader.read_to_the_end()
