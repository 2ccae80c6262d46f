"""The WebSocket of a page. It carries the changes of all runs on the page, each under its lane's number.

The page first sends its token, then what it watches, and in which place of the page:

    {"token": "…"}
    {"watch": "run id", "lane": 1, "part": "markdown", "place": "", "turn": 0, "count": 0, "size": 0}
    {"watch": null, "lane": 1, "part": "markdown", "place": "", "turn": 0}
    {"replay": "run id", "lane": 1, "part": "markdown", "place": "", "turn": 0}
    {"leave": 1}

The server sends lists of messages, each a lane's number followed by a frame or an object (``Subscription``).
A slow page gets the newest state once it has read the previous one: no queue grows.

When a run is announced for a place, the server moves the place's lanes to that run, each after the message

    [1, {"run": "run id", "turn": 1, "replay": false}]

so the run's text waits neither for the page's script nor for a request. The page itself requests an announced replay.
A page's request has the ``turn`` it knows: one that was sent before the page had read the announcement is ignored.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.live.channels import Announcement, AnswerView, Channel, Channels
from components.live.replay import replay_frames
from components.live.share import Share
from components.live.subscription import Part, Subscription
from components.protection.places import Places

WRONG_TOKEN = 4401
TOO_MANY = 4429
UNREADABLE = 4400

_FRAME_S = 1 / 120
"""The shortest time between two messages to a page, half a frame of most screens. At 100 tokens/s the lag was 12 ms
with it and 19 ms with 1/60, for about a quarter more server time."""
_FEW_LANES = 2
"""An answer and its status; with more lanes each message costs more, so messages are sent less often."""
_TOO_EARLY_S = 0.002
_TOO_MANY_LANES = "Too much is drawn at once on your pages. Close some of them, then try again."
_LARGEST_REQUEST = 1_000
"""Characters; longer requests are invalid."""
_LARGE = 100_000
"""Characters of one message. Ordinary answers have less."""
_MAX_LANES = 32
"""Of one page."""

Name = Annotated[str, Field(max_length=100)]
LaneNumber = Annotated[int, Field(ge=0, le=1_000_000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Hello(_Request):
    token: Name


class _LaneRequest(_Request):
    lane: LaneNumber
    place: Name = ""
    turn: int = Field(default=0, ge=0)


class _Watch(_LaneRequest):
    watch: Name | None
    part: Part
    count: int = Field(default=0, ge=0)
    size: int = Field(default=0, ge=0)


class _Replay(_LaneRequest):
    replay: Name
    part: AnswerView


class _Leave(_Request):
    leave: LaneNumber


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_requests: TypeAdapter[_Watch | _Replay | _Leave] = TypeAdapter(_Watch | _Replay | _Leave)


class _UnreadableRequest(Exception):
    pass


class LiveSocket:
    """The route. ``is_allowed`` checks a connection's Origin and Host headers; its token must come in ``hello_s``."""

    def __init__(
        self,
        channels: Callable[[], Channels],
        is_allowed: Callable[[str | None, str | None], bool],
        hello_s: float = 5.0,
    ) -> None:
        self._channels = channels
        self._is_allowed = is_allowed
        self._hello_s = hello_s

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection to its end."""
        if not self._is_allowed(websocket.headers.get("origin"), websocket.headers.get("host")):
            await websocket.close()
            return
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            channel = await self._channel_of(websocket)
            if channel is None:
                await websocket.close(WRONG_TOKEN)
                return
            shares = self._channels().shares
            with shares.connections.held(channel.visitor, channel.network) as held:
                if not held:
                    await websocket.close(TOO_MANY)
                    return
                async with shares.of(channel.visitor) as share:
                    connection = _Connection(websocket, channel, share, shares.lanes)
                    with channel.connected(connection.on_announcement):
                        await connection.serve()

    async def _channel_of(self, websocket: WebSocket) -> Channel | None:
        try:
            text = await asyncio.wait_for(websocket.receive_text(), self._hello_s)
            return self._channels().find(_Hello.model_validate_json(text[:_LARGEST_REQUEST]).token)
        except (TimeoutError, ValidationError, KeyError):
            return None


class _Connection:
    def __init__(self, websocket: WebSocket, channel: Channel, share: Share, places: Places) -> None:
        self._websocket = websocket
        self._channel = channel
        self._share = share
        self._places = places
        self._views: dict[int, _Watch | _Replay] = {}
        """The request of each lane, also of lanes that wait for their first run."""
        self._lanes: dict[int, tuple[Subscription, Callable[[], None]]] = {}
        self._announced: list[list[object]] = []
        """Messages to be sent before the next ones of their lanes."""
        self._awake = asyncio.Event()
        self._wake_scheduled = False
        """Whether the writer has been woken since its last pass."""
        self._urgent = asyncio.Event()
        """Set when a watched run ends: its last text waits for no share of time."""
        self._loop = asyncio.get_running_loop()
        self._replaying: dict[int, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Read requests and send changes until the page disconnects."""
        # The first message confirms the token and the connection.
        await self._websocket.send_text("[]")
        tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._write())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except _UnreadableRequest:
            await self._websocket.close(UNREADABLE)
        finally:
            for number in list(self._views):
                self._leave(number)
            for task in tasks:
                task.cancel()

    async def _read(self) -> None:
        while True:
            try:
                request = _requests.validate_json((await self._websocket.receive_text())[:_LARGEST_REQUEST])
            except (ValidationError, KeyError):  # the latter for a message that is no text
                raise _UnreadableRequest from None
            if isinstance(request, _Leave):
                self._leave(request.leave)
            elif self._is_outdated(request):
                continue
            elif isinstance(request, _Watch):
                await self._watch(request)
            elif self._enter(request) and self._take_place():
                self._replaying[request.lane] = asyncio.create_task(self._replay(request))
            else:
                await self._send([[request.lane, {"problem": _TOO_MANY_LANES}]])

    def _is_outdated(self, request: _Watch | _Replay) -> bool:
        """Whether the lane was moved to a newer run, whose announcement the page had not read when it asked."""
        current = self._views.get(request.lane)
        return current is not None and request.turn < current.turn

    async def _watch(self, request: _Watch) -> None:
        # Made before the lane leaves its previous subscription: the blocks of the same answer are kept.
        lane = self._subscription(request.watch, request.part) if request.watch else None
        if not self._enter(request):
            await self._send([[request.lane, {"note": _TOO_MANY_LANES}]])
            return
        if request.watch is None:
            return
        if lane is None:
            await self._send([[request.lane, {"refused": True}]])
            return
        if request.count:
            async with self._share.turn():
                await self._share.in_thread(lambda: lane.resume(request.count, request.size))
            if self._views.get(request.lane) is not request:
                return  # another run was announced in the meantime
        if not self._take_place():
            await self._send([[request.lane, {"note": _TOO_MANY_LANES}]])
            return
        self._subscribe(request.lane, lane)

    def on_announcement(self, announcement: Announcement) -> None:
        """Move the lanes of a place to its next run. Any thread may call it."""
        self._in_loop(lambda: self._announce(announcement))

    def _in_loop(self, act: Callable[[], None]) -> None:
        # The loop may be closed already while the process ends.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act)

    def _announce(self, announcement: Announcement) -> None:
        message = {"run": announcement.run_id, "turn": announcement.turn, "replay": announcement.replay}
        for number, view in list(self._views.items()):
            if view.place != announcement.place:
                continue
            self._announced.append([number, message])
            if announcement.replay:
                continue
            # The request is a new one: one that still waits for its turn is outdated.
            self._views[number] = _Watch(
                watch=announcement.run_id, lane=number, part=view.part, place=view.place, turn=announcement.turn
            )
            self._stop(number)
            lane = self._subscription(announcement.run_id, view.part)
            if lane and self._take_place():
                self._subscribe(number, lane)
            else:
                self._announced.append([number, {"note": _TOO_MANY_LANES} if lane else {"refused": True}])
        self._awake.set()

    def _subscription(self, run_id: str, part: Part) -> Subscription | None:
        """A subscription to a run; None when the page may not see it."""
        shown = self._channel.find(run_id)
        blocks = None if part == "status" else self._channel.blocks_of(run_id, part)
        return Subscription(shown, blocks) if shown else None

    def _subscribe(self, number: int, lane: Subscription) -> None:
        def wake() -> None:
            if lane.has_ended:
                # Not the event of now: the writer replaces it.
                self._in_loop(lambda: self._urgent.set())
            if lane.changed and not (lane.not_before and lane.urgent):
                return
            lane.changed = True
            # One wake-up serves all lanes; one call per token would dominate the cost.
            if not self._wake_scheduled:
                self._wake_scheduled = True
                self._in_loop(self._awake.set)

        self._lanes[number] = lane, lane.listen(wake)
        self._awake.set()

    def _enter(self, request: _Watch | _Replay) -> bool:
        """Make this the request of its lane, which ends the previous one; whether the page may have the lane."""
        self._leave(request.lane)
        if len(self._views) == _MAX_LANES:
            return False
        self._views[request.lane] = request
        return True

    def _take_place(self) -> bool:
        """Take the place of a lane for the visitor; whether there is one."""
        return self._places.take(self._channel.visitor, self._channel.network)

    def _wake_later(self, lane: Subscription) -> None:
        def wake() -> None:
            lane.timed = False
            self._awake.set()

        if not lane.timed:
            lane.timed = True
            # Event loop timers are imprecise; one that fired early would find nothing to do.
            self._loop.call_later(lane.not_before - self._loop.time() + _TOO_EARLY_S, wake)

    def _leave(self, number: int) -> None:
        self._views.pop(number, None)
        self._stop(number)

    def _stop(self, number: int) -> None:
        """End what the lane is sent."""
        if number in self._lanes:
            _, stop_listening = self._lanes.pop(number)
            stop_listening()
            self._places.leave(self._channel.visitor, self._channel.network)
        if number in self._replaying:
            self._replaying.pop(number).cancel()
            self._places.leave(self._channel.visitor, self._channel.network)

    async def _replay(self, request: _Replay) -> None:
        shown = self._channel.find(request.replay)
        if shown is None:
            await self._send([[request.lane, {"refused": True}]])
            return
        messages = replay_frames(shown, request.part)
        while True:
            async with self._share.turn():
                message = await self._share.in_thread(lambda: next(messages, None))
            if message is None:
                return
            await self._send([[request.lane, message]])

    async def _write(self) -> None:
        earliest = 0.0
        while True:
            await self._awake.wait()
            if (wait_s := earliest - self._loop.time()) > 0:
                await asyncio.sleep(wait_s)
            async with self._share.turn(self._urgent):
                urgent, self._urgent = self._urgent, asyncio.Event()
                self._awake.clear()
                # Reset before the lanes are read, so that later changes wake the writer again.
                self._wake_scheduled = False
                began = self._loop.time()
                messages, self._announced = self._announced, []
                for number, (lane, _) in list(self._lanes.items()):
                    if lane.changed and began < lane.not_before and not lane.urgent:
                        self._wake_later(lane)
                    elif lane.changed:
                        fresh = await self._share.in_thread(lane.messages) if lane.takes_long else lane.messages()
                        messages += [[number, *message] for message in fresh]
                        if lane.changed and began < lane.not_before:
                            self._wake_later(lane)
                        if _is_large(messages):
                            # The other lanes come next, in a message of their own.
                            if number in self._lanes:
                                self._lanes[number] = self._lanes.pop(number)
                            self._awake.set()
                            break
            earliest = began + (_FRAME_S if len(self._lanes) <= _FEW_LANES else 4 / 3 * _FRAME_S)
            if messages:
                await self._send(messages, urgent)

    async def _send(self, messages: list[list[object]], urgent: asyncio.Event | None = None) -> None:
        if _is_large(messages):
            # One at a time per visitor: an encoded message takes several times its size in memory.
            async with self._share.large_message:
                async with self._share.turn(urgent):
                    text = _encoder.encode(messages)
                await self._websocket.send_text(text)
        else:
            await self._websocket.send_text(_encoder.encode(messages))


def _is_large(messages: list[list[object]]) -> bool:
    return sum(len(part) for message in messages for part in message if isinstance(part, str)) > _LARGE
