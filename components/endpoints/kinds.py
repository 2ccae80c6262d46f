"""The usual kinds of endpoints: their addresses and dialects, and the search for those that run on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from components.contract.profile import BEEZY, MISTRAL, OPENAI
from components.endpoints.endpoint import Address
from components.endpoints.health import KEY_STATUSES
from components.endpoints.models import ModelCard, ModelsUnavailable, list_models

_ANSWER_S = 1.5


@dataclass(frozen=True)
class Kind:
    """A kind of endpoint: ``name`` suggests the endpoint's name. ``local`` servers run on the user's own machine."""

    title: str
    name: str
    base_url: str
    dialect: str
    local: bool = False


OTHER = Kind("Other", "", "", BEEZY.name)
KINDS = (
    Kind("OpenAI", "openai", "https://api.openai.com/v1", OPENAI.name),
    Kind("Mistral", "mistral", "https://api.mistral.ai/v1", MISTRAL.name),
    Kind("llama.cpp", "llama.cpp", "http://127.0.0.1:8080/v1", OPENAI.name, local=True),
    Kind("Ollama", "ollama", "http://127.0.0.1:11434/v1", OPENAI.name, local=True),
    Kind("vLLM", "vllm", "http://127.0.0.1:8000/v1", OPENAI.name, local=True),
    Kind("LM Studio", "lm-studio", "http://127.0.0.1:1234/v1", OPENAI.name, local=True),
    OTHER,
)


@dataclass(frozen=True)
class LocalServer:
    """A server that runs on this machine, at the usual address of a kind; ``models`` is None when it asks for a key."""

    kind: Kind
    models: tuple[ModelCard, ...] | None


def find_local(kinds: Sequence[Kind] = KINDS) -> list[LocalServer]:
    """The servers that list their models, or ask for a key, at the usual addresses of the local kinds.

    All of them are requested in parallel.
    """
    local = [kind for kind in kinds if kind.local]
    with ThreadPoolExecutor(len(local) or 1) as threads:
        return [server for server in threads.map(_probe, local) if server]


def _probe(kind: Kind) -> LocalServer | None:
    try:
        return LocalServer(kind, tuple(list_models(Address(kind.base_url), _ANSWER_S)))
    except ModelsUnavailable as unavailable:
        return LocalServer(kind, None) if unavailable.http_status in KEY_STATUSES else None
