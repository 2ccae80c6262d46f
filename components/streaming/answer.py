"""Accumulates the chunks of an answer and decides whether it is complete."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from components.contract.chunk import FILTER_TRIGGERED, ChoiceDelta, Chunk, Usage
from components.contract.token_probabilities import LikelihoodSum, read_tokens
from components.streaming import sentences
from components.streaming.choice_places import ChoicePlaces
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.growing_text import GrowingText
from components.streaming.guard import safe_text
from components.streaming.limits import Limits
from components.streaming.masking import Mask
from components.streaming.outcome import Choice, Status
from components.streaming.sentences import closed_early
from components.streaming.tool_calls import ToolCalls

_MAX_WARNINGS = 20

# Finish reasons that mean a content filter, in lower case, with underscores.
_FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "sensitive",
        "blocklist",
        "prohibited_content",
        "recitation",
        "spii",
    }
    | {"blocked", "moderation", "guardrail_intervened", "refusal"}
)

# Transport faults after a complete answer do not matter,
_MOOT_WHEN_COMPLETE = frozenset(
    {ErrorKind.CLOSED_EARLY, ErrorKind.RESET, ErrorKind.PROTOCOL, ErrorKind.STALL, ErrorKind.BAD_ENCODING}
)
# nor does the amount of data after [DONE].
_MOOT_WHEN_DONE = _MOOT_WHEN_COMPLETE | {ErrorKind.DEADLINE, ErrorKind.OVERSIZE_EVENT}


class Delta(NamedTuple):
    """The text that one event added to one choice, safe to show and store."""

    index: int  # type: ignore[assignment]  # hides the method of tuples
    text: str
    reasoning: str = ""


class TimedEvent(NamedTuple):
    """One event of the stream without the key, its time, and the text that it added.

    ``event`` is the event's name and ``data`` its data as text. ``at_ms`` counts from the attempt's send. Text that was
    held back comes in an event without data, which the endpoint did not send.
    """

    event: str
    data: str
    at_ms: float
    deltas: tuple[Delta, ...] = ()


class _Choice:
    def __init__(self, mask: Mask | None) -> None:
        self.text = GrowingText(mask)
        self.reasoning = GrowingText(mask)
        self.tool_calls = ToolCalls(mask)
        self.finish_reason: str | None = None


class Answer:
    """Accumulates the chunks of one answer. All output is without the key of ``mask``.

    ``several``: the request asked for more than one choice. ``likelihood`` sums up the tokens of the first one's text.
    """

    def __init__(
        self,
        limits: Limits,
        mask: Mask | None = None,
        *,
        several: bool = False,
        likelihood: LikelihoodSum | None = None,
    ) -> None:
        self._limits = limits
        self._places = ChoicePlaces(several)
        self._choices: defaultdict[int, _Choice] = defaultdict(lambda: _Choice(mask))
        self._text_characters = 0
        self._other_characters = 0
        """Characters of reasoning and tool calls."""
        self.done = False
        """``[DONE]`` came, or the whole answer in one document."""
        self.chunk_count = 0
        self.bad_events = 0
        self.usage: Usage | None = None
        self.model: str | None = None
        """The served model, as the endpoint names it."""
        self.system_fingerprint: str | None = None
        self.warnings: list[str] = []
        self.likelihood = likelihood

    def add(self, chunk: Chunk) -> tuple[Delta, ...]:
        """Add one chunk; returns what it adds to the text of each choice."""
        self.chunk_count += 1
        if chunk.usage:
            self.usage = chunk.usage.after(self.usage)
        if chunk.model and chunk.model != self.model:
            self.model = safe_text(chunk.model)
        if chunk.system_fingerprint and chunk.system_fingerprint != self.system_fingerprint:
            self.system_fingerprint = safe_text(chunk.system_fingerprint)
        for warning in chunk.warnings:
            self.warn(warning)
        return self._take(self._places.of(chunk.choices))

    def _take(self, parts: tuple[ChoiceDelta, ...]) -> tuple[Delta, ...]:
        deltas = []
        for part in parts:
            choice = self._choices[part.index]
            if part.finish_reason:
                choice.finish_reason = safe_text(part.finish_reason)
            # A final message repeats the tool calls that already arrived in pieces.
            if part.tool_calls and not (part.whole and choice.tool_calls):
                self._other_characters += choice.tool_calls.add(part.tool_calls)
            if part.logprobs and part.index == 0 and self.likelihood:
                self._add_probabilities(part, self.likelihood)
            text = choice.text.feed(part.text, whole=part.whole)
            reasoning = choice.reasoning.feed(part.reasoning, whole=part.whole)
            if text or reasoning:
                deltas.append(self._counted(part.index, text, reasoning))
        return tuple(deltas)

    @staticmethod
    def _add_probabilities(part: ChoiceDelta, likelihood: LikelihoodSum) -> None:
        # A final message repeats the tokens that already arrived in pieces.
        if part.reasoning or part.tool_calls or (part.whole and likelihood.count):
            return
        for token in read_tokens(part.logprobs).of_text:
            likelihood.add(token)

    def add_unreadable(self, reason: str) -> None:
        """Count an unreadable event. Raises StreamFault after too many."""
        self.bad_events += 1
        self.warn(f"an event could not be read ({reason[:200]})")
        if self.bad_events > self._limits.max_bad_events:
            raise StreamFault(
                ErrorKind.UNREADABLE_EVENTS,
                sentences.TOO_MANY_BAD_EVENTS.format(max_bad_events=self._limits.max_bad_events),
            )

    def warn(self, sentence: str) -> None:
        """Keep a warning; duplicates are dropped."""
        if len(self.warnings) < _MAX_WARNINGS and sentence not in self.warnings:
            self.warnings.append(sentence)

    def flush(self) -> tuple[Delta, ...]:
        """The text that was held back until the end."""
        deltas = list(self._take(self._places.rest()))
        for index, choice in self._choices.items():
            text, reasoning = choice.text.flush(), choice.reasoning.flush()
            if text or reasoning:
                deltas.append(self._counted(index, text, reasoning))
        return tuple(deltas)

    def _counted(self, index: int, text: str, reasoning: str) -> Delta:
        self._text_characters += len(text)
        self._other_characters += len(reasoning)
        return Delta(index, text, reasoning)

    def check_size(self) -> None:
        """Raise StreamFault when the answer exceeds its limit; called after each delta."""
        if self._text_characters + self._other_characters > self._limits.max_text_chars:
            raise StreamFault(
                ErrorKind.DEADLINE,
                sentences.TEXT_TOO_LONG.format(max_text_chars=self._limits.max_text_chars),
            )

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices by index, at least one."""
        count = max(self._choices, default=0) + 1
        choices = [self._choices.get(index) or _Choice(None) for index in range(count)]
        return tuple(
            Choice(str(choice.text), str(choice.reasoning), choice.tool_calls.joined(), choice.finish_reason)
            for choice in choices
        )

    @property
    def finish_reason(self) -> str | None:
        """The first choice's finish reason, None when the endpoint sent none."""
        return self._choices[0].finish_reason if 0 in self._choices else None

    @property
    def finished(self) -> bool:
        """Whether every choice that began has a finish reason."""
        return bool(self._choices) and all(choice.finish_reason for choice in self._choices.values())

    @property
    def complete(self) -> bool:
        """Whether the answer is provably complete: ``[DONE]``, or a finish reason for every choice."""
        return self.done or self.finished

    def conclude(self, fault: StreamFault | None) -> tuple[Status, StreamFault | None]:
        """The status of a run with this answer and fault, and the fault that remains."""
        if fault and fault.kind is ErrorKind.CANCELLED:
            return Status.CANCELLED, fault
        if fault and fault.kind in (ErrorKind.POLICY_REFUSED, ErrorKind.ADDRESS_REFUSED, ErrorKind.BUDGET):
            return Status.REJECTED, fault
        if fault and self.complete and fault.kind in (_MOOT_WHEN_DONE if self.done else _MOOT_WHEN_COMPLETE):
            fault = None
        answered = self._text_characters > 0 or any(choice.tool_calls for choice in self._choices.values())
        arrived = answered or self._other_characters > 0
        if fault is None and not self.complete:
            fault = closed_early() if arrived or self.chunk_count else self._empty()
        if fault is None and any(choice.finish_reason == "error" for choice in self._choices.values()):
            fault = StreamFault(ErrorKind.FINISH_ERROR, sentences.ENDED_WITH_AN_ERROR)
        if fault is None and not answered and self.finish_reason != "length":
            return Status.ERROR, self._empty()
        if fault:
            return (Status.INTERRUPTED if arrived else Status.ERROR), fault
        if not self.finished:
            self.warn("the answer came without a finish_reason")
        return (Status.DAMAGED if self.bad_events else Status.OK), None

    def _empty(self) -> StreamFault:
        if self.bad_events and not self.chunk_count:
            sentence = sentences.NO_READABLE_EVENT.format(bad_events=self.bad_events)
            return StreamFault(ErrorKind.UNREADABLE_EVENTS, sentence)
        if not self.chunk_count and not self.done:
            sentence = sentences.NOTHING_AT_ALL
        elif (self.finish_reason or "").lower().replace("-", "_") in _FILTERED or FILTER_TRIGGERED in self.warnings:
            sentence = sentences.CONTENT_FILTERED
        elif self._other_characters:
            sentence = sentences.ONLY_REASONING
        else:
            sentence = sentences.NO_WORD
        return StreamFault(ErrorKind.EMPTY_ANSWER, sentence)
