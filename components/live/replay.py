"""Replays a run: the frame of each event, computed once and sent to the page to be played."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from components.contract.chunk import UnreadableEvent, read_chunk
from components.live.channels import AnswerView, Shown
from components.live.frames import Reader
from components.live.token_rows import TokenRows
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from components.markdown.answer import AnswerBlocks
from components.streaming.answer import Answer
from components.streaming.event_reader import DONE
from components.streaming.faults import StreamFault
from components.streaming.limits import Limits

_EVENTS_IN_ONE_MESSAGE = 200
_DRAWING_S = 0.5
_DRAWING_S_PER_CHARACTER = 50e-6
"""The processor time of a replay: several times that of watching, except for open text such as a long table."""


def replay_frames(shown: Shown, view: AnswerView) -> Iterator[dict[str, object]]:
    """The messages of a replay: for each event its time, in milliseconds since the request was sent, and its frame.

    Each message has the ``count`` of all events, and some ``events``: ``[at_ms]`` for an event that changed nothing,
    else ``[at_ms, *frame]``. Where drawing after each event takes long, a frame covers several events. Without events,
    or when the log cannot be read, the only message names the ``problem``.
    """
    try:
        events = shown.read_events()
    except QueryFailed as failure:
        yield {"problem": str(failure)}
        return
    if not events:
        yield {"problem": "The log does not hold the events of this run any more."}
        return
    text = shown.run.texts()[0]
    blocks = TokenRows() if view == "tokens" else AnswerBlocks(view)
    reader = Reader()
    pack: list[list[object]] = []
    spent, drawn = 0.0, 0
    for number, (event, length) in enumerate(zip(events, lengths_after(events, text), strict=True), 1):
        ended, frame = number == len(events), None
        if isinstance(blocks, TokenRows):
            blocks.take([event])
        # The open block is rendered again for each event; a long one only after its length has doubled.
        if ended or length >= 2 * drawn or spent < _DRAWING_S + _DRAWING_S_PER_CHARACTER * length:
            began = time.thread_time()
            blocks.update(text[:length], ended=ended)
            frame = reader.frame(blocks.blocks)
            spent, drawn = spent + time.thread_time() - began, length
        pack.append([round(event.at_ms, 1), *(frame or [])])
        if len(pack) == _EVENTS_IN_ONE_MESSAGE or ended:
            yield {"events": pack, "count": len(events)}
            pack = []


def lengths_after(events: Iterable[StoredEvent], text: str) -> list[int]:
    """The length of the text after each event.

    The rest of the text counts as that of the first event that was shortened or does not match the text.
    """
    answer = Answer(Limits())
    lengths: list[int] = []
    length = 0
    for event in events:
        piece = _text_of(event, answer)
        if piece is None or not text.startswith(piece, length):
            length = len(text)
        else:
            length += len(piece)
        lengths.append(length)
    # Text held back until the end belongs to the last event.
    return [*lengths[:-1], len(text)] if lengths else []


def _text_of(event: StoredEvent, answer: Answer) -> str | None:
    if event.data.strip() == DONE:
        return ""
    if event.size > len(event.data):
        return None
    try:
        deltas = answer.add(read_chunk(event.data))
    except (UnreadableEvent, StreamFault):
        return ""
    return "".join(delta.text for delta in deltas if delta.index == 0)
