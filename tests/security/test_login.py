"""A configured login is always required, also after mistakes in the secrets file."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.server.process import service
from components.service import Secrets
from tests.browser.conftest import serve_app
from tests.pages.conftest import Chat, new_page
from tests.security.conftest import MINE, fill
from tests.security.session import session
from tests.waiting import wait_for

LOGIN = """
[auth]
redirect_uri = "http://127.0.0.1/oauth2callback"
cookie_secret = "a secret of this test"
client_id = "tempera"
client_secret = "another one"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""


def test_a_mistake_in_the_secrets_while_running_refuses_all(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text(LOGIN)
    run_id, _ = fill(tmp_path, "local", MINE)
    with serve_app(tmp_path, TEMPERA_BASE_URL="http://127.0.0.1:9/v1") as address:

        def seen() -> bytes:
            with session(address, Cookie="_streamlit_user=me; _streamlit_user_tokens=me", X_User="me") as visitor:
                return b"".join(visitor.open(page, f"run={run_id}") for page in ("", "runs", "endpoints", "shared"))

        assert b"Log in to continue." in seen()
        (tmp_path / "secrets.toml").write_text(f"{LOGIN}\nthis is a mistake")
        shown = wait_for(lambda: b"Login is unavailable." in (found := seen()) and found)
    assert MINE.encode() not in shown
    assert b"127.0.0.1:9/v1" not in shown


@pytest.mark.parametrize("said_by", ["the file", "the environment"])
def test_a_required_login_stays_required(chat: Chat, monkeypatch: pytest.MonkeyPatch, said_by: str) -> None:
    with monkeypatch.context() as patch:
        if said_by == "the file":
            patch.setattr("components.server.process.read_secrets", lambda: Secrets({"auth": {}}))
        else:
            patch.setenv("TEMPERA_LOGIN", "required")
        assert service().needs_login
    page = new_page().run()
    assert page.error[0].value == "Login is unavailable. Ask the operator of this Tempera to check its secrets file."
    assert not page.button
