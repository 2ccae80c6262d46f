"""The server around the pages: security headers, a health route, an orderly end."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components import __version__
from components.service import close_service, service
from components.ui import live_view
from components.ui.browsing import take_away
from components.ui.cookies import VisitorCookie

HEADERS = {
    # What Streamlit needs and nothing else: no image, script or connection to anywhere but here. It hands the text of a
    # component's script to the browser as a blob.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "frame-src 'self'; frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """Puts the headers on every response, Streamlit's own included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def health(_request: Request) -> JSONResponse:
    """Version, log and embedded model, without paths, addresses or keys."""
    log = service().log
    return JSONResponse(
        {
            "version": __version__,
            "log": "failing" if log.problem else "ok",
            "database": log.database.engine_version if log.database else None,
            "embedded_model": service().model.state.phase.value,
        }
    )


def report_script_error(error: Exception) -> bool:
    """Log a fault of ours under an id and tell the visitor only that id."""
    name = uuid.uuid4().hex[:8]
    logging.getLogger("tempera").error("Fault %s", name, exc_info=error)
    st.error(f"Something went wrong in Tempera itself (fault {name}; its terminal says more). Reload the page.")
    return True


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """End runs, log and embedded model together with the server."""
    yield
    close_service()


app = st.App(
    "pages/navigation.py",
    routes=[Route("/healthz", health), *live_view.routes(), *take_away.routes()],
    middleware=[Middleware(SecurityHeaders), Middleware(VisitorCookie, is_demo=lambda: service().demo is not None)],
    lifespan=lifespan,
    on_script_error=report_script_error,
)
