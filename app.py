"""The server around the pages: middleware, routes, and an orderly shutdown."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from components.protection.private_files import keep_new_files_private
from components.server import link_cards, routes, run_files
from components.server.closed_routes import ClosedRoutes
from components.server.compressed_files import CompressedFiles
from components.server.cookies import VisitorCookie
from components.server.forwarded import keep_peer_of_socket
from components.server.held_messages import hold_back_messages
from components.server.hosts import ONLY_HERE, lacks_public_url
from components.server.message_references import refer_to_drawn_elements
from components.server.page_limit import PageLimit
from components.server.page_shell import PageShell
from components.server.process import close_service, service
from components.server.same_origin import SameOrigin
from components.server.security_headers import SecurityHeaders, security_headers
from components.server.slow_requests import end_slow_requests
from components.server.startup import reason_not_to_start
from components.server.structured_logs import log_as_json
from components.server.traceback_limit import limit_tracebacks
from components.server.upload_limit import UploadLimit
from components.server.whole_messages import ReadToTheEnd, take_in_whole_messages
from components.settings import read_settings
from components.ui import replica_check
from components.ui.answer import live_view
from components.ui.user_errors import report_script_error

# Here and not at the start of the application, because a server may serve one that failed to start. First, because
# reading the secrets file puts its top-level values into the environment, which everything below reads.
if reason := reason_not_to_start():
    sys.exit(f"Tempera does not start. {reason}")
if lacks_public_url():
    logging.getLogger("tempera").warning(ONLY_HERE)

# Drawing a page takes some hundred steps of the event loop, and each waits this long for a thread that renders a long
# answer: next to one, another visitor's page took 1.1 s with Python's 5 ms, and 0.45 s with this.
sys.setswitchinterval(0.001)

HEADERS = security_headers(read_settings().frame_ancestors)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Open the log before the first request; stop runs, log and embedded model with the server."""
    limit_tracebacks()
    if read_settings().log_format == "json":
        log_as_json()
    await run_in_threadpool(service)
    yield
    await run_in_threadpool(close_service)


keep_peer_of_socket()
keep_new_files_private()
end_slow_requests()
take_in_whole_messages()
hold_back_messages()
refer_to_drawn_elements()
app = st.App(
    "pages/navigation.py",
    routes=[*routes.routes(), *run_files.routes(), *link_cards.routes(), *live_view.routes(), *replica_check.routes()],
    middleware=[
        Middleware(SecurityHeaders, headers=HEADERS),
        Middleware(SameOrigin),
        Middleware(PageLimit, demo=lambda: service().demo, places=lambda: service().sessions),
        Middleware(ClosedRoutes),
        Middleware(UploadLimit, uploads=lambda: service().uploads),
        Middleware(PageShell),
        Middleware(VisitorCookie, demo=lambda: service().demo),
        Middleware(ReadToTheEnd),
        Middleware(CompressedFiles),  # innermost: its cache holds no visitor's data
    ],
    lifespan=lifespan,
    on_script_error=report_script_error,
)
