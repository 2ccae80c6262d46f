"""Tempera's server with the page named by BENCH_SCRIPT and a route that starts runs without a page."""

import os

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import HEADERS, lifespan
from components.server.security_headers import SecurityHeaders
from components.ui.answer import live_view
from tests.benchmarks.live_view.bench_runs import start_runs


def start(request: Request) -> Response:
    """Start as many runs as ``?runs=`` says."""
    start_runs(int(request.query_params["runs"]))
    return Response(status_code=204)


app = st.App(
    os.environ["BENCH_SCRIPT"],
    routes=[Route("/bench/start", start, methods=["POST"]), *live_view.routes()],
    middleware=[Middleware(SecurityHeaders, headers=HEADERS)],
    lifespan=lifespan,
)
