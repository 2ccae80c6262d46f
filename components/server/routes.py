"""Routes for programs: health, metrics, and robots.txt."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route

from components import __version__
from components.demo.budget import left
from components.log import sentences
from components.log.metrics import metrics_of
from components.log.query import QueryFailed
from components.runs.gate import Refused
from components.server.hosts import LOOPBACK
from components.server.process import service
from components.settings import read_settings, variable_name

_METRICS_TOKEN = variable_name("metrics_token")


def routes() -> list[BaseRoute]:
    """The routes. They are at the root, where programs expect them, wherever the pages are."""
    return [Route("/healthz", _health), Route("/metrics", _metrics), Route("/robots.txt", _robots)]


def _health(_request: Request) -> JSONResponse:
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


def _metrics(request: Request) -> PlainTextResponse:
    """Runs of the last day, their time to first token and a demo's remaining budget, in Prometheus format.

    For this machine, and for callers with the operator's token.
    """
    if not may_read_metrics(request):
        return PlainTextResponse(f"Send Authorization: Bearer with the token of {_METRICS_TOKEN}.\n", 403)
    log, demo = service().log, service().demo
    try:
        if log.database is None:
            raise QueryFailed(sentences.UNAVAILABLE)
        metrics = metrics_of(log.database)
        tokens = left(log, demo, "", "").tokens_today if demo else None
    except (QueryFailed, Refused):
        return PlainTextResponse("The log cannot be read now.\n", 503)
    lines = [f'tempera_runs_last_day{{status="{status}"}} {count}' for status, count in metrics.runs.items()]
    lines += [f'tempera_ttft_ms{{quantile="{quantile}"}} {value:.1f}' for quantile, value in metrics.ttft_ms.items()]
    lines += [] if tokens is None else [f"tempera_demo_tokens_left {tokens}"]
    return PlainTextResponse("\n".join(lines) + "\n")


def may_read_metrics(request: Request) -> bool:
    """Whether a request has the operator's token, or comes from a program of this machine that asks for itself."""
    headers = request.headers
    token = read_settings().metrics_token
    sent = headers.get("authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(sent.encode(), token.encode()):
        return True
    # A proxy of this machine asks for others.
    is_passed_on = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    peer = request.client.host if request.client else ""
    return peer in LOOPBACK and request.url.hostname in LOOPBACK and not is_passed_on


def _robots(_request: Request) -> PlainTextResponse:
    """Excludes all search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
