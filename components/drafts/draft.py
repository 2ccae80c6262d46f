"""A draft: the value of every control of the form, and the request made from them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from pydantic import JsonValue, ValidationError

from components.contract.fields import CONTRACT_FIELDS, FIELDS, is_of_contract
from components.contract.messages import Message, Role
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest
from components.contract.strict_json import read_json
from components.drafts import sentences
from components.drafts.change import Base
from components.drafts.comparison import Comparison
from components.drafts.conversation import Turn, Turns
from components.drafts.extra_body import extra_body_text, json_text, read_extra_body
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting
from components.drafts.variables import MAX_FILLED, filled, filled_length, names_in
from components.streaming.guard import safe_text
from components.user_error import UserError

EXAMPLE_PROMPT = "Write a short story about a lighthouse keeper who finds an old map."


class DraftProblem(UserError, ValueError):
    """The form makes no request yet. ``field`` is the missing or invalid field; the text names the next step."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NothingWritten(DraftProblem):
    """The prompt is still empty; an error only when the draft is run."""


class Draft(Base):
    """The whole form. ``comparison`` holds its lanes."""

    comparison: Comparison = Comparison()

    @property
    def changed_fields(self) -> list[str]:
        """The fields that differ from their defaults: optional fields omitted, streaming on, no extra body."""
        changed = [field for field, setting in self.settings.items() if setting.state is not FieldState.OMIT]
        return changed + ["stream"] * (not self.stream) + ["extra_body"] * bool(self.extra_body.strip())

    @property
    def variable_names(self) -> list[str]:
        """The variables in the messages, in order of appearance."""
        return variables_in(self.turns)

    def to_request(self, profile: Profile) -> ChatCompletionStreamRequest:
        """The form's request for an endpoint of this dialect, without the fields that the dialect lacks.

        Raises DraftProblem.
        """
        model = (self.model or "").strip()
        if not model:
            raise DraftProblem("model", sentences.MODEL_MISSING)
        fields: dict[str, Any] = {"model": model, "messages": self.messages(), "stream": self.stream}
        for field, setting in self.settings.items():
            if setting.typed is not None and setting.state is FieldState.VALUE:
                raise DraftProblem(field, sentences.FIELD_NOT_JSON.format(field=field))
            if field in profile.fields and is_of_contract(field) and setting.state is not FieldState.OMIT:
                fields[field] = setting.sent
        for field, rules in profile.fields.items():
            if rules.if_omitted is not None and fields.get(field) is None:
                fields[field] = rules.if_omitted
        further = self.further_values(profile)
        try:
            raw = read_extra_body(self.extra_body)
        except ValueError as error:
            raise DraftProblem("extra_body", str(error)) from None
        if duplicate := next((key for key in raw if key in further), None):
            raise DraftProblem("extra_body", sentences.SENT_TWICE.format(key=duplicate))
        if extra_body := further | raw:
            fields["extra_body"] = extra_body
        try:
            return ChatCompletionStreamRequest.model_validate(fields)
        except ValidationError as error:
            problem = error.errors()[0]
            raise DraftProblem(str(problem["loc"][0]), f"{problem['msg']}.") from None

    def further_values(self, profile: Profile) -> dict[str, JsonValue]:
        """The sent values of settings beyond the contract, by key, in their order on the wire; None for null."""
        return {
            profile.key_of(field) or field: setting.sent
            for field, setting in self.settings.items()
            if not is_of_contract(field) and setting.state is not FieldState.OMIT
        }

    def messages(self) -> list[Message]:
        """The messages with their variables filled in. Raises DraftProblem."""
        if not self.turns or (self.turns[-1].role is Role.USER and not self.turns[-1].content.strip()):
            raise NothingWritten("messages", sentences.PROMPT_MISSING)
        missing = [f"{{{{{name}}}}}" for name in self.variable_names if not self.variables.get(name)]
        if missing:
            pronoun = "it" if len(missing) == 1 else "each of them"
            sentence = sentences.VARIABLES_MISSING.format(missing=", ".join(missing), pronoun=pronoun)
            raise DraftProblem("variables", sentence)
        if sum(filled_length(turn.content, {} if turn.literal else self.variables) for turn in self.turns) > MAX_FILLED:
            raise DraftProblem("variables", sentences.FILLED_TOO_LONG.format(max_filled=MAX_FILLED))
        return [self._message(number, turn) for number, turn in enumerate(self.turns, 1)]

    def text_of(self, turn: Turn) -> str:
        """The content of a turn with its variables filled in."""
        return turn.content if turn.literal else filled(turn.content, self.variables)

    def without_fields(self, fields: Collection[str]) -> Draft:
        """The draft without the settings of these fields."""
        settings = {field: setting for field, setting in self.settings.items() if field not in fields}
        return self.model_copy(update={"settings": settings})

    def has_prompt_of(self, request: ChatCompletionStreamRequest, profile: Profile) -> bool:
        """Whether an endpoint would count the same prompt tokens for this form and that request."""
        try:
            own_request = self.to_request(profile)
        except DraftProblem:
            return False
        in_prompt = ("model", "messages", "extra_body", *(name for name in CONTRACT_FIELDS if FIELDS[name].in_prompt))
        return all(getattr(own_request, part) == getattr(request, part) for part in in_prompt)

    def _message(self, number: int, turn: Turn) -> Message:
        fields: dict[str, Any] = {
            "role": turn.role,
            "content": self.text_of(turn),
        }
        if turn.prefix and turn.role is Role.ASSISTANT:
            fields["prefix"] = True
        for key in ("name", "tool_call_id"):
            if value := getattr(turn, key).strip():
                fields[key] = value
        if turn.tool_calls.strip():
            try:
                fields["tool_calls"] = read_json(turn.tool_calls)
            except ValueError as error:
                raise DraftProblem(
                    "messages", sentences.TOOL_CALLS_NOT_JSON.format(number=number, error=error)
                ) from None
        try:
            return Message.model_validate(fields)
        except ValidationError:
            raise DraftProblem("messages", sentences.TOOL_CALLS_NOT_A_LIST.format(number=number)) from None

    def with_request(
        self,
        request: ChatCompletionStreamRequest,
        profile: Profile,
        *,
        endpoint: str | None = None,
        turns: Turns | None = None,
    ) -> Draft:
        """The form of this request. Fields that the request omits keep their widgets' values.

        Fields beyond the contract, and numbers too large for a page, become extra body fields; see
        ``with_known_keys``. ``turns`` replace the request's own messages.
        """
        settings = {}
        extra_body = dict(request.extra_body)
        for field in CONTRACT_FIELDS:
            state, value = request.state_of(field), getattr(request, field)
            if state == "value" and abs(value) > LARGEST_WHOLE and field in profile.fields:
                extra_body[profile.fields[field].key] = value
                state = "omitted"
            value = value if state == "value" else self.settings[field].value
            settings[field] = Setting(state=FieldState.OMIT if state == "omitted" else FieldState(state), value=value)
        # The request may have other fields beyond the contract, or the same ones in another order.
        settings |= {
            field: Setting(value=setting.value) for field, setting in self.settings.items() if not is_of_contract(field)
        }
        return self.model_copy(
            update={
                "endpoint": endpoint or self.endpoint,
                "model": request.model,
                "turns": turns_of(request.messages) if turns is None else turns,
                "settings": settings,
                "stream": request.stream,
                "extra_body": extra_body_text(extra_body),
            }
        )

    def to_text(self) -> str:
        """The draft as JSON text, which ``read_draft`` reads."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True))

    def for_log(self) -> str | None:
        """The draft as ``to_text`` if its run's request does not contain all of it, else None.

        Variables are not in a request, only their values.
        """
        if not self.variable_names:
            return None
        shown = tuple(turn.model_copy(update={"earlier": (), "later": ()}) for turn in self.turns)
        used = {name: value for name, value in self.variables.items() if name in self.variable_names}
        parts = {"turns": shown, "variables": used, "comparison": Comparison()}
        return self.model_copy(update=parts).to_text()


def new_draft() -> Draft:
    """The form of a new visitor."""
    return Draft(
        turns=(Turn(id="1", role=Role.USER, content=EXAMPLE_PROMPT),),
        settings={field: Setting(value=FIELDS[field].begins_with) for field in CONTRACT_FIELDS},
    )


def read_draft(text: str) -> Draft | None:
    """The draft in stored JSON; None when invalid, such as one from a later version."""
    try:
        draft = Draft.model_validate(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return draft.model_copy(update={"settings": {**new_draft().settings, **draft.settings}})


def turns_of(messages: list[Message]) -> Turns:
    """The messages as turns, numbered from 1; characters that a page cannot show become U+FFFD."""
    return tuple(
        Turn(
            id=str(number),
            role=message.role,
            content=safe_text(message.content),
            prefix=message.prefix,
            name=safe_text(message.name or ""),
            tool_call_id=safe_text(message.tool_call_id or ""),
            tool_calls=json_text(message.tool_calls) if message.tool_calls else "",
            # A sent text is no longer a template.
            literal=bool(names_in([message.content])),
        )
        for number, message in enumerate(messages, 1)
    )


def variables_in(turns: Turns) -> list[str]:
    """The distinct variables in these turns, in order of appearance."""
    return names_in(turn.content for turn in turns if not turn.literal)
