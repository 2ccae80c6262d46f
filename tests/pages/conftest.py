from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, local_script_runner

from tests.pages.content import shown_run, text_components, words
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, head, serve
from tests.waiting import wait_for

SCRIPT = Path(__file__).resolve().parents[2] / "pages" / "navigation.py"
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


class Chat:
    """The pages' endpoint: lists two models, answers "Hello you" in two pieces."""

    def __init__(self) -> None:
        self.server: Endpoint | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "alpha"}, {"id": "beta"}]}))
            return
        connection.sendall(head() + chunk("Hello"))
        self.go_on.wait(20)
        connection.sendall(chunk(" you", "stop", usage=USAGE) + DONE)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the completion requests."""
        posts = [request for request in self.server.requests if request.startswith(b"POST")]
        return [json.loads(post.partition(b"\r\n\r\n")[2]) for post in posts]


@pytest.fixture(autouse=True)
def _no_search_for_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the search for components in all packages, a quarter of a second per AppTest session."""
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)


@pytest.fixture(autouse=True)
def _migrated_log(tmp_path: Path, migrated_log: Path) -> None:
    """Give each test's service a migrated log, and clear caches of the previous log."""
    streamlit.cache_data.clear()
    shutil.copyfile(migrated_log, tmp_path / "runs.sqlite3")


_compiled = ScriptCache()


@pytest.fixture(autouse=True)
def _compile_pages_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile each page once, as the server does; AppTest would compile it in every run."""
    for module in ("app_test", "local_script_runner"):
        monkeypatch.setattr(f"streamlit.testing.v1.{module}.ScriptCache", lambda: _compiled)


@pytest.fixture(autouse=True)
def _wait_without_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait without polling: AppTest checks the page's thread a thousand times a second, which slows it down."""
    look = local_script_runner.require_widgets_deltas

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        runner._script_thread.join(timeout)
        look(runner, timeout)

    monkeypatch.setattr(local_script_runner, "require_widgets_deltas", wait)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    endpoint = Chat()
    with serve(endpoint.play) as server:
        endpoint.server = server
        monkeypatch.setenv("TEMPERA_BASE_URL", server.base_url)
        yield endpoint
        endpoint.go_on.set()


@pytest.fixture
def page(chat: Chat) -> AppTest:
    """The playground of a new visitor."""
    return new_page().run()


def new_page() -> AppTest:
    return AppTest.from_file(SCRIPT, default_timeout=20)


def texts(page: AppTest) -> str:
    """All visible text of the page except messages and code, with the current text of running runs."""
    assert not page.exception
    return "\n".join([words(page), *(element.value for element in [*page.markdown, *page.caption, *page.text])])


def run_to_the_end(page: AppTest) -> AppTest:
    """Press Run, and wait until the page shows the run's end."""
    return until_it_ended(page.button(key="run").click().run())


def until_it_ended(page: AppTest) -> AppTest:
    """Wait until the page's runs have ended, and rerun the page, as the live view does."""
    going_on = [run for data in text_components(page) if data.get("running") and (run := shown_run(data))]
    if going_on:
        wait_for(lambda: not any(shown.run.record().running for shown in going_on))
        page.run()
    return page
