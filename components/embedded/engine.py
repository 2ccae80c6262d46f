"""llama.cpp behind a small typed interface: load a model, start a generation, read its events, stop it.

Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import xllamacpp

from components.contract.messages import Message, Role
from components.contract.request import ChatCompletionStreamRequest
from components.embedded import sentences
from components.embedded.problems import EmbeddedProblem

PARALLEL = 4
"""How many generations run at once; llama.cpp shares the context out over them."""

CONTEXT_TOKENS = 8192
"""All generations' contexts together."""

BATCH_TOKENS = 64
"""How many prompt tokens are read at a time.

A generation can be stopped only between batches. Measured on one thread of a small machine: 64 tokens take 0.3 s and
cost no speed (219 tokens a second, against 216 in batches of 512, which take 2.5 s each); 32 cost a quarter of it.
"""

DEFAULT_TEMPERATURE = 0.7
DEFAULT_TOP_P = 1.0

SAFE_PROMPT = (
    "Always assist with care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful, unethical, "
    "prejudiced, or negative content. Ensure replies promote fairness and positivity."
)

_RANDOM_SEED = 0xFFFFFFFF  # llama.cpp's word for "choose one"


class ModelUnusable(EmbeddedProblem):
    """The given file is no model that llama.cpp can run."""


class FinishReason(StrEnum):
    """Why an answer ended: the model was done, or a limit was reached."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True)
class PromptAccepted:
    """The first event of a generation that goes ahead: the prompt's size is known and fits.

    ``queued_ms`` is how long it waited for a slot.
    """

    prompt_tokens: int
    queued_ms: float = 0.0


@dataclass(frozen=True)
class Text:
    """A piece of the answer, never empty."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The last event of a complete answer. ``cached_tokens`` of the prompt had been read before."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class GenerationRefused:
    """The last event of a generation that llama.cpp would not do; ``field`` names the request's part at fault."""

    sentence: str
    field: str | None = None


@dataclass(frozen=True)
class Stopped:
    """The last event of a generation that was stopped, or broke off."""


Event = PromptAccepted | Text | Finished | GenerationRefused | Stopped


def llama_seed(random_seed: int) -> int:
    """Any whole number as a seed of llama.cpp, which takes 32 bits and reads one value of them as "random"."""
    seed = random_seed % 2**32
    return seed if seed != _RANDOM_SEED else _RANDOM_SEED - 1


def answer_prefix(request: ChatCompletionStreamRequest) -> str:
    """The text that the answer must begin with, or an empty one."""
    last = request.messages[-1]
    return last.content if last.role is Role.ASSISTANT and last.prefix else ""


def completion_body(request: ChatCompletionStreamRequest) -> dict[str, Any]:
    """The request in llama.cpp's words. Always streamed: only its callback can stop a generation.

    ``return_progress`` makes the prompt's size the first thing said. ``top_k`` and ``min_p`` are off, so that
    ``temperature`` and ``top_p`` mean what they say. Thinking stays in the text.
    """
    messages = list(request.messages)
    if messages[-1].role is Role.ASSISTANT and not messages[-1].content:
        # An empty prefix is none; llama.cpp would leave out the assistant's turn altogether.
        messages.pop()
    if request.safe_prompt:
        messages.insert(0, Message.system(SAFE_PROMPT))
    temperature = DEFAULT_TEMPERATURE if request.temperature is None else request.temperature
    body: dict[str, Any] = {
        "messages": [{"role": message.role.value, "content": _encodable(message.content)} for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "reasoning_format": "none",
        "temperature": temperature,
        "top_p": DEFAULT_TOP_P if request.top_p is None else request.top_p,
        "top_k": 0,
        "min_p": 0,
        # llama.cpp does not promise the same numbers for a prompt it has read before: where the answer must repeat, it
        # reads it again.
        "cache_prompt": request.random_seed is None and temperature != 0,
    }
    if request.max_tokens:
        # llama.cpp reads 32 bits; more than the context is refused as soon as the prompt's size is known.
        body["max_tokens"] = min(request.max_tokens, CONTEXT_TOKENS)
    if request.random_seed is not None:
        body["seed"] = llama_seed(request.random_seed)
    return body


class ChunkReader:
    """Turns llama.cpp's chunks of one generation into events. Holds the finish back until the usage is there."""

    def __init__(self, context_tokens: int, max_tokens: int | None, prefix: str = "") -> None:
        self._context_tokens = context_tokens
        self._max_tokens = max_tokens
        self._prefix = prefix
        self._reason = FinishReason.STOP
        self._prompt_tokens: int | None = None
        self._cached_tokens = 0
        self.queued_ms = 0.0
        self.complete = False

    def read(self, chunk: dict[str, Any]) -> Iterator[Event]:
        """The events in one chunk. After a last one ``complete`` is true and the generation need not go on."""
        if chunk.get("error"):
            yield self._last(_refusal(chunk["error"]))
        elif chunk.get("prompt_progress") and self._prompt_tokens is None:
            self._cached_tokens = int(chunk["prompt_progress"].get("cache", 0))
            yield from self._begin(int(chunk["prompt_progress"]["total"]))
        elif chunk.get("usage") and not chunk.get("choices"):
            usage = chunk["usage"]
            prompt, completion = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
            yield self._last(Finished(self._reason, prompt, completion, self._cached_tokens))
        else:
            for choice in chunk.get("choices", ()):
                if choice["delta"].get("content"):
                    yield Text(choice["delta"]["content"])
                if choice.get("finish_reason") == FinishReason.LENGTH.value:
                    self._reason = FinishReason.LENGTH

    def _begin(self, prompt_tokens: int) -> Iterator[Event]:
        self._prompt_tokens = prompt_tokens
        if self._max_tokens and prompt_tokens + self._max_tokens > self._context_tokens:
            sentence = (
                f"The prompt's {prompt_tokens} tokens and the {self._max_tokens} of max_tokens are together more than "
                f"the model's context of {self._context_tokens} tokens. Lower max_tokens or shorten the messages."
            )
            yield self._last(GenerationRefused(sentence, "max_tokens"))
            return
        yield PromptAccepted(prompt_tokens, self.queued_ms)
        if self._prefix:
            yield Text(self._prefix)
        if self._max_tokens == 0:
            # Ended here, because llama.cpp makes one token even when asked for none.
            yield self._last(Finished(FinishReason.LENGTH, prompt_tokens, 0, self._cached_tokens))

    def _last(self, event: Event) -> Event:
        self.complete = True
        return event


class Generation:
    """A running generation. Belongs to the event loop in which it was started."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._stop = threading.Event()
        self.work: Future[None] | None = None

    async def next_event(self) -> Event:
        """The next event. Not to be called again after Finished, GenerationRefused or Stopped."""
        return await self._events.get()

    def stop(self) -> None:
        """End the generation and free its slot: at once while it waits, else after the token or batch in work."""
        self._stop.set()
        if self.work is not None and self.work.cancel():
            self.put(Stopped())

    @property
    def stopped(self) -> bool:
        """Whether the generation was stopped."""
        return self._stop.is_set()

    def put(self, event: Event) -> None:
        """Hand an event over from whichever thread it happened in."""
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:
            # The event loop has ended, and with it everyone who could have read the event.
            self._stop.set()


class Engine:
    """A loaded model, generating up to four answers at once; further ones wait their turn."""

    def __init__(self, model: Path, model_id: str, threads: int) -> None:
        """Load the model, which takes about a second for the built-in one. Raises ModelUnusable."""
        _check_is_gguf(model)
        self.model_id = model_id
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(model)
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = PARALLEL
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.verbosity = -1
        # By default up to 8 GiB of memory would be taken for the prompts of the past.
        parameters.cache_ram_mib = 0
        # xllamacpp also opens a port of its own on loopback, which nobody here uses; a random key closes it.
        parameters.api_keys = [secrets.token_urlsafe(32)]
        try:
            self._server = xllamacpp.Server(parameters)
        except RuntimeError:
            raise ModelUnusable(sentences.MODEL_NOT_LOADABLE.format(model=model)) from None
        self.context_tokens = self._measure_context(model)
        # As many workers as slots: whoever leaves while waiting for a worker is dropped without disturbing llama.cpp.
        self._pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="generation")
        self._running: set[Generation] = set()

    def start(self, request: ChatCompletionStreamRequest) -> Generation:
        """Start a generation for ``request``, whose role order has been checked. Call within an event loop."""
        generation = Generation()
        body = completion_body(request)
        reader = ChunkReader(self.context_tokens, request.max_tokens, _encodable(answer_prefix(request)))
        self._running.add(generation)
        generation.work = self._pool.submit(self._generate, generation, body, reader, time.monotonic())
        generation.work.add_done_callback(lambda _: self._running.discard(generation))
        return generation

    def stop_all(self) -> None:
        """Stop every generation, so that the process can end."""
        for generation in tuple(self._running):
            generation.stop()

    def close(self) -> None:
        """Stop every generation and wait until llama.cpp has let go of them."""
        self.stop_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _generate(self, generation: Generation, body: dict[str, Any], reader: ChunkReader, came_at: float) -> None:
        """The blocking call, in a worker. llama.cpp calls back once per token or batch, the GIL released between."""
        reader.queued_ms = (time.monotonic() - came_at) * 1000

        def on_chunk(chunk: dict[str, Any]) -> bool:
            if not generation.stopped:
                for event in reader.read(chunk):
                    generation.put(event)
            return reader.complete or generation.stopped

        try:
            if not generation.stopped:
                self._server.handle_chat_completions(body, on_chunk)
        except (RuntimeError, ValueError) as error:
            # How xllamacpp hands on what llama.cpp throws before the first callback, such as a chat template's refusal.
            generation.put(GenerationRefused(str(error), "messages"))
        finally:
            generation.put(Stopped())

    def _measure_context(self, model: Path) -> int:
        """How many tokens one generation holds, prompt and answer together: llama.cpp says so when it refuses more.

        The share of the context is less for a model that was trained on a shorter one.
        """
        errors: list[dict[str, Any]] = []

        def on_chunk(chunk: dict[str, Any]) -> bool:
            errors.append(chunk.get("error", {}))
            return True

        too_long = {"messages": [{"role": "user", "content": "a " * CONTEXT_TOKENS}], "stream": True}
        try:
            self._server.handle_chat_completions(too_long, on_chunk)
            return int(errors[0]["n_ctx"])
        except (RuntimeError, ValueError, LookupError):
            raise ModelUnusable(sentences.NOT_A_CHAT_MODEL.format(model=model)) from None


def _check_is_gguf(model: Path) -> None:
    try:
        with model.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise ModelUnusable(sentences.NO_MODEL_FILE.format(model=model)) from None
    except OSError as error:
        raise ModelUnusable(sentences.MODEL_FILE_UNREADABLE.format(model=model, why=error.strerror)) from None
    if magic != b"GGUF":
        raise ModelUnusable(sentences.NOT_GGUF.format(model=model))


def _encodable(text: str) -> str:
    """``text`` with lone surrogates, which UTF-8 cannot hold and llama.cpp refuses, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _refusal(error: dict[str, Any]) -> GenerationRefused:
    if error.get("type") == "exceed_context_size_error":
        return GenerationRefused(
            f"The prompt's {error['n_prompt_tokens']} tokens leave no room for an answer in the model's context of "
            f"{error['n_ctx']} tokens. Shorten the messages.",
            "messages",
        )
    return GenerationRefused(str(error.get("message") or "llama.cpp refused the request without saying why."))
