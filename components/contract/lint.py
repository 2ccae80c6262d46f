"""Checks a request before it is sent: parts that its endpoint may refuse or misread, why, and a fix.

Never blocks a request: a person may want to see the endpoint's answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from pydantic import JsonValue

from components.contract.credentials import WHERE_KEYS_BELONG, without_credentials
from components.contract.fields import FIELDS, is_of_contract
from components.contract.messages import Message, Role
from components.contract.profile import FieldRules, Profile, UnknownKeys, fits
from components.contract.request import ChatCompletionStreamRequest

MESSAGES = "messages"
EXTRA_BODY = "extra_body"

_M = TypeVar("_M", ChatCompletionStreamRequest, Message)

_BYTES_PER_TOKEN = 4
_TEMPLATE_TOKENS = 4
"""A rule of thumb for English; only ever shown as an estimate."""

# Names of the contract's fields elsewhere, or in the past.
_OTHER_NAMES = {
    "seed": "random_seed",
    "random_seed": "random_seed",
    "safe_mode": "safe_prompt",
    "max_completion_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "temp": "temperature",
}


class Severity(Enum):
    """The severity of a remark."""

    HINT = "hint"
    """Information; the request can be sent."""
    MAY_BE_REFUSED = "may be refused"
    """The endpoint may refuse the request, so sending needs a confirmation."""
    CANNOT_BE_SENT = "cannot be sent"
    """The request cannot be expressed as a body."""


@dataclass(frozen=True)
class Fix:
    """A fix for a remark: the label of its button, and the changed request."""

    label: str
    request: ChatCompletionStreamRequest


@dataclass(frozen=True)
class Remark:
    """One remark on a request. ``field`` is the request's field that it concerns."""

    field: str
    sentence: str
    severity: Severity
    fix: Fix | None = None


def lint(
    request: ChatCompletionStreamRequest,
    profile: Profile,
    *,
    context_tokens: int | None = None,
    prompt_tokens: int | None = None,
) -> list[Remark]:
    """All remarks on a request to an endpoint of this dialect.

    ``context_tokens`` is the model's context, if known; ``prompt_tokens`` the exact size of the messages, if an
    endpoint has reported it. Otherwise the size is estimated, and labelled as an estimate.
    """
    return [
        *_messages(request, profile),
        *_ranges(request, profile),
        *_both_sampling_fields(request),
        *_context(request, context_tokens, prompt_tokens),
        *_extra_fields(request, profile),
    ]


def estimated_tokens(messages: list[Message]) -> int:
    """The estimated tokens of the messages; never to be shown as a count.

    Four bytes of UTF-8 are a token: four letters of English, two of Cyrillic or Arabic, one or two Chinese characters.
    A chat template adds about four tokens for each message, and as many for the begin of the answer.
    """
    text = sum(len(message.content.encode(errors="surrogatepass")) for message in messages) // _BYTES_PER_TOKEN
    return text + _TEMPLATE_TOKENS * (len(messages) + 1)


def changed(request: ChatCompletionStreamRequest, **fields: object) -> ChatCompletionStreamRequest:
    """The request with some fields set."""
    return request.model_copy(update=fields)


def without(model: _M, field: str) -> _M:
    """The request or message with one optional field omitted."""
    values = {name: getattr(model, name) for name in model.model_fields_set if name != field}
    return type(model).model_construct(_fields_set=set(values), **values)


def _messages(request: ChatCompletionStreamRequest, profile: Profile) -> Iterator[Remark]:
    *earlier, last = request.messages
    ends_with_prefix = last.role is Role.ASSISTANT and last.prefix
    if last.role not in (Role.USER, Role.TOOL) and not ends_with_prefix:
        fix = None
        if last.role is Role.ASSISTANT and profile.prefix:
            prefixed = last.model_copy(update={"prefix": True})
            fix = Fix("Let the answer begin with it", changed(request, messages=[*earlier, prefixed]))
        yield Remark(
            MESSAGES,
            f"The last message is of the role {last.role.value}. Endpoints answer a user or tool message, or continue "
            "an assistant message with prefix. Add a user message at the end.",
            Severity.MAY_BE_REFUSED,
            fix,
        )
    misplaced = [message for message in earlier if message.prefix]
    if misplaced or (last.prefix and last.role is not Role.ASSISTANT):
        plain = [without(message, "prefix") for message in earlier]
        plain.append(last if ends_with_prefix else without(last, "prefix"))
        yield Remark(
            MESSAGES,
            "prefix is only valid on a last assistant message.",
            Severity.MAY_BE_REFUSED,
            Fix("Switch it off", changed(request, messages=plain)),
        )
    elif ends_with_prefix and not profile.prefix:
        yield Remark(
            MESSAGES,
            f"The {profile.name} dialect does not support prefix: the endpoint may refuse or ignore it.",
            Severity.MAY_BE_REFUSED,
            Fix("Switch prefix off", changed(request, messages=[*earlier, without(last, "prefix")])),
        )
    for number, message in enumerate(request.messages, 1):
        if message.role is Role.TOOL and not message.tool_call_id:
            yield Remark(
                MESSAGES,
                f"Message {number} is a tool result without the id of its call. Set its tool_call_id.",
                Severity.HINT,
            )
        elif not message.content.strip() and not message.tool_calls:
            yield Remark(MESSAGES, f"Message {number} is empty.", Severity.HINT)


def _ranges(request: ChatCompletionStreamRequest, profile: Profile) -> Iterator[Remark]:
    for field, value in request.sent_values().items():
        omitted = Fix("Omit it", without(request, field))
        if profile.key_of(field) is None:
            yield Remark(field, f"The {profile.name} dialect has no {field}.", Severity.CANNOT_BE_SENT, omitted)
        else:
            yield from _out_of_range(request, field, value, profile.fields[field], omitted)


def _out_of_range(
    request: ChatCompletionStreamRequest, field: str, value: JsonValue, rules: FieldRules, removal: Fix
) -> Iterator[Remark]:
    """The remark on a value of the right type that the dialect refuses. A number's fix is the nearest valid one."""
    sentence, fix = rules.range_problem(value), removal
    if value is None and not rules.nullable:
        sentence = f"{rules.key} must not be null. Omit it instead."
    elif sentence and isinstance(value, int | float):
        limit = rules.minimum if rules.minimum is not None and value < rules.minimum else rules.maximum
        # The field's own type: a whole number stays one.
        nearest = type(value)(limit if limit is not None else value)
        further = {**request.extra_body, rules.key: nearest}
        fixed = {field: nearest} if is_of_contract(field) else {EXTRA_BODY: further}
        fix = Fix(f"Set it to {nearest:g}", changed(request, **fixed))
    if sentence:
        yield Remark(field, sentence, Severity.MAY_BE_REFUSED, fix)


def _both_sampling_fields(request: ChatCompletionStreamRequest) -> Iterator[Remark]:
    if request.temperature is not None and request.top_p not in (None, 1.0):
        yield Remark(
            "top_p",
            "temperature and top_p are both set. Set only one of them, so that its effect is clear.",
            Severity.HINT,
            Fix("Omit top_p", without(request, "top_p")),
        )


def _context(
    request: ChatCompletionStreamRequest, context_tokens: int | None, prompt_tokens: int | None
) -> Iterator[Remark]:
    if context_tokens is None:
        return
    max_tokens = request.max_tokens or 0
    prompt = estimated_tokens(request.messages) if prompt_tokens is None else prompt_tokens
    about = "about " if prompt_tokens is None else ""
    if max_tokens > context_tokens:
        sentence = f"max_tokens is {max_tokens:,}, more than the model's whole context of {context_tokens:,} tokens."
    elif prompt > context_tokens:
        yield Remark(
            MESSAGES,
            f"The messages are {about}{prompt:,} tokens, more than the model's context of {context_tokens:,}.",
            Severity.HINT if about else Severity.MAY_BE_REFUSED,
        )
        return
    elif prompt + max_tokens > context_tokens:
        sentence = (
            f"The messages ({about}{prompt:,} tokens) and max_tokens ({max_tokens:,}) are together more than the "
            f"model's context of {context_tokens:,} tokens."
        )
    else:
        return
    room = max(context_tokens - prompt, 1)
    certain = max_tokens > context_tokens or not about
    yield Remark(
        "max_tokens",
        sentence,
        Severity.MAY_BE_REFUSED if certain else Severity.HINT,
        Fix(f"Set it to {room:,}", changed(request, max_tokens=room)),
    )


def _extra_fields(request: ChatCompletionStreamRequest, profile: Profile) -> Iterator[Remark]:
    for key, value in request.extra_body.items():
        field = profile.name_of(key)
        standard_name = _OTHER_NAMES.get(key)
        removal = Fix(f"Remove {key}", changed(request, extra_body=_other_keys(request, key)))
        if without_credentials({key: value})[1]:
            yield Remark(
                EXTRA_BODY,
                f"{key} seems to hold a credential or an address, which would be sent and logged. {WHERE_KEYS_BELONG}",
                Severity.MAY_BE_REFUSED,
                removal,
            )
        if field in request.sent_values() or key in ("model", MESSAGES, "stream"):
            yield Remark(
                EXTRA_BODY,
                f"{key} has its own field, which is sent. Remove it here.",
                Severity.CANNOT_BE_SENT,
                removal,
            )
        elif field is not None and is_of_contract(field):
            yield _own_field(request, key, field, value, removal)
        elif field is not None and field in profile.fields:
            yield from _further_field(request, profile, field, value, removal)
        elif standard_name is not None and standard_name in profile.fields:
            own_key = profile.fields[standard_name].key
            movable = fits(standard_name, value) and standard_name not in request.sent_values()
            yield Remark(
                EXTRA_BODY,
                f"The {profile.name} dialect calls {key} {own_key}.",
                Severity.MAY_BE_REFUSED,
                Fix(f"Send it as {own_key}", _moved(request, key, standard_name)) if movable else removal,
            )
        else:
            yield _unknown(key, profile, removal)


def _own_field(request: ChatCompletionStreamRequest, key: str, field: str, value: JsonValue, removal: Fix) -> Remark:
    if fits(field, value):
        moved = Fix(f"Move {key} to its field", _moved(request, key, field))
        return Remark(EXTRA_BODY, f"{key} has its own field.", Severity.HINT, moved)
    problem = "must not be null. Omit it instead" if value is None else FIELDS[field].problem(value)
    return Remark(EXTRA_BODY, f"{key} {problem}.", Severity.MAY_BE_REFUSED, removal)


def _further_field(
    request: ChatCompletionStreamRequest, profile: Profile, field: str, value: JsonValue, removal: Fix
) -> Iterator[Remark]:
    rules = profile.fields[field]
    if value is not None and (problem := profile.field(field).problem(value)):
        yield Remark(field, f"{rules.key} {problem}.", Severity.MAY_BE_REFUSED, removal)
    else:
        yield from _out_of_range(request, field, value, rules, removal)


def _unknown(key: str, profile: Profile, removal: Fix) -> Remark:
    keys = [rules.key for rules in profile.fields.values()]
    near = [] if key in FIELDS else difflib.get_close_matches(key, keys, n=1, cutoff=0.75)
    suggestion = f" Did you mean {near[0]}?" if near else ""
    refuses = profile.unknown_keys is UnknownKeys.REFUSED
    does = "refuses unknown keys (HTTP 422)" if refuses else "usually ignores unknown keys"
    return Remark(
        key,
        f"The {profile.name} dialect does not know {key}, and {does}.{suggestion}",
        Severity.MAY_BE_REFUSED if refuses else Severity.HINT,
        removal,
    )


def _moved(request: ChatCompletionStreamRequest, key: str, field: str) -> ChatCompletionStreamRequest:
    value = request.extra_body[key]
    return changed(request, extra_body=_other_keys(request, key), **{field: value})


def _other_keys(request: ChatCompletionStreamRequest, key: str) -> dict[str, JsonValue]:
    return {name: value for name, value in request.extra_body.items() if name != key}
