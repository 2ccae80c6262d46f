"""The requests that a demo allows: the form is limited to them, and the final bytes are checked again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from components.contract.messages import Message
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, from_bytes
from components.demo import sentences
from components.demo.settings import DemoSettings
from components.endpoints.endpoint import AnyEndpoint
from components.runs.gate import Refused

_MAX_SEED = 2**63 - 1
_MAX_NAMED = 3
_MAX_NAME_CHARS = 40


class _Function(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: StrictStr
    arguments: StrictStr


class _ToolCall(BaseModel):
    """A tool call as endpoints return it: flat text fields only."""

    model_config = ConfigDict(extra="forbid")

    id: StrictStr | None = None
    type: StrictStr | None = None
    index: int | None = Field(default=None, strict=True, ge=0, le=1_000)
    function: _Function


def profile_of_demo(profile: Profile, settings: DemoSettings) -> Profile:
    """The dialect of forms in a demo, with the demo's max_tokens, which is also sent when a form omits it."""
    max_tokens = settings.max_tokens
    rules = profile.fields.get("max_tokens")
    if rules is None:
        return profile
    limited = replace(rules, minimum=1, maximum=max_tokens, nullable=False, if_omitted=max_tokens)
    return replace(profile, fields=MappingProxyType({**profile.fields, "max_tokens": limited}))


def checked(endpoint: AnyEndpoint, body: bytes, settings: DemoSettings) -> ChatCompletionStreamRequest:
    """The request in these bytes, if a demo may send it to the endpoint. Raises Refused.

    Only the contract's fields pass, within their ranges; max_tokens is required. The source of the bytes does not
    matter: a form, a link, an import or a forged message.
    """
    if not settings.allows_endpoint(endpoint.name):
        raise Refused(sentences.ENDPOINT_NOT_ALLOWED)
    try:
        # As text: bytes could also be UTF-16, which endpoints read differently.
        request = from_bytes(body.decode(), endpoint.profile)
    except ValueError:
        raise Refused(sentences.NOT_A_REQUEST) from None
    if request.extra_body:
        raise Refused(sentences.EXTRA_FIELDS.format(names=_names(request.extra_body)))
    models = settings.models_of(endpoint)
    if request.model not in models:
        choice = sentences.MODELS_TO_CHOOSE.format(models=", ".join(models)) if models else sentences.NO_MODEL_TO_CHOOSE
        raise Refused(sentences.MODEL_NOT_ALLOWED.format(choice=choice))
    _check_numbers(request, endpoint, settings)
    _check_size(request.messages, settings)
    return request


def tokens_of(request: ChatCompletionStreamRequest, body: bytes) -> int:
    """An upper estimate of a run's tokens: its bytes plus max_tokens.

    A text never has more tokens than bytes, and digits and rare characters often have one per byte. The
    names and punctuation around the messages compensate for the tokens of a chat template.
    """
    return len(body) + (request.max_tokens or 0)


def max_bytes(settings: DemoSettings) -> int:
    """The size above which ``checked`` refuses every body, however it is escaped, apart from blanks."""
    return 12 * settings.input_characters + 1_000 * settings.messages + 10_000


def _check_numbers(request: ChatCompletionStreamRequest, endpoint: AnyEndpoint, settings: DemoSettings) -> None:
    if request.max_tokens is None or not 1 <= request.max_tokens <= settings.max_tokens:
        raise Refused(sentences.MAX_TOKENS_NEEDED.format(max_tokens=settings.max_tokens))
    if request.random_seed is not None and abs(request.random_seed) > _MAX_SEED:
        raise Refused(sentences.SEED_TOO_LARGE)
    for problem in endpoint.profile.range_problems(request.sent_values()).values():
        raise Refused(sentences.OUT_OF_RANGE.format(problem=problem))


def _check_size(messages: list[Message], settings: DemoSettings) -> None:
    characters = sum(map(len, _texts(messages)))
    pieces = sum(1 + len(message.tool_calls or ()) for message in messages)
    if characters > settings.input_characters:
        raise Refused(sentences.MESSAGES_TOO_LONG.format(characters=characters, limit=settings.input_characters))
    if pieces > settings.messages:
        raise Refused(sentences.TOO_MANY_MESSAGES.format(count=pieces, limit=settings.messages))


def _texts(messages: list[Message]) -> Iterator[str]:
    for message in messages:
        yield message.content
        yield message.name or ""
        yield message.tool_call_id or ""
        for tool_call in message.tool_calls or ():
            try:
                call = _ToolCall.model_validate(tool_call)
            except ValidationError:
                raise Refused(sentences.ODD_TOOL_CALL) from None
            yield from (call.id or "", call.type or "", call.function.name, call.function.arguments)


def _names(keys: Collection[str]) -> str:
    names = [key[:_MAX_NAME_CHARS] for key in keys]
    rest = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + rest
