"""Logins with a real OpenID provider on loopback: each user sees own runs until the login ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from components.ui.plain_words import plain_words
from tests.browser.conftest import free_port, serve_app, wait_until_it_answers
from tests.pages.conftest import Chat
from tests.security.session import session
from tests.streaming.endpoint import serve

ANNA, BEN, EVE = "anna@example.org", "ben@example.org", "eve@evil.example"
SECRET = "a secret of this test"
SHARED = "Text made by a model, not checked by anyone."


@contextmanager
def provider(folder: Path) -> Iterator[int]:
    """An OpenID provider with three users."""
    port = free_port()
    people = (
        ("--user-claims", json.dumps({"sub": email, "email": email, "email_verified": True}))
        for email in (ANNA, BEN, EVE)
    )
    command = shutil.which("oidc-provider-mock", path=str(Path(sys.executable).parent))
    assert command
    with (
        open(folder / "provider.log", "a") as log,
        subprocess.Popen(
            [command, "--port", str(port), *(part for person in people for part in person)],
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/.well-known/openid-configuration", folder / "provider.log")
            yield port
        finally:
            process.terminate()


@contextmanager
def app_with_login(folder: Path) -> Iterator[str]:
    port = free_port()
    chat = Chat()
    with provider(folder) as provider_port, serve(chat.play) as endpoint:
        (folder / "secrets.toml").write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "{SECRET}"
            client_id = "tempera"
            client_secret = "hush"
            server_metadata_url = "http://127.0.0.1:{provider_port}/.well-known/openid-configuration"

            [access]
            allow = ["@example.org"]
            """
        )
        with serve_app(folder, port, TEMPERA_BASE_URL=endpoint.base_url) as address:
            yield address


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with app_with_login(tmp_path_factory.mktemp("login")) as address:
        yield address


def signed_in(app: str, who: str, seconds: float = 600) -> str:
    """The content of the cookie of a logged-in user with this many seconds left."""
    claims = {
        "origin": app,
        "is_logged_in": True,
        "iss": "http://127.0.0.1",
        "sub": who,
        "email": who,
        "email_verified": True,
    }
    ends = {"exp": time.time() + seconds}
    return create_signed_value(SECRET, USER_COOKIE_NAME, json.dumps(claims | ends)).decode()


def cookie(app: str, who: str) -> str:
    """The cookie header of a logged-in user."""
    return f"{USER_COOKIE_NAME}={signed_in(app, who)}"


def test_users_see_only_their_own_runs_and_links_open_for_all(page: Page, app: str) -> None:
    page.goto(app)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=ANNA).click()
    expect(page.get_by_text(ANNA)).to_be_visible()
    page.get_by_role("button", name="Run").first.click()
    expect(page.get_by_text("Hello you").first).to_be_visible()
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason stop")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_role("dialog").get_by_text("/shared?c=").inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Runs").first.click()
    expect(page.get_by_text("1 run.", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="End Session")).to_be_visible()  # the provider's own page
    page.goto(link.strip())
    expect(page.get_by_text(SHARED, exact=False)).to_be_visible()
    expect(page.get_by_text("Hello you").first).to_be_visible()
    expect(page.get_by_text("Log in to open a copy.")).to_be_visible()

    with session(app, Cookie=cookie(app, BEN)) as visitor:
        seen = visitor.open("runs")
        assert plain_words(BEN).encode() in seen
        assert b"No runs yet." in seen
        assert b"You have no shared links." in visitor.open("shared")


def test_without_a_login_no_page_shows_anything(app: str) -> None:
    forged = {"Cookie": "_streamlit_user=me; _streamlit_user_tokens=me", "X_User": "me"}
    for page in ("", "compare", "sweep", "runs", "endpoints", "shared"):
        with session(app, **forged) as visitor:
            seen = visitor.open(page)
        assert b"Log in to continue." in seen
        assert not [word for word in (b"Hello", b"alpha", ANNA.encode()) if word in seen]


def test_a_user_outside_the_list_is_refused(app: str) -> None:
    for page in ("", "compare", "sweep", "runs", "endpoints", "shared"):
        with session(app, Cookie=cookie(app, EVE)) as visitor:
            seen = visitor.open(page)
        assert b"You are logged in, but not on the list" in seen
        assert b"-message_1" not in seen


def test_a_login_ends_when_its_token_does(app: str) -> None:
    ended = b"Your login has ended. Log in again"
    # A busy machine may draw the page late.
    for seconds in (2, 6, 18, 54):
        ends = time.time() + seconds
        with session(app, Cookie=f"{USER_COOKIE_NAME}={signed_in(app, ANNA, seconds)}") as visitor:
            if ended in visitor.open("runs"):
                continue
            messages = map(ForwardMsg.FromString, visitor.received)
            (table,) = {one.auto_rerun.fragment_id for one in messages if one.WhichOneof("type") == "auto_rerun"}
            time.sleep(max(0, ends - time.time()))
            # The table refreshes by itself, without the rest of the page.
            again = visitor.open("runs", fragment_id=table)
            assert b"This page stays as it is until you reload it." in again
            assert b"Something went wrong" not in again
            break
    with session(app, Cookie=f"{USER_COOKIE_NAME}={signed_in(app, ANNA, -1)}") as visitor:
        assert ended in visitor.open("runs")
