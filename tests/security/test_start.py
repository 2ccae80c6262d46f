"""A server without its configured protection does not start, with a reason."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.server.startup import reason_not_to_start
from tests import forks
from tests.browser.conftest import ROOT, free_port
from tests.security.test_login import LOGIN

STREAMLIT = ["streamlit", "run", str(ROOT / "app.py"), "--server.port"]
UVICORN = ["uvicorn", "--app-dir", str(ROOT), "--lifespan", "off", "app:app", "--port"]


@dataclass(frozen=True)
class Start:
    says: str
    secrets: bytes | None = None
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=lambda: STREAMLIT)


STARTS = {
    "no_toml": Start(
        "The secrets file cannot be read, or is not valid TOML. Correct it.", b'[demo]\napi_key = "canary'
    ),
    "no_text": Start("The secrets file cannot be read, or is not valid TOML. Correct it.", b"\xff\xfe"),
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
"""One of each kind; tests/access covers every incomplete login."""


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_an_unprotected_configuration_does_not_start(start: Start, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPERA_", "STREAMLIT_"))}
    own = {"TEMPERA_DATABASE_URL": f"sqlite:///{tmp_path / 'runs.sqlite3'}", "HOME": str(tmp_path)}
    if start.secrets is not None:
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_bytes(start.secrets)
    environment = {**clean, **own, **start.environment}
    process = forks.start([*start.command, str(free_port())], tmp_path, environment, tmp_path / "output")
    process.join(60)
    process.kill()
    output = (tmp_path / "output").read_text()
    assert process.exitcode == 1, output
    (sentence,) = (line for line in output.splitlines() if line.startswith("Tempera does not start."))
    assert start.says in sentence
    assert "canary" not in sentence
    assert "Traceback" not in output


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
def test_an_ignored_protection_prevents_the_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    assert reason_not_to_start() is None
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reason = reason_not_to_start()
    assert reason is not None
    assert says in reason
