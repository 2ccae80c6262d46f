"""Sends Streamlit's static files compressed. Each is compressed once and kept, about a megabyte for all of a page."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COMPRESSIBLE = re.compile(r"/static/[^?]*\.(?:js|css|svg|wasm)$")
_FOR_EVER = "immutable"
"""In the Cache-Control of files whose names hold a hash of their content: these never change."""
_LEVEL = 6
_REFUSED = ("q=0", "q=0.0", "q=0.00", "q=0.000")


@dataclass
class _Response:
    """A response of the application."""

    start: Message
    body: bytes = b""

    @property
    def may_be_cached(self) -> bool:
        """Whether it is a whole file that never changes."""
        headers = Headers(raw=self.start["headers"])
        is_plain = "content-encoding" not in headers
        return self.start["status"] == 200 and is_plain and _FOR_EVER in headers.get("cache-control", "")

    def compressed(self) -> _Response:
        """The same response with gzip."""
        body = gzip.compress(self.body, _LEVEL)
        start = {**self.start, "headers": list(self.start["headers"])}
        headers = MutableHeaders(scope=start)
        headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(body))})
        headers.add_vary_header("Accept-Encoding")
        if etag := headers.get("etag"):
            headers["ETag"] = f"W/{etag.removeprefix('W/')}"  # the same content, not the same bytes
        return _Response(start, body)

    async def send(self, send: Send) -> None:
        """Send the response."""
        await send({**self.start})  # a copy, because the outer layers add headers
        await send({"type": "http.response.body", "body": self.body})


class CompressedFiles:
    """Compresses static files for browsers that take gzip. Everything else passes, streams and sockets included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cache: dict[str, _Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if not _takes_gzip(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._cache:
            response = await self._whole_response(scope, receive)
            if not response.may_be_cached:
                await response.send(send)
                return
            self._cache[path] = await run_in_threadpool(response.compressed)
        await self._cache[path].send(send)

    async def _whole_response(self, scope: Scope, receive: Receive) -> _Response:
        """The application's whole response."""
        started: list[Message] = []
        body = bytearray()

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, take)
        return _Response(started[0], bytes(body))


def _takes_gzip(scope: Scope) -> bool:
    """Whether the request is for a whole static file, and accepts gzip."""
    if scope["type"] != "http" or scope["method"] != "GET" or not _COMPRESSIBLE.search(scope["path"]):
        return False
    headers = Headers(scope=scope)
    if "range" in headers or "if-none-match" in headers or "if-modified-since" in headers:
        return False
    codings = (coding.partition(";") for coding in headers.get("accept-encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and weight.replace(" ", "") not in _REFUSED for name, _, weight in codings)
