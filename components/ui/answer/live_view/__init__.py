"""The live view: a component that draws the data of the page's one socket, and the routes that feed it.

The script only names the run; text never passes through it. So widgets respond while text streams, and a token shows as
soon as it has arrived.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from components.live.channels import Channel
from components.live.followed import FollowedRun
from components.live.socket import LiveSocket
from components.live.subscription import Part
from components.log.record import RunRecord
from components.runs.run import Run
from components.server.options import route_path
from components.server.process import service
from components.server.same_origin import is_own_page
from components.ui import presses
from components.ui.answer import keys
from components.ui.answer.place import ALONE, Place
from components.ui.answer.run_lookup import events_reader
from components.ui.visitor import is_known, network, own_log, owner, rate_limit_key

FOLDER = Path(__file__).parent
_ASSETS = FOLDER / "assets"
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_ASSETS.iterdir()))).hexdigest()[:12]
"""Part of the files' address, so that a browser never mixes the files of two releases."""

_PATH = "live"
_FRAME_S = 0.02
"""The browser shows the text before a request to redraw the page reaches it."""
_FIRST_TEXT_S = 0.05
"""An endpoint that takes longer than this takes much longer, and the page is drawn while it does."""
_FURTHER_TEXT_S = 0.025
_FURTHER_FRAME_S = 0.01
"""Both are added for each further run: one processor makes their requests and sends their texts."""
_FLOOD_CHARACTERS = 2_000
"""An answer with so much text in its first frames is complete soon."""
_FLOOD_S = 0.4
_LAST_TEXT_S = 0.1

_view = st.components.v2.component(
    "tempera_live_view",
    html=(FOLDER / "live_view.html").read_text(),
    js=(FOLDER / "loader.js").read_text(),
    isolate_styles=False,
)


def routes() -> list[BaseRoute]:
    """The server's routes for this view: the socket and the component's files."""
    return [
        WebSocketRoute(route_path(_PATH), LiveSocket(lambda: service().channels, is_own_page).serve),
        Mount(route_path(f"{_PATH}/{_VERSION}"), StaticFiles(directory=_ASSETS)),
    ]


def show_begun(runs: Iterable[tuple[Run, Place]]) -> None:
    """Tell the page's open socket that these places show runs that have just begun.

    Returns once their first text is there, or soon: a page that is drawn at the same time would delay it. Answers that
    arrive at once are drawn whole first.
    """
    announced = [run for run, place in runs if announce(run, place)]
    text_arrived = threading.Event()
    for run in announced:
        run.listen(text_arrived.set)
    further = max(0, len(announced) - 1)
    deadline = time.monotonic() + _FIRST_TEXT_S + _FURTHER_TEXT_S * further
    while any(not (run.finished or any(run.texts())) for run in announced) and time.monotonic() < deadline:
        text_arrived.wait(deadline - time.monotonic())
        text_arrived.clear()
    for run in announced:
        run.leave(text_arrived.set)
    if any(any(run.texts()) for run in announced):
        time.sleep(_FRAME_S + _FURTHER_FRAME_S * further)
    if any(len(run.texts()[0]) > _FLOOD_CHARACTERS for run in announced):
        deadline = time.monotonic() + _FLOOD_S
        while not all(run.finished for run in announced) and time.monotonic() < deadline:
            time.sleep(_FRAME_S)
        time.sleep(_LAST_TEXT_S)


def announce(run: Run | RunRecord, place: Place, *, replay: bool = False) -> bool:
    """Tell the page's open socket that this place shows or replays a run. Returns whether the page has one."""
    channel = _channel()
    return channel.announce(place.lane or "", _followed(channel, run), events_reader(run), replay=replay)


def draw_live(
    run: Run | RunRecord | None,
    part: Part,
    place: Place = ALONE,
    *,
    running: bool = False,
    replay: bool = False,
    stale: bool = False,
) -> None:
    """Draw the status or the answer of a run. It updates automatically, and reruns the page when the run has ended.

    ``running`` is whether the run was unfinished when this page began to draw it. ``replay`` plays the answer from its
    events. The box of a ``stale`` answer is grey until the next run begins in it. Without a run, the view waits for the
    run that is announced for its place.
    """
    channel = _channel()
    if run:
        # A run that has ended is held by the log alone, however long this page stays open.
        shown_run = run.record() if isinstance(run, Run) and run.finished else run
        channel.show(_followed(channel, shown_run), events_reader(shown_run))
    key, branching = place.key(keys.live_key(part)), place.branching
    result = _view(
        key=key,
        data={
            "run": run.id if run else None,
            "part": part,
            "running": running,
            "replay": replay,
            "stale": stale,
            "name": place.name,
            "place": place.lane or "",
            "turn": channel.turn(place.lane or ""),
            "path": _PATH,
            "script": f"{_PATH}/{_VERSION}/view.js",
            "token": channel.token,
            "branch": branching.problem if branching else None,
        },
        on_ended_change=_run_again,
        on_unreachable_change=_run_again,
        on_branch_change=presses.soon_chosen(key, branching.act) if branching else _run_again,
    )
    # A merely expired token, as after a long sleep or a new release, has just been replaced.
    if result.unreachable == channel.token:
        st.session_state[keys.NATIVE] = True
        st.rerun()


def _followed(channel: Channel, run: Run | RunRecord) -> Run | FollowedRun:
    """A run of this process as it is; another one as the page follows it already, if it does."""
    if isinstance(run, Run):
        return run
    shown = channel.find(run.id)
    if run.running and shown and isinstance(shown.run, FollowedRun) and not shown.run.finished:
        return shown.run
    return FollowedRun(own_log() if run.running else None, run)


def _run_again() -> None:
    """The callback after which the page reruns and finds the changes."""


def _channel() -> Channel:
    channels = service().channels
    channel = channels.find(st.session_state.get(keys.CHANNEL, ""))
    if channel is None:
        channel = channels.open(owner() if is_known() else rate_limit_key(), network())
        st.session_state[keys.CHANNEL] = channel.token
    return channel
