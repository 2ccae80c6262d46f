from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests import canary

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def app_process(folder: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The app as ``streamlit run app.py`` starts it, with a log and secrets of its own, once it answers."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEMPERA_")}
    own = {
        "TEMPERA_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite3'}",
        "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
        # Sent to the endpoint of the environment, where there is one; tests/check-canary looks where else it stands.
        "TEMPERA_API_KEY": canary.KEY,
    }
    with (
        open(folder / "app.log", "a") as log,
        subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**clean, **own, **environment},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", folder / "app.log")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_it_answers(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                session.get(url, timeout=5).raise_for_status()
            except requests.ConnectionError:
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
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on the embedded model."""
    with serve_app(tmp_path_factory.mktemp("app")) as address:
        yield address
