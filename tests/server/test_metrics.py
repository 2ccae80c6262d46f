from __future__ import annotations

import pytest
from starlette.requests import Request

from components.server.routes import may_read_metrics


def a_request(peer: str, **headers: str) -> Request:
    named = {"host": "127.0.0.1:8501", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": lines}
    return Request({**scope, "client": (peer, 50_000), "server": ("127.0.0.1", 8501), "scheme": "http"})


def test_without_a_token_metrics_are_served_to_this_machine_only() -> None:
    assert may_read_metrics(a_request("127.0.0.1"))
    assert may_read_metrics(a_request("::1", host="[::1]:8501"))
    assert not may_read_metrics(a_request("192.0.2.1"))
    assert not may_read_metrics(a_request("127.0.0.1", x_forwarded_for="192.0.2.1"))
    assert not may_read_metrics(a_request("127.0.0.1", host="tempera.example.org"))
    assert not may_read_metrics(a_request("192.0.2.1", authorization="Bearer "))


def test_metrics_are_served_to_others_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_METRICS_TOKEN", "token")
    assert may_read_metrics(a_request("192.0.2.1", host="tempera.example.org", authorization="Bearer token"))
    for wrong in ("", "Bearer", "Bearer other", "Bearer töken"):
        assert not may_read_metrics(a_request("192.0.2.1", authorization=wrong))
