"""A server that would stand open against its operator's intention does not start, and says why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.server.startup import reason_not_to_start
from tests.browser.conftest import ROOT, free_port
from tests.security.test_login import LOGIN

STREAMLIT = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port"]
UVICORN = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "--lifespan", "off", "app:app", "--port"]


@dataclass(frozen=True)
class Start:
    says: str
    secrets: bytes | None = None
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=lambda: STREAMLIT)


STARTS = {
    "no_toml": Start("The secrets file cannot be read, or is not valid TOML. Mend it.", b'[demo]\napi_key = "canary'),
    "no_text": Start("The secrets file cannot be read, or is not valid TOML. Mend it.", b"\xff\xfe"),
    "half_a_login": Start(
        "[auth] in the secrets file has no client_secret.", LOGIN.encode().replace(b"client_s", b"s"), command=UVICORN
    ),
    "not_read": Start(
        "STREAMLIT_SECRETS_FILES is read by `streamlit run` alone.",
        environment={"STREAMLIT_SECRETS_FILES": "elsewhere.toml"},
        command=UVICORN,
    ),
    "no_address": Start(
        "TEMPERA_PUBLIC_URL must be an address", environment={"TEMPERA_PUBLIC_URL": "tempera.example"}, command=UVICORN
    ),
}
"""Of each kind one: tests/access has every login that is there by half."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All of them, started together."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(begun(start, tmp_path_factory.mktemp(name))) for name, start in STARTS.items()}


def begun(start: Start, folder: Path) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPERA_", "STREAMLIT_"))}
    own = {"TEMPERA_DATABASE_URL": f"sqlite:///{folder / 'runs.sqlite3'}", "HOME": str(folder)}
    if start.secrets is not None:
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "secrets.toml").write_bytes(start.secrets)
    return subprocess.Popen(
        [*start.command, str(free_port())],
        cwd=folder,
        env={**clean, **own, **start.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("name", STARTS)
def test_what_would_stand_open_does_not_start(ended: dict[str, subprocess.Popen[str]], name: str) -> None:
    try:
        said, _ = ended[name].communicate(timeout=60)
    finally:
        ended[name].kill()
    assert ended[name].returncode == 1, said
    (sentence,) = (line for line in said.splitlines() if line.startswith("Tempera does not start."))
    assert STARTS[name].says in sentence
    assert "canary" not in sentence
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"TEMPERA_LOGIN": "required"}, "the secrets file has no table [auth]."),
        (
            {"TEMPERA_DEMO": "1", "TEMPERA_DATABASE_URL": "postgresql://127.0.0.1:9/runs"},
            "Set STREAMLIT_SERVER_COOKIE_SECRET.",
        ),
    ],
    ids=["login_required", "replicas"],
)
def test_an_environment_that_is_meant_to_close_what_stands_open_keeps_it_from_starting(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    assert reason_not_to_start() is None
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reason = reason_not_to_start()
    assert reason is not None
    assert says in reason
