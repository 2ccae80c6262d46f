"""A small typed interface of llama.cpp, without HTTP: load a model, start a generation, read its events, stop it."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import xllamacpp
from pydantic import Field, StrictBool, StrictInt

from components.contract.messages import Message, Role
from components.contract.request import ChatCompletionStreamRequest
from components.embedded import sentences
from components.embedded.problems import EmbeddedProblem

PARALLEL = 4
"""The number of concurrent generations; llama.cpp divides the context among them."""

CONTEXT_TOKENS = 8192
"""The context of all generations together."""

BATCH_TOKENS = 64
"""The number of prompt tokens in a batch. A generation can be stopped only between batches.

Measured on one thread of a small machine: 64 tokens take 0.3 s at full speed (219 tokens per second; 216 in batches of
512, which take 2.5 s each); with 32 the speed falls by a quarter.
"""

DEFAULT_TEMPERATURE = 0.7
DEFAULT_TOP_P = 1.0

SAFE_PROMPT = (
    "Always assist with care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful, unethical, "
    "prejudiced, or negative content. Ensure replies promote fairness and positivity."
)

MAX_ALTERNATIVES = 20
"""The largest ``top_logprobs``."""

_RANDOM_SEED = 0xFFFFFFFF  # llama.cpp's value for a random seed


class GenerationRequest(ChatCompletionStreamRequest):
    """The contract's request with the probabilities of tokens, which llama.cpp can return as well."""

    logprobs: StrictBool | None = None
    top_logprobs: Annotated[StrictInt, Field(ge=0, le=MAX_ALTERNATIVES)] | None = None


@dataclass(frozen=True)
class PromptAccepted:
    """The first event of an accepted generation: the prompt fits into the context.

    ``queued_ms`` is its wait for a slot.
    """

    prompt_tokens: int
    queued_ms: float = 0.0


@dataclass(frozen=True)
class Text:
    """A piece of the answer, never empty. ``logprobs`` are those of its tokens, in OpenAI's shape, if requested."""

    text: str
    logprobs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Finished:
    """The last event of a complete answer: the model stopped, or a limit of its length was reached.

    ``cached_tokens`` of the prompt came from llama.cpp's cache.
    """

    reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class GenerationRefused:
    """The last event of a generation that llama.cpp refused; ``field`` names the request's invalid field."""

    sentence: str
    field: str | None = None


@dataclass(frozen=True)
class Stopped:
    """The last event of a generation that was stopped or failed."""


Event = PromptAccepted | Text | Finished | GenerationRefused | Stopped


def llama_seed(random_seed: int) -> int:
    """The seed for llama.cpp: 32 bits, except for the value that means a random seed."""
    seed = random_seed % 2**32
    return seed if seed != _RANDOM_SEED else _RANDOM_SEED - 1


def completion_body(request: GenerationRequest) -> dict[str, Any]:
    """The request for llama.cpp. It always streams, because only the callback of a stream can stop a generation.

    ``return_progress`` reports the prompt's size first. ``top_k`` and ``min_p`` are off, so that only ``temperature``
    and ``top_p`` affect sampling. Reasoning stays in the text.
    """
    messages = list(request.messages)
    if messages[-1].role is Role.ASSISTANT and not messages[-1].content:
        # An empty prefix is no prefix; llama.cpp would omit the assistant's turn.
        messages.pop()
    if request.safe_prompt:
        messages.insert(0, Message(role=Role.SYSTEM, content=SAFE_PROMPT))
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
        # With a cached prompt, llama.cpp does not guarantee the same numbers, so reproducible answers do not use it.
        "cache_prompt": request.random_seed is None and temperature != 0,
    }
    if request.logprobs:
        # llama.cpp returns no probability at all for 0 alternatives; the reader cuts them off.
        body["logprobs"] = True
        body["top_logprobs"] = max(request.top_logprobs or 0, 1)
    if request.max_tokens:
        # llama.cpp reads 32 bits; values above the context are refused once the prompt's size is known.
        body["max_tokens"] = min(request.max_tokens, CONTEXT_TOKENS)
    if request.random_seed is not None:
        body["seed"] = llama_seed(request.random_seed)
    return body


class ChunkReader:
    """Turns llama.cpp's chunks of one generation into events. The finish event waits for the usage."""

    def __init__(self, context_tokens: int, max_tokens: int | None, prefix: str = "", alternatives: int = 0) -> None:
        self._context_tokens = context_tokens
        self._max_tokens = max_tokens
        self._prefix = prefix
        self._alternatives = alternatives
        self._reason: Literal["stop", "length"] = "stop"
        self._prompt_tokens: int | None = None
        self._cached_tokens = 0
        self.queued_ms = 0.0
        self.complete = False

    def read(self, chunk: dict[str, Any]) -> Iterator[Event]:
        """The events in one chunk. After the last event ``complete`` is true, and the generation can be stopped."""
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
                    yield Text(choice["delta"]["content"], self._logprobs(choice.get("logprobs")))
                if choice.get("finish_reason") == "length":
                    self._reason = "length"

    def _logprobs(self, logprobs: dict[str, Any] | None) -> dict[str, Any] | None:
        """The probabilities without llama.cpp's numbers of tokens and the surplus alternatives."""
        if not logprobs:
            return None
        return {
            "content": [
                _token_json(token)
                | {"top_logprobs": [_token_json(other) for other in token["top_logprobs"][: self._alternatives]]}
                for token in logprobs["content"]
            ]
        }

    def _begin(self, prompt_tokens: int) -> Iterator[Event]:
        self._prompt_tokens = prompt_tokens
        if self._max_tokens and prompt_tokens + self._max_tokens > self._context_tokens:
            sentence = sentences.ANSWER_TOO_LONG.format(
                prompt_tokens=prompt_tokens, max_tokens=self._max_tokens, context_tokens=self._context_tokens
            )
            yield self._last(GenerationRefused(sentence, "max_tokens"))
            return
        yield PromptAccepted(prompt_tokens, self.queued_ms)
        if self._prefix:
            yield Text(self._prefix)
        if self._max_tokens == 0:
            # Ended here, because llama.cpp generates at least one token.
            yield self._last(Finished("length", prompt_tokens, 0, self._cached_tokens))

    def _last(self, event: Event) -> Event:
        self.complete = True
        return event


class Generation:
    """A running generation, read in the event loop that started it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._stop = threading.Event()
        self.work: Future[None] | None = None

    async def next_event(self) -> Event:
        """The next event. Do not call it after Finished, GenerationRefused or Stopped."""
        return await self._events.get()

    def stop(self) -> None:
        """End the generation and free its slot: at once while it waits, otherwise after the current token or batch."""
        self._stop.set()
        if self.work is not None and self.work.cancel():
            self.put(Stopped())

    @property
    def stopped(self) -> bool:
        """Whether the generation was stopped."""
        return self._stop.is_set()

    def put(self, event: Event) -> None:
        """Queue an event, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:
            # The event loop has ended, so the event has no reader.
            self._stop.set()


class Engine:
    """A loaded model that generates up to ``PARALLEL`` answers at once; others wait in a queue."""

    def __init__(self, model: Path, model_id: str, threads: int) -> None:
        """Load the model, which takes about a second for the built-in one. Raises EmbeddedProblem."""
        _check_is_gguf(model)
        self.model_id = model_id
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(model)
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = PARALLEL
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.verbosity = -1
        # The default keeps earlier prompts in up to 8 GiB of memory.
        parameters.cache_ram_mib = 0
        # xllamacpp also opens an unused port on loopback; a random key protects it.
        parameters.api_keys = [secrets.token_urlsafe(32)]
        try:
            self._server = xllamacpp.Server(parameters)
        except RuntimeError:
            raise EmbeddedProblem(sentences.MODEL_NOT_LOADABLE.format(model=model)) from None
        self.context_tokens = self._measure_context(model)
        # One worker per slot: a request cancelled while it waits for a worker never reaches llama.cpp.
        self._pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="generation")
        self._running: set[Generation] = set()

    def start(self, request: GenerationRequest) -> Generation:
        """Start a generation for a request with a valid order of roles. Call it within an event loop."""
        generation = Generation()
        body = completion_body(request)
        prefix, alternatives = _encodable(request.answer_prefix), request.top_logprobs or 0
        reader = ChunkReader(self.context_tokens, request.max_tokens, prefix, alternatives)
        self._running.add(generation)
        generation.work = self._pool.submit(self._generate, generation, body, reader, time.monotonic())
        generation.work.add_done_callback(lambda _: self._running.discard(generation))
        return generation

    def stop_all(self) -> None:
        """Stop every generation, so that the process can end."""
        for generation in tuple(self._running):
            generation.stop()

    def close(self) -> None:
        """Stop every generation and wait until llama.cpp has ended them."""
        self.stop_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _generate(self, generation: Generation, body: dict[str, Any], reader: ChunkReader, arrived_at: float) -> None:
        """Run the blocking call in a worker. llama.cpp calls back once per token or batch."""
        reader.queued_ms = (time.monotonic() - arrived_at) * 1000

        def on_chunk(chunk: dict[str, Any]) -> bool:
            if not generation.stopped:
                for event in reader.read(chunk):
                    generation.put(event)
            return reader.complete or generation.stopped

        try:
            if not generation.stopped:
                self._server.handle_chat_completions(body, on_chunk)
        except (RuntimeError, ValueError) as error:
            # xllamacpp raises llama.cpp's errors from before the first callback, such as those of a chat template.
            generation.put(GenerationRefused(str(error), "messages"))
        finally:
            generation.put(Stopped())

    def _measure_context(self, model: Path) -> int:
        """The context of one generation in tokens, for prompt and answer; llama.cpp reports it when it refuses more.

        It is smaller than an equal share if the model was trained with a shorter context.
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
            raise EmbeddedProblem(sentences.NOT_A_CHAT_MODEL.format(model=model)) from None


def _check_is_gguf(model: Path) -> None:
    try:
        with model.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise EmbeddedProblem(sentences.NO_MODEL_FILE.format(model=model)) from None
    except OSError as error:
        raise EmbeddedProblem(sentences.MODEL_FILE_UNREADABLE.format(model=model, why=error.strerror)) from None
    if magic != b"GGUF":
        raise EmbeddedProblem(sentences.NOT_GGUF.format(model=model))


def _token_json(token: dict[str, Any]) -> dict[str, Any]:
    return {name: token[name] for name in ("token", "logprob", "bytes")}


def _encodable(text: str) -> str:
    """The text with lone surrogates replaced, which UTF-8 cannot encode and llama.cpp refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _refusal(error: dict[str, Any]) -> GenerationRefused:
    if error.get("type") == "exceed_context_size_error":
        return GenerationRefused(
            sentences.PROMPT_TOO_LONG.format(prompt_tokens=error["n_prompt_tokens"], context_tokens=error["n_ctx"]),
            "messages",
        )
    return GenerationRefused(str(error.get("message") or sentences.REFUSED_WITHOUT_REASON))
