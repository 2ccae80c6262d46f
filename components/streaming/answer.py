"""An answer as it grows: what its chunks add up to, and whether it is complete."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from components.contract.chunk import Chunk, Usage
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.guard import SafeText, safe_text
from components.streaming.limits import Limits
from components.streaming.outcome import Status

_MAX_WARNINGS = 20

# What can still go wrong with the transport once the answer has proved complete does not matter any more.
_MOOT_WHEN_COMPLETE = frozenset(
    {ErrorKind.CLOSED_EARLY, ErrorKind.RESET, ErrorKind.PROTOCOL, ErrorKind.STALL, ErrorKind.BAD_ENCODING}
)

# These may come without a word of text and still be what was asked for.
_FINISHES_WITHOUT_TEXT = frozenset({"length", "tool_calls"})


@dataclass(frozen=True)
class Delta:
    """What one event added to one choice, safe to show and to store."""

    index: int
    text: str
    reasoning: str = ""


class _Choice:
    def __init__(self) -> None:
        self.text = SafeText()
        self.reasoning = SafeText()
        self.pieces: list[str] = []
        self.finish_reason: str | None = None


class Answer:
    """Adds up the chunks of one answer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._choices: defaultdict[int, _Choice] = defaultdict(_Choice)
        self._reasoning: list[str] = []
        self._characters = 0
        self._has_tool_call = False
        self.done = False
        """``[DONE]`` came, or the whole answer in one document."""
        self.chunk_count = 0
        self.bad_events = 0
        self.usage: Usage | None = None
        self.model: str | None = None
        self.warnings: list[str] = []

    def add(self, chunk: Chunk) -> tuple[Delta, ...]:
        """Take one chunk in; what it adds to the text of each choice."""
        self.chunk_count += 1
        if chunk.usage:
            self.usage = chunk.usage
        if chunk.model:
            self.model = safe_text(chunk.model)
        for warning in chunk.warnings:
            self.warn(warning)
        deltas = []
        for part in chunk.choices:
            choice = self._choices[part.index]
            if part.finish_reason:
                choice.finish_reason = safe_text(part.finish_reason)
            self._has_tool_call |= bool(part.tool_calls)
            delta = Delta(part.index, choice.text.feed(part.text), choice.reasoning.feed(part.reasoning))
            if delta.text or delta.reasoning:
                deltas.append(delta)
                self._keep(delta)
        return tuple(deltas)

    def add_unreadable(self, reason: str) -> None:
        """Count an event that could not be read. Raises StreamFault when there are too many of them."""
        self.bad_events += 1
        self.warn(f"an event could not be read ({reason[:200]})")
        if self.bad_events > self._limits.max_bad_events:
            raise StreamFault(
                ErrorKind.UNREADABLE_EVENTS,
                f"More than {self._limits.max_bad_events} events could not be read, so the stream was ended there.",
            )

    def warn(self, sentence: str) -> None:
        """Keep a remark for whoever looks closer; each is kept once."""
        if sentence not in self.warnings and len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(sentence)

    def flush(self) -> tuple[Delta, ...]:
        """What was held back until the end of the text."""
        held = (Delta(index, choice.text.flush(), choice.reasoning.flush()) for index, choice in self._choices.items())
        deltas = tuple(delta for delta in held if delta.text or delta.reasoning)
        for delta in deltas:
            self._keep(delta)
        return deltas

    def _keep(self, delta: Delta) -> None:
        self._choices[delta.index].pieces.append(delta.text)
        if delta.index == 0:
            self._reasoning.append(delta.reasoning)
        self._characters += len(delta.text) + len(delta.reasoning)

    def check_size(self) -> None:
        """Raise StreamFault when the answer has grown over its limit; asked after a delta was given out."""
        if self._characters > self._limits.max_text_chars:
            raise StreamFault(
                ErrorKind.DEADLINE,
                f"The answer grew over {self._limits.max_text_chars:,} characters, so the stream was ended there.",
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each choice, by index; at least one."""
        count = max(self._choices, default=0) + 1
        return tuple("".join(self._choices[i].pieces) if i in self._choices else "" for i in range(count))

    @property
    def reasoning(self) -> str:
        """The first choice's thinking."""
        return "".join(self._reasoning)

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended, in the endpoint's words; None when it did not say."""
        return self._choices[0].finish_reason if 0 in self._choices else None

    @property
    def complete(self) -> bool:
        """Whether there is proof that nothing is missing: ``[DONE]``, or a finish reason for every choice."""
        return self.done or (bool(self._choices) and all(choice.finish_reason for choice in self._choices.values()))

    def conclude(self, fault: StreamFault | None) -> tuple[Status, StreamFault | None]:
        """The status of a run that ended with this answer and this fault, and the fault that counts in the end."""
        if fault and fault.kind is ErrorKind.CANCELLED:
            return Status.CANCELLED, fault
        if fault and fault.kind in (ErrorKind.POLICY_REFUSED, ErrorKind.BUDGET):
            return Status.REJECTED, fault
        if fault and self.complete and fault.kind in _MOOT_WHEN_COMPLETE:
            fault = None
        has_content = self._characters > 0 or self._has_tool_call
        if fault is None and not self.complete:
            fault = self._incomplete(has_content)
        if fault is None and any(choice.finish_reason == "error" for choice in self._choices.values()):
            fault = StreamFault(
                ErrorKind.FINISH_ERROR, "The endpoint ended the answer with an error and did not say which. Run again."
            )
        if fault is None and not has_content and self.finish_reason not in _FINISHES_WITHOUT_TEXT:
            fault = StreamFault(
                ErrorKind.EMPTY_ANSWER, "The answer ended without a word. Run again, or change the prompt."
            )
        if fault:
            return (Status.INTERRUPTED if has_content else Status.ERROR), fault
        return (Status.DAMAGED if self.bad_events else Status.OK), None

    def _incomplete(self, has_content: bool) -> StreamFault:
        if not has_content and not self.chunk_count:
            return StreamFault(ErrorKind.EMPTY_ANSWER, "The endpoint answered with nothing at all. Run again.")
        return StreamFault(
            ErrorKind.CLOSED_EARLY,
            "The connection was closed before the answer was complete. What arrived is kept. Run again.",
        )
