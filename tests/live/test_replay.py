"""A replay ends with the logged answer, and every event has its time."""

from __future__ import annotations

import json
import time

from hypothesis import given
from hypothesis import strategies as st

from components.live.channels import Channel
from components.live.followed import FollowedRun
from components.live.replay import lengths_after, replay_frames
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from components.markdown.answer import AnswerBlocks
from tests.live.conftest import applied, end, make_run, tell


def event(text: str, at_ms: float = 1.0) -> StoredEvent:
    data = json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})
    return StoredEvent("message", data[:2_048], at_ms, len(data))


def played(run, view: str = "markdown") -> list[tuple[float, list[str]]]:
    """The time of each event, with the blocks then on the page."""
    channel = Channel()
    channel.show(run, run.events)
    states, blocks = [], []
    for message in replay_frames(channel.find(run.id), view):
        assert message["count"] == len(run.events())
        for at_ms, *frame in message["events"]:
            blocks = applied(blocks, frame) if frame else blocks
            states.append((at_ms, blocks))
    return states


@given(st.lists(st.text(st.sampled_from(list("ab `*\n-|$😀")), max_size=12), min_size=1, max_size=40))
def test_after_each_event_the_page_shows_the_text_so_far(pieces: list[str]) -> None:
    run = make_run()
    pieces = ["1", "2", *pieces]  # a second piece that begins with the first may be held back as a possible repetition
    for number, piece in enumerate(pieces):
        tell(run, piece, number * 10.0)
    end(run)
    states = played(run, "plain")
    assert [at_ms for at_ms, _ in states] == [number * 10.0 for number in range(len(pieces))]
    for number, (_, blocks) in enumerate(states):
        expected = AnswerBlocks("plain")
        expected.update("".join(pieces[: number + 1]))
        assert "".join(blocks) == "".join(expected.blocks)


def test_a_long_replay_comes_in_several_messages_and_ends_as_the_answer_ends() -> None:
    run = make_run()
    for number in range(450):
        tell(run, f"**{number}**\n\n" if number % 7 == 0 else f"word{number} ", float(number))
    end(run)
    channel = Channel()
    channel.show(run, run.events)
    assert [len(message["events"]) for message in replay_frames(channel.find(run.id), "markdown")] == [200, 200, 50]
    whole = AnswerBlocks("markdown")
    whole.update(run.record().text, ended=True)
    assert played(run)[-1][1] == whole.blocks


def test_cut_or_different_events_show_the_rest_of_the_text() -> None:
    assert lengths_after([event("Hello"), event(" you"), event("!")], "Hello you!") == [5, 9, 10]
    long = "x" * 3_000
    assert lengths_after([event("Hi "), event(long), event("!")], f"Hi {long}!") == [3, 3_004, 3_004]
    assert lengths_after([event("Hi "), event("secret-key"), event("!")], "Hi •••!") == [3, 7, 7]


def test_events_without_text_change_nothing_and_held_back_text_comes_last() -> None:
    done = StoredEvent("message", "[DONE]", 3.0, 6)
    broken = StoredEvent("message", "{not json", 2.0, 9)
    assert lengths_after([event("a"), broken, event("b"), done], "ab�") == [1, 1, 2, 3]
    assert lengths_after([], "text") == []


def test_an_unreadable_log_is_reported() -> None:
    def fail() -> list[StoredEvent]:
        raise QueryFailed("The log cannot be read now.")

    channel = Channel()
    run = FollowedRun(None, make_run("text").record())
    channel.show(run, fail)
    assert list(replay_frames(channel.find(run.id), "plain")) == [{"problem": "The log cannot be read now."}]


def test_missing_events_are_reported() -> None:
    channel = Channel()
    run = FollowedRun(None, make_run("text").record())
    channel.show(run, list)
    (message,) = replay_frames(channel.find(run.id), "plain")
    assert message == {"problem": "The log does not hold the events of this run any more."}


def test_slow_texts_are_drawn_less_often_and_completely_at_the_end() -> None:
    run = make_run()
    rows = [f"| {number} | *b* |\n" for number in range(400)]
    for number, piece in enumerate(["| a | b |\n|---|---|\n", *rows]):
        tell(run, piece, float(number))
    end(run)
    began = time.thread_time()
    states = played(run)
    assert time.thread_time() - began < 4
    assert len(states) == 401
    assert len({"".join(blocks) for _, blocks in states}) > 40
    assert "".join(states[-1][1]).count("<tr>") == 401
