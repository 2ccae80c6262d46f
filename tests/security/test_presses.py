"""A click counts once, for any following message of the browser."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.security.conftest import App
from tests.security.open_page import OpenPage
from tests.security.session import session
from tests.waiting import wait_for


@pytest.fixture
def page(running: App) -> Iterator[OpenPage]:
    with session(running.address) as connection:
        yield OpenPage(connection)


# Before the script begins, while it draws the form, and afterwards.
@pytest.mark.parametrize("pause_ms", [0, 2, 5, 10, 20, 40, 80])
def test_run_sends_one_request_when_another_message_follows(running: App, page: OpenPage, pause_ms: int) -> None:
    before = len(running.posts())
    page.send("run", message_1=f"After {pause_ms} ms.")
    time.sleep(pause_ms / 1000)
    page.send()
    page.learn()
    wait_for(lambda: len(running.posts()) > before)
    page.send()
    page.learn()
    sent = running.posts()[before:]
    assert [f"After {pause_ms} ms." in post.decode() for post in sent] == [True]


def test_a_number_typed_right_before_run_is_sent(running: App, page: OpenPage) -> None:
    before = len(running.posts())
    page.send(temperature=0.2)
    page.wait()
    page.send("run")
    page.learn()
    wait_for(lambda: len(running.posts()) > before)
    assert b'"temperature":0.2' in running.posts()[-1].replace(b" ", b"")


# As the script for the earlier input begins, and while it draws.
@pytest.mark.parametrize("pause_ms", [0, 5, 20, 60])
def test_text_typed_right_before_closing_is_kept(running: App, pause_ms: int) -> None:
    with session(running.address) as connection:
        page = OpenPage(connection)
        page.send(temperature=0.3)
        time.sleep(pause_ms / 1000)
        page.send(message_1=f"Typed last, after {pause_ms} ms.")
    with closing(sqlite3.connect(running.folder / "runs.sqlite3")) as log:
        kept = f"select 1 from drafts where content like '%Typed last, after {pause_ms} ms.%'"
        wait_for(lambda: log.execute(kept).fetchone())
