"""An open page while its endpoint fails, its connection breaks, or its server is killed and restarted."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Scripted, app_process, free_port, serve_app
from tests.browser.pages import answer, leave_field, open_playground, prompt, set_number
from tests.security.open_page import OpenPage
from tests.security.session import session
from tests.streaming.endpoint import DONE, chunk, document, head, serve
from tests.waiting import wait_for

WORDS = [f"word{number} " for number in range(150)]


def words(page: Page) -> list[str]:
    return answer(page).split()


def test_a_stream_continues_while_another_fails_and_its_browser_is_offline(page: Page, scripted: Scripted) -> None:
    app, source, endpoint = scripted.address, scripted.source, scripted.endpoint

    def fail(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):  # its models stay known to the tests after this one
            source.play(connection, request)
        else:
            connection.sendall(head() + chunk("Half an answer"))

    source.begin(*WORDS[:5])
    open_playground(page, app)
    page.locator(".st-key-run button").first.click()
    wait_for(lambda: "word4" in words(page))
    endpoint.play = fail
    try:
        with session(app) as connection:
            other = OpenPage(connection)
            other.send("run", message_1="Fail.")
            other.learn()
            failed = re.search(r"run=([0-9a-f]{32})", other.query)[1]
            with session(app) as again:
                wait_for(
                    lambda: b"The answer is not complete. What arrived is kept." in again.open("", f"run={failed}")
                )
    finally:
        endpoint.play = source.play
    source.send(*WORDS[5:10])
    wait_for(lambda: "word9" in words(page))
    page.context.set_offline(True)
    source.send(*WORDS[10:])
    # Longer than the page takes to draw new text.
    page.wait_for_timeout(1_000)
    assert "word149" not in words(page)
    page.context.set_offline(False)
    source.finish()
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason length")
    wait_for(lambda: words(page) == "".join(WORDS).split())


class Pausing:
    """Answers one prompt at once, one never completely, and five cells of a sweep until ``go_on`` is set."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self._at_once = threading.Semaphore(5)

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "m"}]}))
            return
        connection.sendall(head())
        if b"A story" in request:
            connection.sendall(b"".join(map(chunk, WORDS[:40])))
            connection.recv(1)  # until it is killed
        elif b"A cell" in request and not self._at_once.acquire(blocking=False):
            self.go_on.wait()
        connection.sendall(chunk("Short.", "stop") + DONE)


@dataclass
class Killed:
    """The app after a kill and a restart on the same log, with the state open before."""

    app: str
    folder: Path
    endpoint: Pausing
    typed: Page
    """A tab that has been open all the time."""
    sweep: str
    """The query in the address bar, as below."""
    never_run: str
    story: str
    cells: Counter[tuple[int, int]]

    def cells_done(self) -> Counter[tuple[int, int]]:
        return cells_done(self.folder)


def query(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "runs.sqlite3", timeout=30)) as log, log:
        return log.execute(statement).fetchall()


def cells_done(folder: Path) -> Counter[tuple[int, int]]:
    done = "select position, repeat from runs where status = 'ok' and experiment_id is not null"
    return Counter(query(folder, done))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def killed(context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder, port, endpoint = tmp_path_factory.mktemp("killed"), free_port(), Pausing()
    typed = context.new_page()
    with serve(endpoint.play) as server:
        environment = {"TEMPERA_BASE_URL": server.base_url, "TEMPERA_MODEL": "m"}
        with app_process(folder, port, **environment) as process:
            app = f"http://127.0.0.1:{port}"
            run_and_go_on_typing(typed, app)
            sweep, never_run, story = begin_a_sweep(app), compose(app), run_a_story(app)
            kept = "select count(*) from drafts where content like '%{}%'"
            wait_for(lambda: query(folder, kept.format("Half a thought, and more"))[0][0])
            wait_for(lambda: query(folder, kept.format("Speak {{language}}.%French"))[0][0])
            wait_for(lambda: query(folder, "select 1 from runs where text like '%word39%'"))
            wait_for(lambda: len(cells_done(folder)) == 5)
            process.kill()
            process.join()
        cells = cells_done(folder)
        with serve_app(folder, port, **environment):
            yield Killed(app, folder, endpoint, typed, sweep, never_run, story, cells)
            endpoint.go_on.set()
    typed.close()


def run_and_go_on_typing(page: Page, app: str) -> None:
    open_playground(page, app)
    set_number(page, "temperature", "0.35")
    prompt(page).fill("Half a thought")
    prompt(page).press("Control+Enter")
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason stop")
    set_number(page, "top_p", "0.45")
    prompt(page).fill("Half a thought, and more")
    leave_field(page)


def begin_a_sweep(app: str) -> str:
    with session(app) as connection:
        page = OpenPage(connection, name="sweep")
        page.send(message_1="A cell")
        page.learn()
        page.send("run_sweep")
        page.learn()
    return page.query


def compose(app: str) -> str:
    with session(app) as connection:
        page = OpenPage(connection)
        page.send("add_system")
        page.learn()
        page.send(message_2="Speak {{language}}.")
        page.learn()
        page.send(variable_language="French", message_1="A thought")
        page.learn()
    return page.query


def run_a_story(app: str) -> str:
    with session(app) as connection:
        page = OpenPage(connection)
        page.send("run", message_1="A story")
        page.learn()
    return page.query


class TestKilledServer:
    def test_typed_text_stays_in_the_open_tab(self, killed: Killed) -> None:
        page = killed.typed
        expect(page.locator('[data-testid="stConnectionStatus"]')).to_have_count(0)
        # The reconnected page is drawn by the new server, so a click works.
        page.locator(".st-key-stream label").click()
        expect(page.locator(".st-key-top_p_state input")).to_have_value("value")
        expect(prompt(page)).to_have_value("Half a thought, and more")
        expect(page.locator(".st-key-temperature input")).to_have_value("0.35")
        expect(page.locator(".st-key-top_p input")).to_have_value("0.45")

    def test_a_run_keeps_its_text_and_is_shown_as_lost(self, killed: Killed) -> None:
        page = killed.typed
        page.goto(f"{killed.app}/?{killed.story}")
        wait_for(lambda: "word39" in words(page))
        # A dead process counts as alive for half a minute, which is made to be over.
        query(killed.folder, "update runs set heartbeat_at = '2026-01-01T00:00:00.000000Z' where status = 'running'")
        expect(page.locator(".st-key-run_status")).to_contain_text("lost")
        assert "word39" in words(page)

    def test_a_conversation_that_was_never_run_is_restored(self, killed: Killed) -> None:
        with session(killed.app) as connection:
            page = OpenPage(connection, query=killed.never_run)
        assert page.value("message_1") == "A thought"
        assert page.value("message_2") == "Speak {{language}}."
        assert page.value("variable_language") == "French"
        assert [page.value(f"message_{number}_role") for number in (2, 1)] == ["system", "user"]

    def test_a_sweep_continues_with_its_missing_cells(self, killed: Killed) -> None:
        assert len(killed.cells) == 5
        killed.endpoint.go_on.set()
        # The claim of a dead process lasts twenty seconds.
        query(killed.folder, "update experiment_claims set heartbeat_at = '2026-01-01T00:00:00.000000Z'")
        with session(killed.app) as connection:
            page = OpenPage(connection, query=killed.sweep, name="sweep")
            page.send("run_missing")
            page.learn()
            wait_for(lambda: len(killed.cells_done()) == 24)
        with session(killed.app) as connection:
            wait_for(lambda: b"24 of 24 runs ended" in connection.open("sweep", killed.sweep))
        assert set(killed.cells_done().values()) == {1}
