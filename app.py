"""The server around the pages: security headers, a health route, an orderly end."""

from __future__ import annotations

import logging
import os
import re
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components import __version__
from components.access.login import NotLetIn
from components.demo.budget import left
from components.log.metrics import metrics_of
from components.log.query import QueryFailed
from components.protection.private_files import keep_new_files_private
from components.protection.slow_requests import end_slow_requests
from components.protection.traceback_limit import limit_tracebacks
from components.runs.gate import Refused
from components.server import run_files
from components.server.closed_routes import ClosedRoutes
from components.server.cookies import VisitorCookie
from components.server.forwarded import keep_peer_of_socket
from components.server.hosts import ONLY_HERE, listens_in_vain, public_url_problem
from components.server.page_limit import PageLimit
from components.server.page_shell import PageShell, script_hashes
from components.server.same_origin import OwnPagesOnly
from components.service import close_service, reason_not_to_start, service
from components.ui.answer import live_view
from components.ui.uploads import UploadDoor
from components.ui.whole_messages import ReadToTheEnd, take_in_whole_messages

# Here, and not when the application begins: a server may be told to serve one that could not begin. And first: reading
# the secrets file puts what stands at its top into the environment, where everything below looks for it.
if reason := reason_not_to_start() or public_url_problem():
    sys.exit(f"Tempera does not start. {reason}")
if listens_in_vain():
    logging.getLogger("tempera").warning(ONLY_HERE)

FRAME_ANCESTORS = "TEMPERA_FRAME_ANCESTORS"
"""The environment variable that names the sites, parted by spaces, which may show Tempera in a frame of theirs."""
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?")


def frame_ancestors(environment: Mapping[str, str]) -> str:
    """The sites that may frame Tempera: itself, and those that the operator names. What is no origin is left out."""
    named = [site for site in environment.get(FRAME_ANCESTORS, "").split() if _ORIGIN.fullmatch(site)]
    return " ".join(["'self'", *named])


HEADERS = {
    # What Streamlit needs and nothing else: no image, script or connection to anywhere but here. It hands the text of a
    # component's script to the browser as a blob. Of scripts in a page, those that are served run, and no other.
    "Content-Security-Policy": (
        f"default-src 'self'; script-src 'self' {script_hashes()} blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        f"frame-src 'self'; frame-ancestors {frame_ancestors(os.environ)}; "
        "object-src 'none'; base-uri 'self'; form-action 'self'"
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


def metrics(_request: Request) -> PlainTextResponse:
    """Runs of the last day, their time to first token and what a demo has left, as Prometheus reads it."""
    log, demo = service().log, service().demo
    try:
        if log.database is None:
            raise QueryFailed("There is no log now.")
        found = metrics_of(log.database)
        tokens = left(log, demo, "", "").tokens_today if demo else None
    except (QueryFailed, Refused):
        return PlainTextResponse("The log cannot be read now.\n", 503)
    lines = [f'tempera_runs_last_day{{status="{status}"}} {count}' for status, count in found.runs.items()]
    lines += [f'tempera_ttft_ms{{quantile="{quantile}"}} {value:.1f}' for quantile, value in found.ttft_ms.items()]
    lines += [] if tokens is None else [f"tempera_demo_tokens_left {tokens}"]
    return PlainTextResponse("\n".join(lines) + "\n")


def robots(_request: Request) -> PlainTextResponse:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


def report_script_error(error: Exception) -> bool:
    """Log a fault of ours under an id and tell the visitor only that id."""
    if isinstance(error, NotLetIn):  # a login ended while its page stood open
        st.info(f"{error} What is on this page stays until you reload it.")
        return True
    name = uuid.uuid4().hex[:8]
    logging.getLogger("tempera").error("Fault %s", name, exc_info=error)
    st.error(f"Something went wrong in Tempera itself (fault {name}; its terminal says more). Reload the page.")
    return True


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Bound what faults write; end runs, log and embedded model together with the server."""
    limit_tracebacks()
    yield
    close_service()


keep_peer_of_socket()
keep_new_files_private()
end_slow_requests()
take_in_whole_messages()
app = st.App(
    "pages/navigation.py",
    routes=[
        Route("/healthz", health),
        Route("/metrics", metrics),
        Route("/robots.txt", robots),
        *live_view.routes(),
        *run_files.routes(),
    ],
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(OwnPagesOnly),
        Middleware(PageLimit, demo=lambda: service().demo, places=lambda: service().sessions),
        Middleware(ClosedRoutes),
        Middleware(UploadDoor, uploads=lambda: service().uploads),
        Middleware(PageShell),
        Middleware(VisitorCookie, demo=lambda: service().demo),
        Middleware(ReadToTheEnd),
    ],
    lifespan=lifespan,
    on_script_error=report_script_error,
)
