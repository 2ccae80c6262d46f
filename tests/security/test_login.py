"""Where the operator set up a login, nobody is let in without one, whatever becomes of the file that says so."""

from __future__ import annotations

from pathlib import Path

from tests.browser.conftest import serve_app
from tests.security.conftest import MINE, fill
from tests.security.session import session

LOGIN = """
[auth]
redirect_uri = "http://127.0.0.1/oauth2callback"
cookie_secret = "a secret of this test"
client_id = "tempera"
client_secret = "another one"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""


def test_a_mistake_in_the_file_that_asks_for_a_login_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text(f"{LOGIN}\nthis is a mistake")
    run_id, _ = fill(tmp_path, "local", MINE)
    with (
        serve_app(tmp_path, TEMPERA_BASE_URL="http://127.0.0.1:9/v1") as address,
        session(address, Cookie="_streamlit_user=me; _streamlit_user_tokens=me", X_User="me") as visitor,
    ):
        seen = b"".join(visitor.open(page, f"run={run_id}") for page in ("", "runs", "endpoints", "shared"))
    assert MINE.encode() not in seen
    assert b"127.0.0.1:9/v1" not in seen
