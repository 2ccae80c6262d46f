"""Requests and reads an endpoint's model list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from components.contract.chunk import UnreadableEvent, read_value
from components.contract.errors import plain_text, read_error
from components.endpoints import sentences
from components.endpoints.endpoint import Address
from components.streaming.call import body_pieces, get_json
from components.streaming.connections import Call
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.watch import Watch
from components.user_error import UserError

ANSWER_S = 5.0
_MAX_BYTES = 4 * 1024 * 1024
_MAX_MODELS = 2000
_LARGEST = 2**53 - 1

# The providers' keys for the model's id and context size: OpenAI's and Mistral's first,
# then those of Ollama, Cohere, vLLM, Groq and OpenRouter.
_NAMES = ("id", "model", "name")
_CONTEXT_LENGTHS = ("max_context_length", "context_length", "max_model_len", "context_window")
_CHAT = re.compile(r"chat|\A(?:completion|text)\Z")
_NO_CHAT = re.compile(r"embed|rank|classif|moderat|transcri|speech|\A(?:\w+-to-)?(?:image|audio|video)\Z")

_N = TypeVar("_N", int, float)
_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelCard:
    """A model as its endpoint describes it; None for what the endpoint does not report."""

    id: str
    context_length: int | None = None
    default_temperature: float | None = None


class ModelsUnavailable(UserError):
    """The endpoint did not list its models. The message is a sentence for the page.

    ``http_status`` is the status with which it answered, None when it did not answer.
    """

    def __init__(self, sentence: str, http_status: int | None = None) -> None:
        super().__init__(sentence)
        self.http_status = http_status


def list_models(address: Address, within_s: float = ANSWER_S) -> list[ModelCard]:
    """The models of ``GET {base_url}/models``, in the endpoint's order, each id once, in any provider's shape.

    Models that the list describes as made for something other than chat are left out.
    Raises ModelsUnavailable.
    """
    hide = address.key.mask.out_of if address.key else str
    watch = Watch(within_s)
    status: int | None = None
    try:
        call = Call(watch, within_s, allows=address.allows)
        with get_json(call, f"{address.base_url}/models", address.key) as answer:
            status = answer.status_code
            body = b""
            for piece in body_pieces(answer):
                body += piece
                if len(body) > _MAX_BYTES:
                    raise StreamFault(ErrorKind.TOO_LARGE, sentences.MODELS_TOO_LARGE)
            text = body.decode(errors="replace")
            if status != 200:
                raise ModelsUnavailable(read_error(text, status, hide=hide).sentence, status)
            return _read_models(text, hide)
    except StreamFault as fault:
        late = sentences.MODELS_LATE.format(within_s=within_s)
        raise ModelsUnavailable(late if watch.ended else hide(fault.sentence), status) from None
    except UnreadableEvent:
        raise ModelsUnavailable(sentences.NO_LIST_OF_MODELS, status) from None
    finally:
        watch.close()


def _read_models(text: str, hide: Callable[[str], str]) -> list[ModelCard]:
    entries = _entries(read_value(text))
    cards: dict[str, ModelCard] = {}
    for entry in entries[:_MAX_MODELS]:
        if isinstance(entry, Mapping) and (name := _first(entry, _NAMES, _name)) and _is_for_chat(entry):
            card = ModelCard(
                id=hide(name),
                context_length=_first(entry, _CONTEXT_LENGTHS, lambda value: number(value, int)),
                default_temperature=number(entry.get("default_model_temperature"), float),
            )
            cards.setdefault(card.id, card)
    return list(cards.values())


def _is_for_chat(entry: Mapping[str, Any]) -> bool:
    """Whether a model is for chat, according to its provider's description; true without one."""
    capabilities, architecture = entry.get("capabilities"), entry.get("architecture")
    if isinstance(capabilities, Mapping) and capabilities.get("completion_chat") is False:  # Mistral
        return False
    modalities = architecture.get("output_modalities") if isinstance(architecture, Mapping) else None
    for uses in (entry.get("endpoints"), capabilities, modalities):  # Cohere, Ollama, OpenRouter
        if isinstance(uses, list) and uses and not any(isinstance(use, str) and _CHAT.search(use) for use in uses):
            return False
    kinds = (entry.get("type"), entry.get("task"))  # Together and LM Studio, Hugging Face
    return not any(isinstance(kind, str) and _NO_CHAT.search(kind) for kind in kinds)


def _entries(value: object) -> list[Any]:
    """The models in the response. Raises UnreadableEvent when it is not a list of models."""
    if isinstance(value, Mapping):
        listed = (value.get("data"), value.get("models"))
        return next((entries for entries in listed if entries and isinstance(entries, list)), [])
    if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
        return value
    raise UnreadableEvent("no list of models")


def _first(entry: Mapping[str, object], keys: tuple[str, ...], read: Callable[[object], _T | None]) -> _T | None:
    return next((value for key in keys if (value := read(entry.get(key))) is not None), None)


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and plain_text(value) else None


def number(value: object, kind: type[_N]) -> _N | None:
    """The number, or None for anything else and for numbers beyond JavaScript's safe integers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return None
    return kind(value)
