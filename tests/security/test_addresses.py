"""Addresses and files of others open only the named item and cause no request."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.store import save_draft
from components.experiments.store import save_experiment
from components.log.importing import import_runs
from components.log.owned import OwnLog
from components.log.query import count_runs
from components.log.record import LOCAL
from components.log.tables import runs, to_row
from components.server.process import close_service, service
from components.sharing.settings_file import settings_file
from components.sharing.settings_link import settings_link
from components.ui import state
from components.ui.form import keys as form_keys
from components.ui.share import address
from components.ui.share import keys as share_keys
from components.ui.sweep import keys as sweep_keys
from tests.log.exports import export_runs
from tests.log.test_export import finished
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.pages.test_compare import run_all
from tests.pages.test_links import a_draft, opened
from tests.streaming.endpoint import Endpoint, document, serve
from tests.waiting import wait_for

CANARY = "canary-of-the-log"
KEY = "canary-key-of-one-endpoint"

NO_IDS = [
    *("", ":id", ":key", "0", "1", "-1", "None", "null", "undefined", "true", "NaN", "%", "%%", "_", "_" * 32, "%00"),
    *("\x00", "*", "..", "' or '1'='1", '" or 1=1 --', "x' union select * from runs --", "1; drop table runs"),
    *("f" * 31, "f" * 33, "F" * 32, "f" * 32 + " ", " " + "f" * 32, "x" * 10_000, "\u202e", "\U0001f419", "[]", "{}"),
    *("0" * 32, "ｆ" * 32, "f" * 32 + "\n"),
]
PLACES = [
    ("playground.py", state.RUN_PARAMETER),
    ("playground.py", state.OPEN_PARAMETER),
    ("playground.py", form_keys.DRAFT_PARAMETER),
    ("runs.py", state.RUN_PARAMETER),
    ("compare.py", state.EXPERIMENT),
    ("compare.py", state.OPEN_PARAMETER),
    ("sweep.py", state.SWEEP),
    ("sweep.py", sweep_keys.PLAN_PARAMETER),
    ("shared.py", share_keys.CAPSULE_PARAMETER),
]


def fill_log() -> None:
    """A single run, experiment and draft, which a careless look-up would find."""
    log = OwnLog(service().log, LOCAL)
    record = replace(finished().record(), owner=LOCAL, text=CANARY, request_body=json.dumps({"messages": CANARY}))
    service().log.write(lambda connection: connection.execute(insert(runs), [to_row(record)]))
    save_experiment(log, "e" * 32, json.dumps({"canary": CANARY}))
    text = new_draft().model_copy(update={"turns": (Turn(id="1", role=Role.USER, content=CANARY),)}).model_dump_json()
    save_draft(log, "d" * 32, text)
    service().log.write(lambda _connection: None)  # wait until posted work is done


def everything(page: Any) -> str:
    fields = [area.value for area in page.text_area] + [code.value for code in page.code]
    return texts(page) + str(fields)


FEW_IDS = ["", "_" * 32, "\x00", "' or '1'='1", "f" * 32 + "\n", "0" * 32]
"""One of each kind; tests without a page cover all of them for each look-up."""


@pytest.mark.parametrize(
    "texts_", [FEW_IDS, pytest.param(NO_IDS, marks=pytest.mark.long)], ids=["one_of_each_kind", "all"]
)
@pytest.mark.parametrize(("page", "name"), PLACES)
def test_an_invalid_id_finds_nothing(chat: Chat, page: str, name: str, texts_: list[str]) -> None:
    new_page().run()
    fill_log()
    for text in texts_:
        shown = opened(page if page != "playground.py" else "", **{name: text})
        seen = everything(shown)
        if page != "runs.py":  # on that page, the table has all runs
            assert CANARY not in seen, text
        assert not any("Something went wrong" in error.value for error in shown.error), text
    assert chat.bodies == []


def test_a_valid_id_finds_its_run(chat: Chat) -> None:
    """The counterpart of the test above: a valid id does find the run."""
    new_page().run()
    fill_log()
    assert CANARY in everything(opened(**{form_keys.DRAFT_PARAMETER: "d" * 32}))


def test_a_repeated_parameter_is_read_once(chat: Chat) -> None:
    new_page().run()
    fill_log()
    page = new_page()
    page.query_params[state.RUN_PARAMETER] = ["", ":id", "0"]
    page.query_params[form_keys.DRAFT_PARAMETER] = ["0", ""]
    page.run()
    assert not page.exception
    assert CANARY not in everything(page)


@pytest.fixture
def other() -> Iterator[Endpoint]:
    """A foreign endpoint that is not configured."""
    with serve(document({"data": [{"id": "alpha"}]})) as server:
        yield server


def test_no_input_sends_a_key_to_another_origin(chat: Chat, other: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    names = [other.base_url, f"environment@127.0.0.1:{other.port}"]
    for name in names:
        lanes = Comparison(lanes=(Lane(id="1", endpoint=name), Lane(id="2", endpoint=name)))
        draft = a_draft(endpoint=name, model=other.base_url)
        run_to_the_end(opened(s=settings_link(draft)))
        page = new_page()
        page.session_state[form_keys.IMPORT] = True
        page.run()
        file = "settings.json", settings_file(draft).encode(), "application/json"
        page.file_uploader(key=form_keys.IMPORT_FILE).set_value(file)
        next(button for button in page.button if button.label == "Import").click().run()
        run_to_the_end(page)
        compare = opened("compare.py", s=settings_link(_with(draft, lanes), comparison=True))
        run_all(compare)
        body = json.dumps({"model": "alpha", "messages": [{"role": "user", "content": "x"}], "base_url": name})
        stored = replace(finished().record(), owner=LOCAL, endpoint=name, request_body=body, model=other.base_url)
        service().log.write(lambda connection, stored=stored: connection.execute(insert(runs), [to_row(stored)]))
        run_to_the_end(opened(open=stored.id))
    posts = [request for request in chat.server.requests if request.startswith(b"POST")]
    assert len(posts) >= 3 * len(names)
    assert all(KEY.encode() in request for request in posts)
    assert other.requests == []


def _with(draft: Draft, comparison: Comparison) -> Draft:
    return draft.model_copy(update={"comparison": comparison})


def test_an_import_never_changes_existing_runs(chat: Chat) -> None:
    new_page().run()
    fill_log()
    log = OwnLog(service().log, LOCAL)
    lines = list(export_runs(log.database))
    forged = [line for line in lines if json.loads(line)["id"]]
    assert import_runs(log, forged) == len(lines)
    assert count_runs(log.database) == 2 * len(lines)
    ids = [json.loads(line)["id"] for line in export_runs(log.database)]
    assert len(set(ids)) == len(ids)


def test_the_server_connects_to_endpoints_only(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open every page, links and a run full of addresses, and record each connection and look-up."""
    text = "![x](http://evil.example/a.png) <img src=http://evil.example/b.png> http://evil.example/c"
    connected: list[object] = []
    looked_up: list[object] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def noted(self: socket.socket, to: Any) -> None:
        connected.append(to)
        connect(self, to)

    def noted_look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        looked_up.append(host)
        return look_up(host, *arguments, **named)

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr(socket, "getaddrinfo", noted_look_up)
    for page in ("", "compare.py", "sweep.py", "runs.py", "shared.py", "endpoints.py"):
        assert not opened(page).exception
    run_to_the_end(opened(s=settings_link(a_draft(text))))
    opened("runs.py", run="f" * 32, find=text)
    assert set(connected) == {("127.0.0.1", chat.server.port)}
    assert set(looked_up) <= {"127.0.0.1"}
    wait_for(lambda: len(chat.bodies) == 1)
    close_service()


@pytest.mark.parametrize(
    ("public", "seen", "base"),
    [
        ("https://tempera.example/lab/", "https://evil.example/x", "https://tempera.example/lab"),
        (" https://tempera.example ", "http://127.0.0.1:8501/runs?find=x", "https://tempera.example"),
        ("", "http://127.0.0.1:8501/?find=x#y", "http://127.0.0.1:8501"),
        ("", "https://tempera.example/~/+", "https://tempera.example/~/+"),
    ],
)
def test_links_begin_with_the_public_address_or_that_of_the_address_bar(
    monkeypatch: pytest.MonkeyPatch, public: str, seen: str, base: str
) -> None:
    evil = dict.fromkeys(("Host", "X-Forwarded-Host", "Origin", "Referer"), "evil.example")
    monkeypatch.setattr(address.st, "context", SimpleNamespace(url=seen, headers=evil))
    if public:
        monkeypatch.setenv("TEMPERA_PUBLIC_URL", public)
    assert address.address_of("shared", c="x") == f"{base}/shared?c=x"
