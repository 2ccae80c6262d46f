"""In a real browser: no page and no address makes it send anything, and no key reaches it, whatever it shows."""

from __future__ import annotations

import json

from playwright.sync_api import Page, WebSocket, expect

from components.sharing.settings_link import settings_link
from tests.pages.test_links import a_draft
from tests.security.conftest import KEY, App
from tests.security.session import ask
from tests.streaming.endpoint import document, serve

MESSAGES = [
    {"type": "RERUN_SCRIPT"},
    {"type": "UPDATE_FROM_QUERY_PARAMS", "queryParams": "s=SETTINGS&run=1&autorun=1"},
    {"type": "REQUEST_PAGE_CHANGE", "pageScriptHash": "x"},
    {"type": "SET_AUTH_TOKEN", "authToken": "x"},
    {"type": "SET_INPUTS_DISABLED", "disabled": False},
    {"type": "CLICK", "key": "run"},
    {"type": "streamlit:setComponentValue", "value": {"run": True}, "isStreamlitMessage": True},
    {"run": True, "prompt": "Send this", "submit": True},
    "input:prompt:submit",
]


def test_a_page_of_another_site_can_neither_frame_the_app_nor_make_it_send(running: App, page: Page) -> None:
    before = running.posts()
    messages = json.dumps(
        [message if isinstance(message, str) else {"stCommVersion": 1, **message} for message in MESSAGES]
    )
    # The app's own address holds settings that are complete: one click would send them.
    target = f"{running.address}/?s={settings_link(a_draft())}"
    hostile = f"""<iframe src="{target}"></iframe><a href="{target}" target="_blank" rel="opener">x</a><script>
        const opened = [];
        function open_it() {{ opened.push(window.open("{target}")); }}
        function say_it() {{
            for (const to of [...opened, frames[0]])
                for (const message of {messages}) to.postMessage(message, "*");
        }}
    </script>"""
    with serve(document(hostile, content_type="text/html")) as evil:
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.goto(f"http://localhost:{evil.port}/")
        with page.context.expect_page() as opening:
            page.evaluate("open_it()")
        opened = opening.value
        expect(opened.locator(".st-key-run button")).to_be_enabled()
        expect(opened.get_by_text("Nothing was sent.")).to_be_visible()
        for _ in range(3):
            page.evaluate("say_it()")
            opened.wait_for_timeout(200)
        assert any("frame-ancestors" in text for text in refused), refused
        assert page.frames[-1].url.startswith("chrome-error:")
        expect(opened.locator(".st-key-run button")).to_be_enabled()
        assert running.posts() == before


def test_opening_reloading_going_back_and_forward_sends_nothing(running: App, page: Page) -> None:
    before = running.posts()
    link = settings_link(a_draft("Write of the sea."))
    page.goto(f"{running.address}/?s={link}")
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    page.reload()
    expect(page.locator(".st-key-run button")).to_be_enabled()
    page.goto(f"{running.address}/shared?c={running.their_capsule}")
    expect(page.get_by_text("not checked by anyone")).to_be_visible()
    page.go_back()
    expect(page.locator(".st-key-run button")).to_be_enabled()
    page.go_forward()
    page.wait_for_timeout(500)
    expect(page.locator("[data-testid=stMain]")).not_to_be_empty()
    assert running.posts() == before


def test_the_operators_key_reaches_no_page_and_no_file_and_no_page_loads_from_elsewhere(
    running: App, page: Page
) -> None:
    """An answer repeats the key, and so does a refusal. Then the pages are looked at."""
    frames: list[bytes] = []
    addresses: list[str] = []

    def note(socket: WebSocket) -> None:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda data: frames.append(data if isinstance(data, bytes) else data.encode()))

    page.on("websocket", note)
    page.on("websocket", lambda socket: addresses.append(socket.url.replace("ws", "http", 1)))
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(running.address)
    run = page.locator(".st-key-run button")
    run.click()
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason stop", timeout=30_000)
    expect(page.get_by_text("It ends.").first).to_be_visible()
    page.locator(".st-key-model input").click()
    page.get_by_role("option", name="beta").click()
    page.wait_for_timeout(300)
    run.click()
    expect(page.get_by_text("Wrong key").first).to_be_visible()
    for path in ("endpoints", "sweep", f"shared?c={running.my_capsule}", "runs"):
        page.goto(f"{running.address}/{path}")
        expect(page.locator("[data-testid=stMain] [data-testid=stElementContainer]").first).to_be_visible()
        page.wait_for_timeout(300)
    page.get_by_role("button", name="Take away").click()
    links = page.locator("a[href*='/take-away/']")
    links.first.wait_for(state="attached")
    files = [ask(running.address, path) for path in {str(link.get_attribute("href")) for link in links.all()}]
    assert {file.status for file in files} == {200}
    assert sum(b"It ends." in file.body for file in files) >= 2

    sent = [request for request in running.posts() if KEY.encode() in request]
    assert len(sent) >= 2  # the key was used, so that it could have been repeated
    assert len(frames) > 50
    assert not [frame for frame in frames if KEY.encode() in frame]
    assert not [file for file in files if KEY.encode() in file.body]
    assert not [address for address in addresses if KEY in address]
    assert not [address for address in addresses if not address.startswith((running.address, "data:", "blob:"))]
    written = {file.name: file.read_bytes() for file in running.folder.iterdir() if file.is_file()}
    assert any(name.endswith("-wal") for name in written)
    assert written["app.log"]
    assert not [name for name, content in written.items() if KEY.encode() in content]
    assert not [request for request in running.outside.requests if KEY.encode() in request]
