"""Plays a run again: what stood on the page after each event, made once and sent there to be played."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.contract.chunk import UnreadableEvent, read_chunk
from components.live.channels import Shown
from components.live.frames import Reader
from components.markdown.answer import AnswerBlocks, View
from components.runs.events import StoredEvent
from components.runs.query import QueryFailed
from components.streaming.answer import Answer
from components.streaming.faults import StreamFault
from components.streaming.limits import Limits
from components.streaming.stream import DONE

_EVENTS_IN_ONE_MESSAGE = 200


def replay_frames(shown: Shown, view: View) -> Iterator[dict[str, object]]:
    """Messages that hold, for each event, when it came, in milliseconds since the request was sent, and its frame.

    The first one says how many events there are, and each, in ``events``, brings some: ``[at_ms]`` for an event that
    changed nothing, else ``[at_ms, *frame]``. Where there are none, or the log cannot be read, one message names the
    ``problem``.
    """
    try:
        events = shown.read_events()
    except QueryFailed as failure:
        yield {"problem": str(failure)}
        return
    if not events:
        yield {"problem": "The log does not hold the events of this run any more."}
        return
    text = shown.texts()[0]
    blocks, reader = AnswerBlocks(view), Reader()
    pack: list[list[object]] = []
    for number, (event, length) in enumerate(zip(events, lengths_after(events, text), strict=True), 1):
        blocks.update(text[:length], ended=number == len(events))
        pack.append([round(event.at_ms, 1), *(reader.frame(blocks.blocks) or [])])
        if len(pack) == _EVENTS_IN_ONE_MESSAGE or number == len(events):
            yield {"events": pack, "count": len(events)}
            pack = []


def lengths_after(events: Iterable[StoredEvent], text: str) -> list[int]:
    """How many characters of the text had come after each event.

    From an event on that was not kept whole, or does not say what the text says, all that is left came with it.
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
    # What was held back until the end came with the last event.
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
