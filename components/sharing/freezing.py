"""Makes a capsule from runs and settings: selects the content, and leaves out the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components import __version__
from components.checks.check import Check, texts_in
from components.checks.judge import Judge
from components.checks.results import answer_of, check_answer
from components.contract.strict_json import read_json
from components.log.annotations import Annotation
from components.log.events import StoredEvent
from components.log.record import RunRecord
from components.log.storable import storable, storable_text
from components.sharing import sentences
from components.sharing.capsule import (
    AS_STORED,
    MAX_EVENTS,
    MAX_LABEL_CHARS,
    MAX_RUNS,
    MAX_TITLE_CHARS,
    Capsule,
    CapsuleRun,
    Kind,
    SharedCheck,
)
from components.sharing.left_out import (
    SHORTEST_REPEATED,
    SYSTEM_LEFT_OUT,
    SystemMessages,
    body_without_system,
    settings_without,
    settings_without_system,
    without_addresses,
    without_probabilities,
)
from components.sharing.linked_settings import LinkedSettings
from components.sharing.problem import LinkProblem
from components.streaming.outcome import Status, ToolCall

MAX_EVENT_CHARS = 1_000_000
"""The limit of the data of one run's events together."""
MAX_PROBABILITY_EVENT_CHARS = 2_000_000
"""The same with the probabilities of tokens."""

_warnings = TypeAdapter(tuple[str, ...])
_texts = TypeAdapter(dict[str, str])
_tool_calls = TypeAdapter(tuple[ToolCall, ...])


@dataclass(frozen=True)
class Choices:
    """The chosen content: whether system messages, annotations (stars, tags, notes) and events are included.

    ``probabilities`` are those of tokens, within the events. ``checks`` are those that need no judge.
    """

    system_message: bool = False
    notes: bool = False
    events: bool = True
    probabilities: bool = False
    checks: bool = False


def capsule_of(
    records: Sequence[RunRecord],
    *,
    kind: Kind,
    title: str,
    choices: Choices,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, Annotation] | None = None,
    events: Mapping[str, Sequence[StoredEvent]] | None = None,
    settings: LinkedSettings | None = None,
    checks: Sequence[Check] = (),
) -> Capsule:
    """A frozen copy of the runs, in order, with their settings if given, and with the results of these checks.

    ``labels``, ``annotations`` and ``events`` are keyed by run id; the ids are not in the capsule. Content that is not
    chosen is left out even if given. System messages that are left out are also removed from all other texts that
    repeat them, if they have 12 characters or more; so no label may contain a shorter one. Raises LinkProblem for a
    running run, for too many runs, and for none.
    """
    if any(record.running for record in records):
        raise LinkProblem(sentences.STILL_RUNNING)
    if len(records) > MAX_RUNS:
        raise LinkProblem(sentences.TOO_MANY_RUNS.format(max_runs=MAX_RUNS))
    if not records and settings is None:
        raise LinkProblem(sentences.NOTHING_TO_SHARE)
    system, shared_settings = SystemMessages(), settings
    if not choices.system_message:
        texts = [text for record in records for text in body_without_system(record.request_body)[1]]
        if settings is not None:
            shared_settings, more_texts = settings_without_system(settings)
            texts += more_texts
        system = SystemMessages(texts)
        shared_settings = shared_settings and settings_without(system, shared_settings)
    labels, annotations, events = labels or {}, annotations or {}, events or {}
    try:
        return Capsule(
            kind=kind,
            title=_line(title, MAX_TITLE_CHARS, system),
            app_version=__version__,
            runs=tuple(
                _run(
                    record,
                    choices,
                    system,
                    label=_line(labels.get(record.id, ""), MAX_LABEL_CHARS, system),
                    annotation=annotations.get(record.id, Annotation()) if choices.notes else Annotation(),
                    events=events.get(record.id, ()) if choices.events else None,
                    checks=checks if choices.checks else (),
                )
                for record in records
            ),
            settings=shared_settings,
            settings_without_system=settings is not None and shared_settings != settings,
        )
    except ValidationError:
        raise LinkProblem(sentences.UNSHARABLE) from None


def _run(
    record: RunRecord,
    choices: Choices,
    system: SystemMessages,
    *,
    label: str,
    annotation: Annotation,
    events: Iterable[StoredEvent] | None,
    checks: Sequence[Check],
) -> CapsuleRun:
    def clean(text: str) -> str:
        return system.out_of(storable_text(text))

    def clean_sentence(text: str) -> str:
        # An error is cut off sooner than an answer, so a shorter beginning identifies a message in it.
        return system.out_of(without_addresses(storable_text(text)), beginning=SHORTEST_REPEATED)

    body = record.request_body if choices.system_message else clean(body_without_system(record.request_body)[0])
    first = _first(events, choices) if events is not None else None
    repeats = first is not None and _repeats(system, record, first)
    facts: dict[str, Any] = {name: storable(getattr(record, name)) for name in AS_STORED}
    facts |= {name: clean(value) for name, value in facts.items() if isinstance(value, str)}
    facts["request_body"] = storable_text(body)
    if record.error_message is not None:
        facts["error_message"] = clean_sentence(record.error_message)
    return CapsuleRun(
        **facts,
        label=label,
        status=Status(record.status),
        system_left_out=body != record.request_body,
        tool_calls=tuple(
            ToolCall(clean(call.id), clean(call.name), clean(call.arguments))
            for call in _read(_tool_calls, record.tool_calls)
        ),
        warnings=tuple(clean_sentence(warning) for warning in _read(_warnings, record.warnings)),
        rating=annotation.rating,
        tags=tuple(map(clean, annotation.tags)),
        notes=clean(annotation.notes),
        checked=tuple(_checked(record, checks, system)),
        events=None if first is None or repeats else tuple(_event(event, system) for event in first),
        events_repeat_system=repeats,
        probabilities_left_out=not choices.probabilities and first is not None and record.mean_logprob is not None,
    )


def _checked(record: RunRecord, checks: Sequence[Check], system: SystemMessages) -> Iterator[SharedCheck]:
    """The checks with the variables of the run's form, and their results, in so far as they can be shared.

    Left out are judges, checks without the values of their variables, and those that repeat a system message.
    """
    values = _variables(record.draft)
    for check in checks:
        filled = check.with_values(values)
        repeats = any(system.out_of(text) != text for text in texts_in(filled.model_dump()))
        if isinstance(check, Judge) or repeats or any(name not in values for name in check.variable_names):
            continue
        result = check_answer(filled, answer_of(record))
        reason = system.out_of(storable_text(result.reason), beginning=SHORTEST_REPEATED)
        yield SharedCheck(kind=check.kind, value=storable(filled.to_value()), passed=result.passed, reason=reason)


def _variables(draft: str | None) -> dict[str, str]:
    """The variables of a run's form; none of an imported run whose form cannot be read."""
    try:
        read = json.loads(draft) if draft else {}
        return _texts.validate_python(read.get("variables", {}))
    except (ValueError, AttributeError):
        return {}


def _line(text: str, limit: int, system: SystemMessages) -> str:
    """A title or label; the values of settings in it may already be truncated."""
    cleaned = system.out_of(storable_text(text), beginning=SHORTEST_REPEATED)
    return " ".join(cleaned.split())[:limit]


def _read(kind: TypeAdapter[Any], listed: str) -> Any:
    """The JSON in a column; empty for invalid JSON, which an imported file may contain."""
    try:
        return kind.validate_json(listed)
    except ValidationError:
        return ()


def _first(events: Iterable[StoredEvent], choices: Choices) -> list[StoredEvent]:
    limit = MAX_PROBABILITY_EVENT_CHARS if choices.probabilities else MAX_EVENT_CHARS
    first, chars = list[StoredEvent](), 0
    for event in events if choices.probabilities else map(without_probabilities, events):
        chars += len(event.data) + len(event.name)
        if len(first) >= MAX_EVENTS or chars > limit:
            break
        first.append(event)
    return first


def _event(event: StoredEvent, system: SystemMessages) -> StoredEvent:
    data = event.data
    if event.size > len(data) and system.begin_in(data):
        # In truncated data, the end of a message cannot be found.
        data = SYSTEM_LEFT_OUT
    return replace(event, name=system.out_of(storable_text(event.name)), data=system.out_of(storable_text(data)))


def _repeats(system: SystemMessages, record: RunRecord, events: Iterable[StoredEvent]) -> bool:
    """Whether a system message could be assembled from pieces in several events."""
    if not system.is_searchable:
        return False
    pieces: dict[tuple[object, ...], list[str]] = {}
    for event in events:
        try:
            for path, text in _texts_by_path(read_json(event.data)):
                pieces.setdefault(path, []).append(text)
        except (ValueError, RecursionError):
            continue
    joined = ("".join(texts) for texts in pieces.values() if len(texts) > 1)
    return any(system.are_in(text) for text in (record.text, record.reasoning, record.tool_calls, *joined))


def _texts_by_path(value: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str]]:
    """Every text in a JSON value, with its path of keys; choices and tool calls are identified by index."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts_by_path(item, path)
    elif isinstance(value, dict):
        index = value.get("index")
        inner_path = (*path, index) if isinstance(index, int) else path
        for key, item in value.items():
            yield from _texts_by_path(item, (*inner_path, key))
