"""Tempera's server with the page that BENCH_SCRIPT names, and a route that starts runs which no page has asked for."""

import os

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app import HEADERS, lifespan
from components.server.process import service
from components.server.security_headers import SecurityHeaders
from components.ui.answer import live_view
from tests.benchmarks.live_view.bench_runs import start_runs


def start(request: Request) -> JSONResponse:
    """Start as many runs as ``?runs=`` says. Each has a visitor and a token with which it may be watched."""
    started = []
    for run in start_runs(int(request.query_params["runs"])):
        channel = service().channels.open(f"visitor {run.id}")
        channel.show(run, run.events)
        started.append({"token": channel.token, "run": run.id})
    return JSONResponse(started)


app = st.App(
    os.environ["BENCH_SCRIPT"],
    routes=[Route("/bench/start", start, methods=["POST"]), *live_view.routes()],
    middleware=[Middleware(SecurityHeaders, headers=HEADERS)],
    lifespan=lifespan,
)
