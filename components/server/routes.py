"""Routes for programs: health, metrics, and robots.txt."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route

from components import __version__
from components.demo.budget import left
from components.log.metrics import metrics_of
from components.log.query import QueryFailed
from components.runs.gate import Refused
from components.server.process import service


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


def _metrics(_request: Request) -> PlainTextResponse:
    """Runs of the last day, their time to first token and a demo's remaining budget, in Prometheus format."""
    log, demo = service().log, service().demo
    try:
        if log.database is None:
            raise QueryFailed("The log is unavailable.")
        found = metrics_of(log.database)
        tokens = left(log, demo, "", "").tokens_today if demo else None
    except (QueryFailed, Refused):
        return PlainTextResponse("The log cannot be read now.\n", 503)
    lines = [f'tempera_runs_last_day{{status="{status}"}} {count}' for status, count in found.runs.items()]
    lines += [f'tempera_ttft_ms{{quantile="{quantile}"}} {value:.1f}' for quantile, value in found.ttft_ms.items()]
    lines += [] if tokens is None else [f"tempera_demo_tokens_left {tokens}"]
    return PlainTextResponse("\n".join(lines) + "\n")


def _robots(_request: Request) -> PlainTextResponse:
    """Excludes all search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
