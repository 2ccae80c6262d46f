"""Access to runs: tokens are random, expire without a page, and cover the most recently drawn runs."""

from __future__ import annotations

import pytest

from components.live import channels
from components.live.channels import Channels
from tests.live.conftest import make_run


def test_every_page_has_its_own_random_token() -> None:
    every = Channels()
    tokens = {every.open().token for _ in range(100)}
    assert len(tokens) == 100
    # 24 random bytes.
    assert all(len(token) == 32 for token in tokens)


def test_a_page_sees_only_the_runs_drawn_on_it() -> None:
    every = Channels()
    mine, theirs = every.open(), every.open()
    run = make_run("text")
    mine.show(run, run.events)
    assert every.find(mine.token).find(run.id).run.record().text == "text"
    assert theirs.find(run.id) is None
    assert mine.find("") is None
    assert every.find("") is None


def test_a_token_stays_valid_while_its_page_is_connected_or_recently_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(channels.time, "monotonic", lambda: now[0])
    every = Channels()
    channel = every.open()
    now[0] += 119
    assert every.find(channel.token)
    channel.show(make_run(), list)
    now[0] += 119
    assert every.find(channel.token)
    with channel.connected(lambda _announcement: None):
        now[0] += 10_000
        assert every.find(channel.token)
    now[0] += 119
    assert every.find(channel.token)
    now[0] += 2
    assert every.find(channel.token) is None


def test_the_least_recently_drawn_run_is_dropped_first() -> None:
    channel = Channels().open()
    runs = [make_run() for _ in range(17)]
    for run in runs[:16]:
        channel.show(run, list)
    channel.show(runs[0], list)
    channel.show(runs[16], list)
    assert channel.find(runs[1].id) is None
    assert channel.find(runs[0].id)
    assert channel.find(runs[16].id)
