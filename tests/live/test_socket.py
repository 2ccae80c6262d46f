"""The page's socket: access, complete delivery despite interruptions, and slow readers."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin
from websockets.uri import parse_uri

from components.live.channels import Channels
from components.live.socket import UNREADABLE, WRONG_TOKEN
from components.live.subscription import Subscription
from components.markdown.answer import AnswerBlocks
from components.streaming.outcome import Status
from tests.live.conftest import ORIGIN, Reader, Server, end, make_run, page_token, soon, tell
from tests.waiting import run_apart, wait_for

ANSWERS = [path.read_text() for path in sorted((Path(__file__).parents[1] / "markdown" / "answers").glob("*.md"))]


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "", None])
def test_another_origin_is_refused_before_the_handshake(live: Server, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, live.connection(page_token(live), origin=origin):
        pass
    assert refused.value.response.status_code == 403


def closed_with(connection: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        for _ in connection:
            pass
    return connection.close_code


@pytest.mark.parametrize("token", ["", "guess", "x" * 101, 7, None])
def test_a_wrong_token_is_refused(live: Server, token: object) -> None:
    with live.connection(token) as connection:  # type: ignore[arg-type]
        assert closed_with(connection) == WRONG_TOKEN


def test_an_old_token_is_refused(live: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "channels", Channels())
    token = page_token(live, make_run("text"))
    with live.reader(token):
        live.channels.life_s = 0.0
        # A token does not expire while its page is open.
        assert live.channels.find(token)
    wait_for(lambda: live.channels.find(token) is None)
    with live.connection(token) as connection:
        assert closed_with(connection) == WRONG_TOKEN


def test_another_visitors_run_is_refused(live: Server) -> None:
    mine, theirs = make_run("mine"), make_run("theirs")
    page_token(live, theirs)
    with live.reader(page_token(live, mine)) as reader:
        for request in ({"watch": theirs.id, "part": "plain"}, {"replay": theirs.id, "part": "plain"}):
            reader.facts = {}
            reader.ask(request)
            reader.read()
            assert (reader.facts, reader.blocks) == ({"refused": True}, [])
        reader.watch(mine.id, "plain")
        reader.read()
        assert reader.plain_text == "mine"


@pytest.mark.parametrize(
    "request_text",
    [
        *("", "[]", "{}", "\x00", "[" * 900, "x" * 2_000, '{"leave": -1}', '{"watch": "x"}'),
        '{"watch": "x", "lane": 1, "part": "html"}',
        '{"watch": "x", "lane": 1, "part": "plain", "more": 1}',
        b'{"leave": 1}',
    ],
)
def test_an_invalid_request_ends_its_own_connection_only(live: Server, request_text: str | bytes) -> None:
    run = make_run("text")
    token = page_token(live, run)
    with live.reader(token) as other, live.connection(token) as connection:
        assert connection.recv(timeout=10) == "[]"
        connection.send(request_text)
        assert closed_with(connection) == UNREADABLE
        other.watch(run.id, "plain")
        other.read()
        assert other.plain_text == "text"


def test_a_silent_page_is_disconnected() -> None:
    with (
        Server(hello_s=0.1).started() as server,
        connect(f"ws://127.0.0.1:{server.port}/live", origin=ORIGIN, proxy=None) as connection,
    ):
        assert closed_with(connection) == WRONG_TOKEN


def test_text_status_and_end_arrive_as_they_come(live: Server) -> None:
    run = make_run()
    with live.reader(page_token(live, run)) as reader:
        reader.watch(run.id, "markdown")
        reader.read()
        assert reader.facts["note"] == "…"
        tell(run, "Some **bold")
        reader.read()
        assert reader.facts["said"] == "Answer started"
        tell(run, "** words")
        wait_for(lambda: reader.read() or "<strong>bold</strong> words" in reader.blocks[0])
        end(run, finish_reason="length")
        reader.read_to_the_end()
        assert reader.facts["said"] == "Answer finished, 3 chunks, cut at max_tokens"


def test_the_status_line_shows_endpoint_messages_as_text_only(live: Server) -> None:
    run = make_run("text")
    with live.reader(page_token(live, run)) as reader:
        reader.watch(run.id, "status")
        reader.read()
        assert ">Streaming</span>" in reader.blocks[0]
        end(run, Status.OK, "<img src=x>")
        reader.read_to_the_end()
        assert ">ok</span>" in reader.blocks[0]
        assert "finish reason &lt;img src=x&gt;</span>" in reader.blocks[0]


def test_a_wait_counts_down_by_itself(live: Server) -> None:
    run = make_run()
    run.wait_to_retry("<b>busy</b>", 0.4)
    with live.reader(page_token(live, run)) as reader:
        reader.watch(run.id, "status")
        reader.read()
        assert ">Trying again in 1 s</span>" in reader.blocks[0]
        reader.read()
        assert ">Trying again</span>" in reader.blocks[0]
        run.wait_to_retry("busy", 7)
        reader.read()
        assert ">Trying again in 7 s</span>" in reader.blocks[0]
        tell(run, "text")
        reader.read()
        assert ">Streaming</span>" in reader.blocks[0]


def test_the_reason_of_a_failed_attempt_is_shown_instead_of_the_answer(live: Server) -> None:
    run = make_run()
    with live.reader(page_token(live, run)) as reader:
        reader.watch(run.id, "markdown")
        reader.read()
        run.wait_to_retry("<b>busy</b>", 7)
        reader.read()
        assert reader.facts["note"] == "<b>busy</b>"
        tell(run, "text")
        wait_for(lambda: reader.read() or reader.facts["note"] == "")


def test_two_lanes_share_one_connection(live: Server) -> None:
    first, second = make_run("one"), make_run("two")
    with live.connection(page_token(live, first, second)) as connection:
        assert connection.recv(timeout=10) == "[]"
        lanes = {1: Reader(connection, 1), 2: Reader(connection, 2)}
        lanes[1].watch(first.id, "plain")
        lanes[2].watch(second.id, "plain")
        tell(first, " and more")

        def read() -> bool:
            for number, *message in json.loads(connection.recv(timeout=10)):
                if isinstance(message[0], int):
                    lanes[number].blocks = [*lanes[number].blocks, str(message)]
            return len(lanes[1].blocks) > 0 and len(lanes[2].blocks) > 0

        wait_for(read)
        connection.send('{"leave": 2}')
        soon()
        tell(second, "unheard")
        tell(first, "!")
        number, *_ = json.loads(connection.recv(timeout=10))[0]
        assert number == 1


def test_a_new_run_is_sent_to_its_lane_without_a_request(live: Server) -> None:
    channel, other_page = live.channels.open(), live.channels.open()
    before, run, elsewhere = make_run("before"), make_run(), make_run("elsewhere")
    channel.show(before, before.events)
    with live.reader(channel.token) as reader, live.reader(other_page.token) as other:
        reader.ask({"watch": before.id, "part": "plain", "place": "A"})
        reader.read()
        assert channel.announce("B", elsewhere, elsewhere.events)
        assert channel.announce("A", run, run.events)
        wait_for(lambda: "run" in reader.facts or reader.read())
        assert (reader.facts["run"], reader.facts["turn"], reader.facts["replay"]) == (run.id, 1, False)
        tell(run, "At once")
        wait_for(lambda: reader.plain_text == "At once" or reader.read())
        # A request sent before the page read the announcement changes nothing.
        reader.ask({"watch": before.id, "part": "plain", "place": "A", "turn": 0})
        tell(run, ", and further")
        wait_for(lambda: reader.plain_text == "At once, and further" or reader.read())
        reader.ask({"watch": before.id, "part": "plain", "place": "A", "turn": 1})
        wait_for(lambda: reader.plain_text == "before" or reader.read())
        # The other page got no announcement and may not read the run.
        other.watch(run.id, "plain")
        other.read()
        assert other.facts == {"refused": True}


def test_the_last_frame_of_an_ended_run_is_not_delayed(live: Server) -> None:
    async def use_up_the_share() -> None:
        async with live.channels.shares.of("me") as share:
            share.free_at = time.monotonic() + 3_600

    run = make_run()
    channel = live.channels.open("me")
    channel.show(run, run.events)
    with live.reader(channel.token) as reader:
        reader.watch(run.id, "plain")
        reader.read()
        run_apart(use_up_the_share())
        tell(run, "The last words")
        with pytest.raises(TimeoutError):
            reader.read(0.05)
        end(run)
        reader.read_to_the_end()
        assert reader.plain_text == "The last words"


def test_a_replay_is_announced_without_its_text(live: Server) -> None:
    channel, run = live.channels.open(), make_run("text")
    end(run)
    channel.show(run, run.events)
    with live.reader(channel.token) as reader:
        reader.watch(run.id, "plain")
        reader.read_to_the_end()
        received = reader.received
        channel.announce("", run, run.events, replay=True)
        reader.read()
        assert (reader.facts["run"], reader.facts["replay"]) == (run.id, True)
        assert reader.received < received + 100


def test_waiting_lanes_count_towards_the_limit(live: Server) -> None:
    channel = live.channels.open()
    with live.connection(channel.token) as connection:
        assert connection.recv(timeout=10) == "[]"
        for lane in range(1, 34):
            connection.send(json.dumps({"watch": None, "lane": lane, "part": "plain"}))
        (number, facts), *more = json.loads(connection.recv(timeout=10))
        assert (number, more) == (33, [])
        assert "Close some of them" in facts["note"]


def test_large_answers_of_lanes_are_sent_in_separate_messages(live: Server) -> None:
    run = make_run("```\n" + "<" * 150_000 + "\n```")
    end(run)
    with live.connection(page_token(live, run), max_size=None) as connection:
        for lane in (1, 2, 3):
            connection.send(json.dumps({"watch": run.id, "lane": lane, "part": "markdown"}))
        frames: dict[int, str] = {}
        while len(frames) < 3:
            large = [message for message in json.loads(connection.recv(timeout=20)) if isinstance(message[1], int)]
            assert len(large) <= 1
            frames |= {lane: "".join(map(str, frame)) for lane, *frame in large}
    assert frames[1] == frames[2] == frames[3]
    assert frames[1].count("&lt;") == 150_000


def test_lanes_of_a_page_share_rendered_blocks(live: Server) -> None:
    channel = live.channels.open()
    blocks = channel.blocks_of("run", "markdown")
    assert channel.blocks_of("run", "markdown") is blocks
    assert channel.blocks_of("run", "plain") is not blocks
    assert live.channels.open().blocks_of("run", "markdown") is not blocks


@pytest.mark.parametrize("count", [30, pytest.param(400, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_the_text_arrives_exactly_despite_reconnects(live: Server, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Colouring code has a limit of processor time, which a pause for garbage collection may use up.
    monkeypatch.setattr(time, "thread_time", lambda: 0.0)
    chance = random.Random(5)
    for number in range(count):
        answer = chance.choice(ANSWERS)
        begin = chance.randrange(len(answer) // 2)
        answer = answer[begin : begin + chance.randrange(1, 4_000)]
        part = "plain" if number % 2 else "markdown"
        run = make_run()
        token = page_token(live, run)
        blocks: list[str] = []
        at = 0
        while not run.finished or at < len(answer):
            with live.reader(token) as reader:
                reader.blocks = blocks
                reader.watch(run.id, part, resume=True)
                for _ in range(chance.randrange(1, 12)):
                    if at < len(answer):
                        size = chance.randrange(1, 120)
                        tell(run, answer[at : at + size])
                        at += size
                    elif not run.finished:
                        end(run)
                    if chance.random() < 0.5:
                        reader.read()
                        break
                if run.finished:
                    reader.read_to_the_end()
                blocks = reader.blocks
        with live.reader(token) as reader:
            reader.blocks = blocks
            reader.watch(run.id, part, resume=True)
            reader.read_to_the_end()
            blocks = reader.blocks
        logged = run.record().text
        assert logged == answer
        if part == "plain":
            reader.blocks = blocks
            assert reader.plain_text == logged
        whole = AnswerBlocks(part)
        whole.update(logged, ended=True)
        assert blocks == whole.blocks


def test_a_resuming_reader_gets_only_the_missing_blocks(live: Server) -> None:
    run = make_run("A paragraph of some words.\n\n" * 2_000)
    end(run)
    token = page_token(live, run)
    with live.reader(token) as reader:
        reader.watch(run.id, "markdown")
        reader.read_to_the_end()
        whole = reader.received
        blocks = reader.blocks
    with live.reader(token) as reader:
        reader.blocks = list(blocks)
        reader.watch(run.id, "markdown", resume=True)
        reader.read_to_the_end()
        assert reader.blocks == blocks
        assert reader.received < whole / 100


def test_a_new_request_of_a_lane_ends_its_replay(live: Server) -> None:
    run = make_run()
    for number in range(3_000):
        tell(run, f"word{number} ", float(number))
    end(run)
    with live.reader(page_token(live, run)) as reader:
        reader.ask({"replay": run.id, "part": "markdown"})
        reader.ask({"replay": run.id, "part": "plain"})
        plain = 0
        while plain < 3_000:
            for _, message in json.loads(reader.connection.recv(timeout=10)):
                texts = "".join(str(part) for _, *frame in message["events"] for part in frame)
                if "<p>" not in texts and "</p>" not in texts:
                    plain += len(message["events"])
                else:
                    assert plain == 0


def test_one_large_event_does_not_block_others(live: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    draw = Subscription.messages

    def noted(lane: Subscription) -> list[Any]:
        threads.append(threading.current_thread().name)
        return draw(lane)

    monkeypatch.setattr(Subscription, "messages", noted)
    run = make_run()
    with live.reader(page_token(live, run)) as reader:
        reader.watch(run.id, "markdown")
        reader.read()
        for _ in range(3):
            tell(run, "hi ")
            reader.read()
        loop = threads[-1]
        tell(run, "word " * 1_000)
        reader.read()
        assert threads[-1] != loop


class SlowReader:
    """Reads on demand only; clients of libraries read ahead."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(10)
        self._protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/live"), origin=Origin(ORIGIN), max_size=None)
        request = self._protocol.connect()
        self._protocol.send_request(request)
        self._flush()
        self._events = self._arriving()
        next(self._events)
        self.send({"token": token})
        assert self.read() == []

    def send(self, request: dict[str, object]) -> None:
        self._protocol.send_text(json.dumps(request).encode())
        self._flush()

    def read(self) -> list[Any]:
        parts = []
        while True:
            frame = next(self._events)
            parts.append(frame.data)
            if frame.fin:
                return json.loads(b"".join(parts))

    def close(self) -> None:
        self._socket.close()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._socket.sendall(data)

    def _arriving(self) -> Iterator[Any]:
        while True:
            self._protocol.receive_data(self._socket.recv(1 << 20))
            yield from self._protocol.events_received()


def test_a_slow_reader_receives_the_newest_state_without_a_growing_queue(
    live: Server, request: pytest.FixtureRequest
) -> None:
    run = make_run()
    reader = SlowReader(live.port, page_token(live, run))
    request.addfinalizer(reader.close)
    reader.send({"watch": run.id, "part": "plain", "lane": 1})
    piece = "x" * 300_000
    for _ in range(100):
        tell(run, piece)
        time.sleep(0.02)
    end(run)
    sizes: list[int] = []
    while True:
        message = reader.read()
        sizes.append(len(json.dumps(message)))
        if any(isinstance(first, dict) and first.get("ended") for _, first, *_ in message):
            break
    assert sum(sizes) > 100 * len(piece)
    # While the reader paused, only as many messages were sent as the kernel buffers; a queue would have a hundred.
    assert len(sizes) < 30
