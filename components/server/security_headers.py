"""The headers of every response: allowed sources, allowed frames, no search engine, no referrer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.server.page_shell import script_hashes


def security_headers(frame_ancestors: Iterable[str]) -> dict[str, str]:
    """The headers by name. ``frame_ancestors`` are the further origins that may frame a page."""
    framing = " ".join(["'self'", *frame_ancestors])
    return {
        # The minimum for Streamlit: no image, script or connection to another origin. Streamlit passes the text
        # of a component's script to the browser as a blob. Of inline scripts, only the served ones run.
        "Content-Security-Policy": (
            f"default-src 'self'; script-src 'self' {script_hashes()} blob:; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
            f"frame-src 'self'; frame-ancestors {framing}; object-src 'none'; base-uri 'self'; form-action 'self'"
        ),
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class SecurityHeaders:
    """Adds the headers to every response, Streamlit's own included."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
