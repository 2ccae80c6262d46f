"""The routes of the embedded endpoint: from an HTTP request to a generation, and back to the contract's JSON."""

from __future__ import annotations

import asyncio
import hmac
import time
import uuid
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from components.contract.messages import role_order_problem
from components.embedded import sentences, wire
from components.embedded.engine import Engine, Finished, Generation, GenerationRefused, PromptAccepted, Stopped, Text
from components.embedded.wire import Json

_BROKE_OFF = wire.error_object("Service unavailable: the model stopped unexpectedly.", "internal_server_error", "1000")


def create_app(engine: Engine, api_key: str = "") -> Starlette:
    """The ASGI application that serves ``engine``. A non-empty ``api_key`` is required for all of ``/v1``."""
    endpoint = _Endpoint(engine, api_key)
    app = Starlette(
        routes=[
            Route("/health", endpoint.health, methods=["GET"]),
            Route("/v1/models", endpoint.models, methods=["GET"]),
            Route("/v1/chat/completions", endpoint.chat_completions, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _answer_http_exception, Exception: _answer_bug},
    )
    app.router.redirect_slashes = False
    return app


class _Endpoint:
    def __init__(self, engine: Engine, api_key: str) -> None:
        self._engine = engine
        self._api_key = api_key
        self._started = int(time.time())
        # The event loop keeps only weak references to tasks.
        self._watches: set[asyncio.Task[None]] = set()

    async def health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    async def models(self, request: Request) -> Response:
        self._authorize(request)
        return _json(wire.model_list(self._engine.model_id, self._started, self._engine.context_tokens))

    async def chat_completions(self, request: Request) -> Response:
        self._authorize(request)
        try:
            parsed = wire.read_request(await _read_body(request))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except wire.InvalidBody as invalid:
            return _json({"detail": invalid.problems}, 422)
        if parsed.model != self._engine.model_id:
            return _error(404, f"Invalid model: {parsed.model[:200]}", "invalid_model", "1500")
        problem = role_order_problem(list(parsed.messages))
        if problem is not None:
            return _error(400, problem, "invalid_request_message_order", "3230")

        generation = self._engine.start(parsed)
        watch = asyncio.create_task(_stop_when_client_leaves(request, generation))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

        # No response begins before the prompt is accepted, so that a refusal can have its own status.
        queued_ms = 0.0
        match await generation.next_event():
            case GenerationRefused(sentence, field):
                return _error(400, sentence, "invalid_request_prompt", "3051", field)
            case Stopped():
                return _json(_BROKE_OFF, 500)
            case PromptAccepted(_, waited_ms):
                queued_ms = waited_ms
        timing = {"Server-Timing": f"queue;dur={queued_ms:.1f}"}
        head: Json = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": parsed.model}
        if parsed.stream:
            headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", **timing}
            return StreamingResponse(_events(generation, head), headers=headers)
        return await _complete_response(generation, head, timing)

    def _authorize(self, request: Request) -> None:
        if not self._api_key:
            return
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), self._api_key.encode()):
            raise HTTPException(401, "Unauthorized", {"WWW-Authenticate": "Bearer"})


async def _read_body(request: Request) -> bytes:
    """The body. Raises HTTPException 413 as soon as it is too large."""
    too_large = HTTPException(413, sentences.REQUEST_TOO_LARGE.format(limit=wire.MAX_BODY_BYTES))
    length = request.headers.get("Content-Length", "0")
    if length.isdigit() and int(length[:20]) > wire.MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > wire.MAX_BODY_BYTES:
            raise too_large
    return bytes(body)


async def _stop_when_client_leaves(request: Request, generation: Generation) -> None:
    """Stop the generation when the connection closes.

    The server also reports this after a complete answer, so this always ends; stopping has no effect then.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
    generation.stop()


async def _events(generation: Generation, head: Json) -> AsyncIterator[bytes]:
    yield wire.event(wire.chunk(head, {"role": "assistant", "content": ""}))
    while True:
        match await generation.next_event():
            case Text(text, logprobs):
                yield wire.event(wire.chunk(head, {"content": text}, logprobs=logprobs))
            case Finished() as finished:
                yield wire.event(wire.chunk(head, {"content": ""}, finished))
                yield wire.DONE
                return
            case GenerationRefused(sentence):
                yield wire.event({"error": wire.error_object(sentence, "internal_server_error", "1000")})
                return
            case Stopped():
                # No finish_reason and no [DONE], so that the client sees an incomplete answer.
                return
            case PromptAccepted():
                pass


async def _complete_response(generation: Generation, head: Json, headers: dict[str, str]) -> Response:
    text = ""
    tokens: list[Json] = []
    while True:
        match await generation.next_event():
            case Text(piece, logprobs):
                text += piece
                tokens += logprobs["content"] if logprobs else ()
            case Finished() as finished:
                return _json(wire.completion(head, text, finished, tokens), headers=headers)
            case GenerationRefused(sentence):
                return _error(500, sentence, "internal_server_error", "1000")
            case Stopped():
                return _json(_BROKE_OFF, 500)
            case PromptAccepted():
                pass


def _json(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(wire.encode(value), status, headers, media_type="application/json")


def _error(status: int, message: str, kind: str, code: str, field: str | None = None) -> Response:
    return _json(wire.error_object(message, kind, code, field), status)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return _json({"detail": error.detail}, error.status_code, dict(error.headers or {}))


async def _answer_bug(request: Request, error: Exception) -> Response:
    return _json(wire.error_object("Service unavailable.", "internal_server_error", "1000"), 500)
