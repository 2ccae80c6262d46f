from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from components.log.log import Log
from components.log.owned import OwnLog
from components.log.record import LOCAL
from components.log.tables import runs, to_row
from components.sharing.capsule import Kind
from components.sharing.capsules import publish
from components.sharing.freezing import Choices, capsule_of
from tests.browser.conftest import ROOT, app_environment, free_port, wait_until_it_answers
from tests.log.test_export import finished
from tests.pages.conftest import _compile_pages_once, _no_search_for_components, _wait_without_polling, chat
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, head, serve
from tests.waiting import wait_for

__all__ = ["_compile_pages_once", "_no_search_for_components", "_wait_without_polling", "chat"]

KEY = "canary-key-of-the-operator"
MINE = "canary-text-of-mine"
THEIRS = "canary-text-of-theirs"
TITLE = "canary-title"

# Python runs it at the start of every process; in the server, it writes the settings in force.
_WRITE_SETTINGS = """
import json, os, sys, threading, time

def write():
    while True:
        time.sleep(0.05)
        runtime, config = sys.modules.get("streamlit.runtime"), sys.modules.get("streamlit.config")
        if runtime and config and getattr(runtime, "exists", bool)():
            break
    found = {name: option.value for name, option in config.get_config_options().items()}
    with open(os.environ["SETTINGS_IN_FORCE"] + ".new", "w") as file:
        json.dump(found, file, default=str)
    os.replace(file.name, os.environ["SETTINGS_IN_FORCE"])

if "streamlit" in sys.argv[:3] or "streamlit" in sys.orig_argv[:4]:
    threading.Thread(target=write, daemon=True).start()
"""


@dataclass(frozen=True)
class App:
    """The running app; its log has a run and a capsule of the visitor and of another owner."""

    address: str
    folder: Path
    endpoint: Endpoint
    outside: Endpoint
    """An HTTP proxy in the app's environment, through which external requests of the server would pass."""
    my_capsule: str
    their_capsule: str
    my_run: str
    their_run: str

    def settings(self) -> dict[str, Any]:
        """The settings in force in the running app, as written by it."""
        file = self.folder / "settings.json"
        wait_for(file.exists)
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def posts(self) -> list[bytes]:
        """The completion requests to the endpoint."""
        return [request for request in self.endpoint.requests if request.startswith(b"POST")]


def play(connection: socket.socket, request: bytes) -> None:
    """List two models; the answer of one and the refusal of the other repeat the key."""
    if request.startswith(b"GET"):
        connection.sendall(document({"data": [{"id": "alpha"}, {"id": "beta"}]}))
    elif b'"beta"' in request:
        connection.sendall(document({"message": f"Wrong key {KEY}"}, "401 Unauthorized"))
    else:
        connection.sendall(head() + chunk(f"The answer. {KEY} ") + chunk("It ends.", "stop") + DONE)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("security")
    (folder / "sitecustomize.py").write_text(_WRITE_SETTINGS)
    my_run, my_capsule = fill(folder, LOCAL, MINE)
    their_run, their_capsule = fill(folder, "them", THEIRS)
    with serve(play) as endpoint, serve(document("nothing", "502 Bad Gateway")) as outside:
        proxy = f"http://127.0.0.1:{outside.port}"
        with started(
            folder,
            TEMPERA_BASE_URL=endpoint.base_url,
            TEMPERA_API_KEY=KEY,
            PYTHONPATH=str(folder),
            SETTINGS_IN_FORCE=str(folder / "settings.json"),
            # As on Streamlit Community Cloud.
            STREAMLIT_RUNNER_FAST_RERUNS="true",
            **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), proxy),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        ) as address:
            yield App(address, folder, endpoint, outside, my_capsule, their_capsule, my_run, their_run)


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[str]:
    """The address of the app, started by its real command."""
    port = free_port()
    with (
        open(folder / "app.log", "a") as log,
        subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**app_environment(folder), **environment},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", folder / "app.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def fill(folder: Path, owner: str, text: str) -> tuple[str, str]:
    log = Log(f"sqlite:///{folder / 'runs.sqlite3'}")
    record = replace(finished().record(), owner=owner, text=text, status="ok", request_body=_body(text))
    log.write(lambda connection: connection.execute(insert(runs), [to_row(record)]))
    capsule = capsule_of([record], kind=Kind.RUN, title=f"{TITLE} {text}", choices=Choices())
    capsule_id = publish(OwnLog(log, owner), capsule).id
    log.close()
    return record.id, capsule_id


def _body(text: str) -> str:
    return f'{{"model":"alpha","messages":[{{"role":"user","content":"Say {text}"}}],"stream":true}}'
