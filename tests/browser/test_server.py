from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from starlette.routing import Mount

from components import __version__
from components.ui import live_view
from tests.browser.conftest import ROOT, serve_app

KEY = "canary-key-5"


def get(address: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, headers=headers, timeout=10)


@pytest.mark.parametrize("path", ["/", "/runs", "/healthz", "/_stcore/health", "/_stcore/host-config", "/no/such"])
def test_every_answer_carries_the_security_headers(app: str, path: str) -> None:
    headers = get(app + path).headers
    assert "img-src 'self' data: blob:;" in headers["Content-Security-Policy"]
    assert "connect-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_health_route_tells_version_log_and_model(app: str) -> None:
    health = get(f"{app}/healthz").json()
    assert (health["version"], health["log"]) == (__version__, "ok")
    assert health["embedded_model"] in ("idle", "fetching", "loading", "ready")


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_our_own_pages_may_open_a_websocket(app: str, path: str, headers: dict[str, str], status: int) -> None:
    host = app.removeprefix("http://")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    asked = {"Host": host, "Origin": app, **upgrade, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), 10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(64).split()[1] == str(status).encode()


@pytest.mark.parametrize(
    "path", ["../__init__.py", "..%2f__init__.py", "%2e%2e/loader.js", "/etc/passwd", "view.py", ""]
)
def test_the_live_views_files_are_those_of_its_folder_only(app: str, path: str) -> None:
    host, _, port = app.removeprefix("http://").partition(":")
    folder = next(route.path for route in live_view.routes() if isinstance(route, Mount))
    assert "javascript" in get(f"{app}{folder}/view.js").headers["Content-Type"]
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"GET {folder}/{path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert connection.recv(64).split()[1] in (b"400", b"403", b"404")


def test_the_agent_api_is_off(app: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{app}/_stcore/agent/interact", json={}, timeout=10)
    assert not answer.ok
    assert "does not serve the agent API" in answer.text


def test_the_settings_in_force_are_the_safe_ones() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "streamlit", "config", "show"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for line in (
        'showErrorDetails = "none"',
        "showErrorLinks = false",
        'toolbarMode = "viewer"',
        "disableDataExport = true",
        'address = "127.0.0.1"',
        "enableCORS = true",
        "enableXsrfProtection = true",
        "enableAgentApi = false",
        "enableStaticServing = false",
        "maxUploadSize = 1",
        "maxMessageSize = 20",
        "gatherUsageStats = false",
    ):
        assert f"\n{line}\n" in shown, line


def test_a_key_stays_out_of_everything_the_server_writes(tmp_path: Path) -> None:
    with serve_app(
        tmp_path, TEMPERA_BASE_URL="http://127.0.0.1:9/v1", TEMPERA_API_KEY=KEY, TEMPERA_DIALECT="klingon"
    ) as address:
        assert KEY not in get(f"{address}/healthz").text
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        began = time.monotonic()
        app = subprocess.run(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert time.monotonic() - began < 30
    assert app.returncode != 0
    assert f"Port {port} is not available" in app.stdout + app.stderr
