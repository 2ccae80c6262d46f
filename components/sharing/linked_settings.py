"""The content of a link or settings file: the settings that differ from the defaults, in version 1 of both.

The fields and their defaults are a promise: old links must open for ever, with the same request. A field may be added,
and a further value may be allowed; nothing may be renamed, narrowed or removed, and no default may change. The form's
own defaults are separate and may change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from components.contract.difference import Difference
from components.contract.fields import CONTRACT_FIELDS, FIELD_NAME, is_of_contract
from components.contract.messages import Role
from components.drafts.change import Change, between
from components.drafts.comparison import FEWEST_LANES, MAX_LANES, MAX_REPEATS, Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.in_words import SYSTEM, differences_between, in_words
from components.drafts.sentences import FIELD_NOT_JSON
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting, sending
from components.sharing import sentences
from components.sharing.problem import LinkProblem, what_is_wrong

MAX_ENDPOINT_CHARS = 100
MAX_FIELDS = 100
MAX_LANE_NAME_CHARS = 40
MAX_MESSAGES = 200
MAX_VARIABLES = 100

NONE = "none"
"""The word for an empty default."""


def _without_nul(text: str) -> str:
    # PostgreSQL cannot store U+0000. Pydantic already refuses lone surrogates.
    if "\0" in text:
        raise ValueError("it holds the character U+0000")
    return text


def _without_nul_in_json(value: JsonValue) -> JsonValue:
    # Without escaped backslashes, a remaining match is a real escape.
    if "\\u0000" in json.dumps(value).replace("\\\\", ""):
        raise ValueError("it holds the character U+0000")
    return value


_Text = Annotated[str, AfterValidator(_without_nul)]
_EndpointName = Annotated[_Text, Field(min_length=1, max_length=MAX_ENDPOINT_CHARS)]
_VariableName = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w{0,63}\Z")]
_Number = Annotated[float, Field(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE, allow_inf_nan=False)]
_WholeNumber = Annotated[int, Field(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
_FieldName = Annotated[str, StringConstraints(pattern=FIELD_NAME)]
_Value = Annotated[JsonValue, AfterValidator(_without_nul_in_json)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, regex_engine="python-re")


class _OptionalFields(_Strict):
    """The optional fields of a request, each in one of three states: omitted, null or a value.

    The contract's fields have keys of their own; ``fields`` holds the others as on the wire.
    """

    temperature: _Number | None = None
    top_p: _Number | None = None
    max_tokens: _WholeNumber | None = None
    random_seed: _WholeNumber | None = None
    safe_prompt: bool = False
    fields: Annotated[tuple[tuple[_FieldName, _Value], ...], Field(max_length=MAX_FIELDS, fail_fast=True)] = ()

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        names = [name for name, _ in self.fields]
        if len(set(names)) < len(names) or any(map(is_of_contract, names)):
            raise ValueError("fields names a field twice, or one of the contract")
        return self

    def sent_settings(self) -> dict[str, Setting]:
        """The fields that are null or a value."""
        own = {field: getattr(self, field) for field in CONTRACT_FIELDS if field in self.model_fields_set}
        return {field: sending(value) for field, value in (own | dict(self.fields)).items()}


class LinkedMessage(_Strict):
    """One turn of the conversation, with the fields of a ``Turn``."""

    role: Role = Role.USER
    content: _Text = ""
    prefix: bool = False
    name: _Text = ""
    tool_call_id: _Text = ""
    tool_calls: _Text = ""
    literal: bool = False


class LinkedLane(_OptionalFields):
    """The changes of one lane, with the fields of a ``Lane``.

    An optional field that is absent is as in the draft; ``omit`` names those that the lane omits.
    """

    name: Annotated[_Text, Field(max_length=MAX_LANE_NAME_CHARS)] = ""
    muted: bool = False
    endpoint: _EndpointName | None = None
    model: _Text | None = None
    omit: Annotated[tuple[_FieldName, ...], Field(max_length=MAX_FIELDS, fail_fast=True)] = ()
    stream: bool | None = None
    extra_body: _Text | None = None
    system: _Text | None = None
    literal: bool = False

    @model_validator(mode="after")
    def _each_field_in_one_state(self) -> Self:
        sent = self.model_fields_set | dict(self.fields).keys()
        if len(set(self.omit)) < len(self.omit) or set(self.omit) & sent:
            raise ValueError("omit names a field twice, or one that has a value")
        return self

    def lane(self, lane_id: str) -> Lane:
        """The lane with this id."""
        settings = self.sent_settings() | dict.fromkeys(self.omit, Setting())
        return Lane(id=lane_id, settings=settings, **self.model_dump(exclude={"omit", "fields", *CONTRACT_FIELDS}))


class LinkedComparison(_Strict):
    """All lanes, the repeats of each, and the order of runs."""

    lanes: Annotated[tuple[LinkedLane, ...], Field(min_length=FEWEST_LANES, max_length=MAX_LANES, fail_fast=True)]
    repeats: Annotated[int, Field(ge=1, le=MAX_REPEATS)] = 1
    timing: Timing = Timing.PARALLEL


class LinkedSettings(_OptionalFields):
    """The settings in a link or a file. Absent fields have their defaults: omitted, empty, and streaming on.

    ``endpoint`` is a name; when it is unknown here, the page keeps its endpoint and says so. ``comparison`` is None for
    settings of the playground.
    """

    endpoint: _EndpointName | None = None
    model: _Text | None = None
    messages: Annotated[tuple[LinkedMessage, ...], Field(max_length=MAX_MESSAGES, fail_fast=True)] = ()
    stream: bool = True
    extra_body: _Text = ""
    variables: Annotated[dict[_VariableName, _Text], Field(max_length=MAX_VARIABLES)] = {}
    comparison: LinkedComparison | None = None

    @property
    def is_comparison(self) -> bool:
        """Whether the settings are for the page that compares lanes."""
        return self.comparison is not None

    def apply(self, draft: Draft) -> Draft:
        """The form with these settings, and the defaults for all others.

        Only the ids of ``draft`` are used: a new lane gets an id that no lane there ever had, because runs refer to
        lanes by id.
        """
        change = Change(
            endpoint=self.endpoint,
            model=self.model,
            settings=self.sent_settings(),
            stream=self.stream,
            extra_body=self.extra_body,
            turns=tuple(Turn(id=str(number), **each.model_dump()) for number, each in enumerate(self.messages, 1)),
            variables=self.variables,
        )
        return change.apply(new_draft()).model_copy(update={"comparison": self._comparison(draft.comparison)})

    def changes(self) -> tuple[Difference, ...]:
        """The differences from the defaults, in the order of the form: each field with its default and new value.

        The texts are complete and untrusted: the caller shortens and escapes them. A lane is one entry, which lists how
        its request differs from the draft's.
        """
        default = new_draft().model_copy(update={"turns": ()})
        linked = self.apply(default)
        # Each message is an entry of its own, the system message included.
        differences = differences_between(in_words(default), in_words(linked))
        changed = [difference for difference in differences if difference.field != SYSTEM]
        changed += self._messages_in_words()
        changed += [Difference(f"variable {name}", NONE, value) for name, value in self.variables.items()]
        if self.comparison is not None:
            changed += _comparison_in_words(linked)
        return tuple(changed)

    def to_json(self) -> dict[str, Any]:
        """All fields that are set, as JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)

    def _comparison(self, present: Comparison) -> Comparison:
        if self.comparison is None:
            linked = Comparison()
        else:
            lanes = [lane.lane(str(number)) for number, lane in enumerate(self.comparison.lanes, start=1)]
            linked = Comparison(lanes=tuple(lanes), repeats=self.comparison.repeats, timing=self.comparison.timing)
        if _comparison_json(linked) == _comparison_json(present):
            return present
        last_id = max(present.highest_id, *(int(lane.id) for lane in present.lanes))
        numbered = [
            lane.model_copy(update={"id": str(last_id + number)}) for number, lane in enumerate(linked.lanes, start=1)
        ]
        return linked.model_copy(update={"lanes": tuple(numbered), "highest_id": last_id + len(numbered)})

    def _messages_in_words(self) -> Iterator[Difference]:
        for number, message in enumerate(self.messages, start=1):
            title = f"message {number}"
            yield Difference(f"{title} ({message.role.value})", NONE, message.content)
            for part in ("name", "tool_call_id", "tool_calls"):
                if words := getattr(message, part):
                    yield Difference(f"{title} {part}", NONE, words)
            for part in ("prefix", "literal"):
                if getattr(message, part):
                    yield Difference(f"{title} {part}", "false", "true")


def linked_settings(draft: Draft, *, comparison: bool) -> LinkedSettings:
    """The differences of a draft from the defaults, with its lanes on request.

    Hidden branches, values of omitted fields, and unused variables are left out. Raises LinkProblem for values that
    neither a link nor a file can hold, such as a number beyond 2**53 - 1.
    """
    names = draft.variable_names + draft.comparison.variable_names * comparison
    extra_body = draft.extra_body if draft.extra_body.strip() else ""
    chosen = {"endpoint": draft.endpoint or None, "model": draft.model or None, "extra_body": extra_body}
    content = _change_json(between(new_draft(), draft.model_copy(update=chosen)))
    if draft.turns:
        content["messages"] = [_message_json(turn) for turn in draft.turns]
    if variables := {name: value for name in names if (value := draft.variables.get(name))}:
        content["variables"] = variables
    if comparison:
        content["comparison"] = _comparison_json(draft.comparison)
    try:
        # Through JSON, so that everything written can be read back.
        return LinkedSettings.model_validate_json(json.dumps(content, ensure_ascii=False).encode())
    except ValidationError as error:
        raise LinkProblem(sentences.SETTINGS_UNSHARABLE.format(why=what_is_wrong(error))) from None
    except ValueError:
        raise LinkProblem(sentences.SETTINGS_UNENCODABLE) from None


def _message_json(turn: Turn) -> dict[str, Any]:
    content = {field: getattr(turn, field) for field in LinkedMessage.model_fields if getattr(turn, field)}
    if turn.role is Role.USER:
        del content["role"]
    return content


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    content: dict[str, Any] = {"lanes": [_lane_json(lane) for lane in comparison.lanes]}
    if comparison.repeats != 1:
        content["repeats"] = comparison.repeats
    if comparison.timing is not Timing.PARALLEL:
        content["timing"] = comparison.timing.value
    return content


def _lane_json(lane: Lane) -> dict[str, Any]:
    content = {field: value for field in ("name", "muted", "literal") if (value := getattr(lane, field))}
    return content | _change_json(lane)


def _change_json(change: Change) -> dict[str, Any]:
    parts = ("endpoint", "model", "stream", "extra_body", "system")
    content: dict[str, Any] = {part: value for part in parts if (value := getattr(change, part)) is not None}
    for field, setting in change.settings.items():
        if setting.state is FieldState.OMIT:
            content.setdefault("omit", []).append(field)
        elif setting.typed is not None:
            raise LinkProblem(sentences.SETTINGS_UNSHARABLE.format(why=FIELD_NOT_JSON.format(field=field)))
        elif is_of_contract(field):
            content[field] = setting.sent
        else:
            content.setdefault("fields", []).append([field, setting.sent])
    return content


def _comparison_in_words(draft: Draft) -> Iterator[Difference]:
    comparison = draft.comparison
    base = in_words(draft)
    for lane in comparison.lanes:
        words = [f"{each.field} {each.after}" for each in differences_between(base, in_words(lane.apply(draft)))]
        words += ["muted"] * lane.muted
        yield Difference(f"lane {comparison.title(lane.id)}", NONE, ", ".join(words) or "nothing changed")
    if comparison.repeats != 1:
        yield Difference("repeats", "1", str(comparison.repeats))
    if comparison.timing is not Timing.PARALLEL:
        yield Difference("timing", Timing.PARALLEL.value, comparison.timing.value)
