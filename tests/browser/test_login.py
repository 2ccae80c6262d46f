"""Logging in with a real OpenID provider on loopback: each finds what is theirs, until the login ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import free_port, serve_app, wait_until_it_answers
from tests.pages.conftest import Chat
from tests.streaming.endpoint import serve

ANNA, BEN, EVE = "anna@example.org", "ben@example.org", "eve@evil.example"
SHARED = "Text made by a model, not checked by anyone."


@contextmanager
def provider(folder: Path, *options: str) -> Iterator[int]:
    """An OpenID provider that knows three people."""
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
            [command, "--port", str(port), *(part for person in people for part in person), *options],
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
def app_with_login(folder: Path, *options: str) -> Iterator[str]:
    port = free_port()
    chat = Chat()
    with provider(folder, *options) as provider_port, serve(chat.play) as endpoint:
        (folder / "secrets.toml").write_text(
            f"""
            [auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "a secret of this test"
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


def page_of(chromium: Browser) -> Page:
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    return context.new_page()


def log_in(page: Page, app: str, who: str) -> None:
    page.goto(app)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=who).click()


def test_each_finds_what_is_theirs_and_a_link_opens_for_everybody(chromium: Browser, app: str) -> None:
    anna, ben, nobody = (page_of(chromium) for _ in range(3))
    log_in(anna, app, ANNA)
    expect(anna.get_by_text(ANNA)).to_be_visible()
    anna.get_by_role("button", name="Run").first.click()
    expect(anna.get_by_text("Hello you").first).to_be_visible()
    expect(anna.get_by_text("total").first).to_be_visible()
    anna.get_by_role("button", name="Share").click()
    anna.get_by_role("button", name="Make a link").click()
    link = anna.get_by_role("dialog").get_by_text("/shared?c=").inner_text()
    anna.goto(f"{app}/runs")
    expect(anna.get_by_text("1 run.", exact=False).first).to_be_visible()

    log_in(ben, app, BEN)
    expect(ben.get_by_text(BEN)).to_be_visible()
    ben.goto(f"{app}/runs")
    expect(ben.get_by_text("No runs yet.", exact=False)).to_be_visible()
    ben.goto(f"{app}/shared")
    expect(ben.get_by_text("You share no link.", exact=False)).to_be_visible()

    nobody.goto(link.strip())
    expect(nobody.get_by_text(SHARED, exact=False)).to_be_visible()
    expect(nobody.get_by_text("Hello you").first).to_be_visible()
    expect(nobody.get_by_text("Log in to open a copy of it.")).to_be_visible()
    for place in ("", "runs", "compare", "sweep", "endpoints", "shared"):
        nobody.goto(f"{app}/{place}")
        expect(nobody.get_by_text("Log in to go on.")).to_be_visible()
    anna.goto(app)
    anna.get_by_role("button", name="Log out").click()
    expect(anna.get_by_role("heading", name="End Session")).to_be_visible()  # the provider's own
    anna.goto(app)
    expect(anna.get_by_text("Log in to go on.")).to_be_visible()
    for page in (anna, ben, nobody):
        page.context.close()


def test_who_is_not_on_the_list_is_not_let_in(chromium: Browser, app: str) -> None:
    page = page_of(chromium)
    log_in(page, app, EVE)
    expect(page.get_by_text("You are logged in, but not on the list", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Run")).to_have_count(0)
    page.context.close()


def test_a_login_ends_when_its_token_does(chromium: Browser, tmp_path: Path) -> None:
    with app_with_login(tmp_path, "--token-max-age", "8") as app:
        page = page_of(chromium)
        log_in(page, app, ANNA)
        expect(page.get_by_text(ANNA)).to_be_visible()
        page.get_by_role("link", name="Runs").click()
        # The table looks again by itself, without the rest of the page.
        expect(page.get_by_text("What is on this page stays until you reload it.", exact=False).first).to_be_visible(
            timeout=20_000
        )
        expect(page.get_by_text("Something went wrong in Tempera itself", exact=False)).to_have_count(0)
        page.reload()
        expect(page.get_by_text("Your login has ended. Log in again", exact=False)).to_be_visible()
        page.context.close()
