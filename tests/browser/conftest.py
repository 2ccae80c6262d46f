from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import requests

from tests import canary, forks
from tests.browser.source import Source
from tests.streaming.endpoint import Endpoint, serve

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def app_process(folder: Path, port: int, **environment: str) -> Iterator[BaseProcess]:
    """The running app, started like ``streamlit run app.py``, with its own log and secrets."""
    command = ["streamlit", "run", "app.py", "--server.port", str(port)]
    process = forks.start(command, ROOT, {**app_environment(folder), **environment}, folder / "app.log")
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", folder / "app.log")
        yield process
    finally:
        process.terminate()
        process.join(10)
        process.kill()


def app_environment(folder: Path) -> dict[str, str]:
    """The environment of an app with its log and secrets in this folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEMPERA_")}
    return {
        **clean,
        "TEMPERA_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite3'}",
        "TEMPERA_ENDPOINTS_FILE": str(folder / "endpoints.toml"),
        "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
        # Sent to the endpoint of the environment, if any; tests/check-canary searches for it everywhere else.
        "TEMPERA_API_KEY": canary.KEY,
    }


def wait_until_it_answers(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                session.get(url, timeout=5).raise_for_status()
            except (requests.ConnectionError, requests.Timeout):
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            else:
                return


@contextmanager
def serve_app(folder: Path, port: int | None = None, **environment: str) -> Iterator[str]:
    """The app's address, while it runs."""
    port = port or free_port()
    with app_process(folder, port, **environment):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def embedded_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with the embedded model."""
    with serve_app(tmp_path_factory.mktemp("app")) as address:
        yield address


@dataclass(frozen=True)
class Scripted:
    """An app with an endpoint controlled by the test."""

    address: str
    source: Source
    endpoint: Endpoint


@pytest.fixture(scope="session")
def scripted_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    source = Source()
    with (
        serve(source.play) as endpoint,
        serve_app(tmp_path_factory.mktemp("scripted"), TEMPERA_BASE_URL=endpoint.base_url) as address,
    ):
        yield Scripted(address, source, endpoint)
        source.begin()  # otherwise the answer of a failed test would never end
        source.finish()


@pytest.fixture
def scripted(scripted_app: Scripted) -> Iterator[Scripted]:
    """The app of all tests without special settings. Each test ends the answers of the previous one."""
    scripted_app.source.begin()
    yield scripted_app
    scripted_app.source.begin()
    scripted_app.source.finish()


@pytest.fixture
def live_app(scripted: Scripted) -> str:
    """That app's address."""
    return scripted.address


@pytest.fixture
def source(scripted: Scripted) -> Source:
    """That app's endpoint."""
    return scripted.source
