"""Every response of the server: security headers, own files only, and nothing private before the socket."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from app import HEADERS
from app import app as server
from components import __version__
from components.ui.answer import live_view
from tests.browser.conftest import ROOT
from tests.security.conftest import KEY, MINE, THEIRS, TITLE, App
from tests.security.session import ask

OWN_ROUTES = {
    "/healthz": "/healthz",
    "/metrics": "/metrics",
    "/robots.txt": "/robots.txt",
    "/exports/{token}/runs.{kind}": "/exports/x/runs.csv",
    "/cards/{capsule_id}.png": "/cards/x.png",
    "/live": "/live",
    "/replica": "/replica",
}
"""Each own route except folders, with a request to it."""
ASSETS = next(route.path for route in live_view.routes() if isinstance(route, Mount))
ROUTES = [
    *OWN_ROUTES.values(),
    *(f"{ASSETS}/{name}" for name in ("view.js", "no-such.js", "")),
    *("/", "/runs", "/runs/", "/shared?c=x", "/no/such/page", "/index.html", "/favicon.png", "/manifest.json"),
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check"),
    *("/_stcore/stream", "/_stcore/upload_file/x/y", "/_stcore/agent/interact", "/_stcore/agent/mcp"),
    *("/_stcore/bidi-components/x/y", "/_stcore/message?hash=x", "/media/x.png", "/component/x/y", "/static/x.js"),
    *("/app/static/x", "/auth/login", "/auth/logout", "/oauth2callback", "/media/../../etc/passwd", "//evil.example/"),
]


def own_routes() -> list[BaseRoute]:
    return [route for route in server._user_routes if isinstance(route, Route | WebSocketRoute)]


def test_the_list_of_routes_is_complete() -> None:
    assert {route.path for route in own_routes()} == set(OWN_ROUTES)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_every_response_has_every_header(running: App, method: str) -> None:
    for path in ROUTES:
        answer = ask(running.address, path, method)
        for name, value in HEADERS.items():
            assert answer.headers.get(name.lower()) == value, f"{method} {path}: {name}"


def test_a_page_may_load_and_send_nothing_elsewhere(running: App) -> None:
    rules = dict(
        rule.strip().split(" ", 1) for rule in ask(running.address, "/").headers["content-security-policy"].split(";")
    )
    here = {"'self'", "'none'", "data:", "blob:"}
    scripts, styles = rules.pop("script-src").split(), rules.pop("style-src").split()
    assert all(set(sources.split()) <= here for sources in rules.values()), rules
    assert styles == ["'self'", "'unsafe-inline'"]
    assert [source for source in scripts if not source.startswith("'sha256-")] == ["'self'", "blob:"]
    assert set(rules) >= {"default-src", "img-src", "connect-src", "frame-ancestors", "base-uri", "form-action"}
    assert rules["object-src"] == "'none'"


@pytest.mark.parametrize("path", ["/", "/runs", "/shared?c=x"])
def test_only_served_scripts_run_in_a_page(running: App, path: str) -> None:
    answer = ask(running.address, path)
    served = re.findall(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", answer.body, re.DOTALL)
    assert any(b"MutationObserver" in script for script in served)
    hashes = {f"sha256-{b64encode(sha256(script).digest()).decode()}" for script in served}
    assert hashes == set(re.findall(r"'(sha256-[^']+)'", answer.headers["content-security-policy"]))
    assert not re.search(rb"<[a-z][^>]*\son[a-z]+\s*=", answer.body)


def test_the_robots_file_excludes_every_crawler(running: App) -> None:
    answer = ask(running.address, "/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(rb"^User-agent: \*\s+Disallow: /$", answer.body, re.MULTILINE | re.IGNORECASE)


OUTSIDE = [
    *("..", "../..", "../../app.py", "../../../../../../etc/passwd", "....//....//etc/passwd", "..;/..;/app.py"),
    *("%2e%2e/%2e%2e/app.py", "..%2f..%2fapp.py", "%252e%252e%252fapp.py", "..%5c..%5capp.py", "..\\..\\app.py"),
    *("%c0%ae%c0%ae/app.py", "/etc/passwd", "%2fetc%2fpasswd", "C:/Windows/win.ini", "//evil.example/share"),
    *("%5c%5cevil.example%5cshare", "\\\\evil.example\\share", "x%00.png", "./././app.py", "file:///etc/passwd"),
    *(".streamlit/config.toml", "../.streamlit/secrets.toml", "secrets.toml", "app.py", "runs.sqlite3"),
]


@pytest.mark.parametrize(
    "folder",
    [
        *("", "media", "component", "component/tempera_live_view", "static", "app/static", "_stcore/bidi-components"),
        *("_stcore/bidi-components/tempera_live_view", ASSETS.strip("/"), "_stcore/upload_file", "exports"),
    ],
)
def test_no_path_leads_to_another_file(running: App, folder: str) -> None:
    page = ask(running.address, "/").body
    for path in OUTSIDE:
        answer = ask(running.address, f"/{folder}/{path}".replace("///", "//"))
        # Streamlit answers unknown paths with the page itself.
        assert answer.status in (301, 307, 400, 403, 404, 405) or answer.body == page, f"{folder}/{path}"
        assert not answer.headers.get("location", "/").startswith(("//", "http", "\\")), f"{folder}/{path}"


@pytest.mark.parametrize("path", ["/_stcore/agent/interact", "/_stcore/agent/mcp"])
def test_the_agent_api_is_off(running: App, path: str) -> None:
    # The third route, openapi.json, is the same description of Streamlit for every app.
    assert ask(running.address, path).status == 405
    refused = ask(running.address, path, "POST", Content_Length="0")
    assert refused.status >= 400
    assert b"does not serve the agent API" in refused.body


@pytest.mark.parametrize("name", ["next", "url", "redirect", "redirect_uri", "return_to", "continue"])
def test_no_parameter_leads_to_another_site(running: App, name: str) -> None:
    for path in ("/", "/runs/", "/auth/login", "/auth/logout", "/oauth2callback", "/shared"):
        for target in ("https://evil.example/", "//evil.example/", "/\\evil.example/"):
            answer = ask(running.address, f"{path}?{name}={target}", Host="localhost", X_Forwarded_Host="evil.example")
            assert not answer.headers.get("location", "").startswith(("http", "//", "/\\")), (path, answer.headers)


def test_link_previews_contain_nothing_private(running: App) -> None:
    shown = ask(running.address, f"/shared?c={running.my_capsule}", User_Agent="Slackbot-LinkExpanding 1.0")
    assert shown.status == 200
    # The HTML depends neither on the content of the link nor on its existence.
    assert shown.body == ask(running.address, "/shared?c=AAAAAAAAAAAAAAAAAAAAAA").body
    for private in (KEY, MINE, THEIRS, TITLE, running.my_capsule, running.my_run, running.endpoint.base_url):
        assert private.encode() not in shown.body
        assert private not in str(shown.headers)


@pytest.mark.parametrize(
    "path", ["/healthz", "/metrics", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics"]
)
def test_health_and_metrics_contain_no_secret(running: App, path: str) -> None:
    body = ask(running.address, path).body
    secrets = KEY, MINE, THEIRS, TITLE, running.endpoint.base_url, str(running.folder), str(ROOT), str(Path.home())
    assert not [secret for secret in secrets if secret.encode() in body]


def test_the_health_route_reports_version_log_and_model(running: App) -> None:
    health = json.loads(ask(running.address, "/healthz").body)
    assert (health["version"], health["log"]) == (__version__, "ok")
    assert health["embedded_model"] in ("idle", "fetching", "loading", "ready")
