"""The key reaches its endpoint only: the app is used on all its pages, and all its output is searched.

The endpoint repeats the key in all its responses, like a bad one. A client cannot detect other encodings by an
endpoint, such as base64; the search for them covers encodings by the app itself.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow
import pyarrow.parquet as parquet
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY, PROFILES, Profile
from components.contract.request import to_bytes
from components.endpoints.endpoint import Address
from components.endpoints.endpoint import Endpoint as OurEndpoint
from components.log.log import Log
from components.log.markdown_export import as_markdown
from components.log.query import events_of, find_run
from components.runs.runner import Runner
from components.sharing.capsule import Kind
from components.sharing.freezing import Choices, capsule_of
from components.snippets.export import Language, export
from components.snippets.importing import import_request
from components.snippets.problem import CannotExport
from components.streaming.session import ApiKey
from tests import canary
from tests.browser.conftest import ROOT, serve_app
from tests.log.conftest import REQUEST
from tests.log.exports import export_runs
from tests.orders import order_of
from tests.security.open_page import OpenPage
from tests.security.session import Session, ask, session
from tests.streaming.endpoint import DONE, chunk, document, event, head, serve
from tests.waiting import wait_for


class Echo:
    """Repeats the received key in answers, reasoning, tool calls, errors, names and the head."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.completions = 0

    def play(self, connection: socket.socket, request: bytes) -> None:
        found = re.search(rb"\r\nAuthorization: Bearer ([^\r\n]*)", request)
        key = found[1].decode() if found else "no key came"
        self.keys.append(key)
        shown = (f"X-Key: {key}", f"Set-Cookie: key={key}")
        if request.startswith(b"GET"):
            listed = {"data": [{"id": "m"}, {"id": f"model-{key}"}], "key": key}
            connection.sendall(document(listed, "200 OK", *shown))
            return
        # Models are listed again when their list is old, so only completions are counted.
        self.completions += 1
        if b"Refuse." in request:
            error = {"error": {"message": f"Incorrect API key provided: {key}", "code": key, "param": key}, "key": key}
            connection.sendall(document(error, f"401 {key}", *shown))
        elif b"Break." in request:
            connection.sendall(head("200 OK", *shown) + chunk(f"Half of {key}") + event({"error": {"message": key}}))
        else:
            self._answer(connection, key, shown)

    def _answer(self, connection: socket.socket, key: str, shown: tuple[str, ...]) -> None:
        call = {"index": 0, "id": f"id-{key}", "function": {"name": f"call-{key}", "arguments": json.dumps({"a": key})}}
        pieces = [
            event({"choices": [{"index": 0, "delta": {"reasoning_content": f"Thinking of {key}."}}]}),
            chunk(f"Your key is {key}, ", model=f"model-{key}", key=key, system_fingerprint=key),
            f"event: {key}\nid: {key}\n".encode() + chunk("I say."),
            event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}),
            b": " + key.encode() + b"\n\n",
            event(f"unreadable {key}"),
            chunk("", f"stop-{key}", usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}),
        ]
        connection.sendall(head("200 OK", *shown) + b"".join(pieces) + DONE)


@dataclass
class Seen:
    """All bytes from the app to a browser."""

    app: str
    pieces: list[tuple[str, bytes]] = field(default_factory=list)
    frames: int = 0
    bodies: int = 0
    session_ids: set[str] = field(default_factory=set)

    def frame(self, data: bytes) -> None:
        self.frames += 1
        self.pieces.append(("a WebSocket frame", data))
        # The message that opens a session names it (NewSession.initialize.session_id of Streamlit's protocol).
        self.session_ids |= {one.decode() for one in re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", data)}

    def get(self, path: str) -> bytes:
        """The body of an answer; its head counts as well."""
        answer = ask(self.app, path)
        assert answer.status == 200, path
        self.pieces += [(f"the head of {path}", repr(answer.headers).encode()), (f"the body of {path}", answer.body)]
        self.bodies += 1
        return answer.body


class Tab:
    """A page without a browser that receives the same frames."""

    def __init__(self, connection: Session, seen: Seen, name: str, query: str) -> None:
        self.connection = connection
        self.seen = seen
        self.page = OpenPage(connection, query, name)

    def send(self, *pressed: str, **changed: Any) -> None:
        self.page.send(*pressed, **changed)
        self.page.learn()

    @property
    def received(self) -> bytes:
        return b"".join(self.connection.received)

    def download(self, key: str) -> bytes:
        """The file of a download button, created on a click."""
        drawn = [
            message.delta.new_element.download_button
            for message in map(ForwardMsg.FromString, self.connection.received)
            if message.WhichOneof("type") == "delta"
            and message.delta.new_element.WhichOneof("type") == "download_button"
        ]
        request = BackMsg()
        request.backend_operation_request.request_id = key
        request.backend_operation_request.session_id = self.connection.id
        request.backend_operation_request.deferred_file.file_id = next(
            button.deferred_file_id for button in reversed(drawn) if button.id.endswith(f"-{key}")
        )
        self.connection.connection.send(request.SerializeToString())
        while (answer := self.connection.receive()).WhichOneof("type") != "backend_operation_response":
            pass
        response = answer.backend_operation_response
        assert response.deferred_file.url, response
        return self.seen.get(response.deferred_file.url)


@contextmanager
def opened(seen: Seen, name: str = "", query: str = "") -> Iterator[Tab]:
    with session(seen.app) as connection:
        yield Tab(connection, seen, name, query)
        seen.session_ids.add(connection.id)
        for frame in connection.received:
            seen.frame(frame)


def in_the_playground(seen: Seen, folder: Path) -> dict[str, str]:
    """Run an answer, a refusal and a cut answer; return the queries of a capsule link and of a settings link."""
    with opened(seen) as tab:
        for count, prompt in enumerate(("Say it.", "Refuse.", "Break."), 1):
            tab.send("run", message_1=prompt)
            wait_for(lambda count=count: len(ended_runs(folder)) == count)
            look_through(tab, "view", "Events", "Answer")
            if prompt == "Say it.":
                made = share(tab, folder)
    return made


def share(tab: Tab, folder: Path) -> dict[str, str]:
    """Share the answer and the settings."""
    tab.send("share")
    tab.send("publish")
    (capsule,) = set(re.findall(rb"shared\?(c=[\w-]+)", tab.received))
    tab.send(share_what="Settings")
    settings = re.findall(rb"\?(s=[\w.~-]+)", tab.received)[-1]
    (folder / "taken").mkdir()
    (folder / "taken" / "settings.json").write_bytes(tab.download("settings_file"))
    return {"capsule": capsule.decode(), "settings": settings.decode()}


def ended_runs(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "runs.sqlite3")) as log:
        return [run_id for (run_id,) in log.execute("select id from runs where status <> 'running'")]


def in_the_log(seen: Seen, folder: Path) -> None:
    with opened(seen, "runs") as tab:
        links = {path.decode() for path in re.findall(rb"exports/[\w-]+/runs\.(?:csv|jsonl|parquet)", tab.received)}
    for link in links:
        (folder / "taken" / link.rpartition("/")[2]).write_bytes(seen.get(f"/{link}"))
    for run_id in ended_runs(folder):
        with opened(seen, query=f"run={run_id}") as tab:
            look_through(tab, "view", "Request", "Code")
        with opened(seen, "runs", f"run={run_id}") as tab:
            look_through(tab, "drawer_part", "Times", "Events", "Code")
            (folder / "taken" / f"{run_id}.md").write_bytes(tab.download("take_markdown"))


def look_through(tab: Tab, key: str, *parts: str) -> None:
    for part in parts:
        tab.send(**{key: part})


def in_other_pages(seen: Seen, links: dict[str, str]) -> None:
    with opened(seen, "shared", links["capsule"]) as tab:
        look_through(tab, "run_part", "Times", "Events", "Code")
    with opened(seen, query=links["settings"]):
        pass
    for name, shown in (("endpoints", b"key: set"), ("shared", b"Revoke")):
        with session(seen.app) as connection:
            wait_for(lambda connection=connection, name=name, shown=shown: shown in connection.open(name))
        for frame in connection.received:
            seen.frame(frame)


def in_a_comparison(seen: Seen, echo: Echo) -> None:
    before = echo.completions
    with opened(seen, "compare") as tab:
        tab.send("run", message_1="Say it to both.")
        wait_for(lambda: echo.completions == before + 2)
        query = tab.page.query
    with opened(seen, "compare", query) as tab:
        look_through(tab, "look", "Diff", "First divergence", "Settings", "Vote", "Numbers")


def in_a_sweep(seen: Seen, echo: Echo) -> None:
    before = echo.completions
    with opened(seen, "sweep") as tab:
        tab.send(message_1="Say it three times.", axis_text_0_0="0, 1", axis_repeats_0_0=1)
        tab.send("run_sweep")
        wait_for(lambda: echo.completions == before + 3)
        query = tab.page.query
    with opened(seen, "sweep", query) as tab:
        look_through(tab, "sweep_tabs", "Results")


@pytest.mark.xdist_group("canary")  # groups begin first
def test_the_key_is_sent_to_its_endpoint_only(tmp_path: Path) -> None:
    """Use the app on all its pages without a browser, and search all that it sent, wrote and exported."""
    folder, echo = tmp_path, Echo()
    with serve(echo.play) as endpoint:
        keys = {"TEMPERA_BASE_URL": endpoint.base_url, "TEMPERA_API_KEY": canary.KEY, "TEMPERA_MODEL": "m"}
        with serve_app(folder, **keys) as app:
            seen = Seen(app)
            links = in_the_playground(seen, folder)
            assert len(ended_runs(folder)) == 3
            in_the_log(seen, folder)
            in_other_pages(seen, links)
            in_a_comparison(seen, echo)
            in_a_sweep(seen, echo)
            for path in ("/", "/healthz", "/metrics", "/runs?find=x"):
                seen.get(path)
            # While the app runs, part of the log is in files next to the database.
            assert (folder / "runs.sqlite3-wal").stat().st_size
            while_it_runs = canary.leaks_in(folder)
    # The proof that the search could succeed: the key was sent and returned each time.
    assert len(echo.keys) >= 9
    assert set(echo.keys) == {canary.KEY}
    taken = {path.name for path in (folder / "taken").iterdir()}
    assert {"runs.csv", "runs.jsonl", "runs.parquet", "settings.json"} < taken
    assert len(taken) == 4 + 3
    assert seen.frames > 100
    assert seen.bodies > 10
    for shown in (b"Your key is ***", b"Half of ***", b"Incorrect API key provided: ***", b"stop-***", b"3 of 3 runs"):
        assert any(shown in data for _, data in seen.pieces), shown
    leaks = {f"{name}: {way}" for name, data in seen.pieces for way in canary.found_in(data)}
    assert sorted(leaks | {*while_it_runs, *canary.leaks_in(folder)}) == []
    (folder / canary.PROOF).write_text(f"The key was sent {len(echo.keys)} times.\n")
    # The id of a session allows a takeover, so it must be in no log and no table.
    assert seen.session_ids
    leaks = [
        f"{name}: {session_id}"
        for path in canary.files_in(folder)
        for name, data in canary.pieces_of(path)
        for session_id in seen.session_ids
        if session_id.encode() in data or session_id.replace("-", "").encode() in data
    ]
    assert leaks == []


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def pieces_of_the_key() -> Iterator[tuple[str, ...]]:
    """The key cut at every place, into single characters, and escaped in the ways of JSON and of URLs."""
    for at in range(1, len(canary.KEY)):
        yield canary.KEY[:at], canary.KEY[at:]
    yield tuple(canary.KEY)
    for way in (escaped(canary.KEY), canary.KEY.replace("/", "\\/"), quote(canary.KEY, safe="")):
        yield (way,)
        yield way[:9], way[9:20], way[20:]


def spoken(say: Callable[[str], dict[str, object]], **more: object) -> bytes:
    """Events with each of these between two words, with JSON escaped as far as possible."""
    events = [event({"choices": [{"index": 0, "delta": say(f" <{number}>"), **more}]}) for number in range(3)]
    for number, pieces in enumerate(pieces_of_the_key()):
        texts = [f"({number} ", *pieces, ")"]
        events += [event({"choices": [{"index": 0, "delta": say(one), **more}]}) for one in texts]
    once_more = json.dumps({"choices": [{"index": 0, "delta": say("KEY")}]})
    return b"".join(events) + event(once_more.replace("KEY", escaped(canary.KEY)))


def call(arguments: str) -> dict[str, object]:
    return {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": arguments}}]}


SPOKEN = {
    "content": lambda: spoken(lambda text: {"content": text}),
    "reasoning": lambda: spoken(lambda text: {"reasoning_content": text}),
    "refusal": lambda: spoken(lambda text: {"refusal": text}),
    "arguments": lambda: spoken(call),
    "logprobs": lambda: spoken(lambda text: {"content": text}, logprobs={"content": [{"token": canary.KEY}]}),
    "errors": lambda: event(f'{{"error": {{"message": "{canary.KEY}", "code": "{escaped(canary.KEY)}"}}}}'),
    "cut off": lambda: chunk("It is ") + chunk(canary.KEY[:-1]),
    "arguments cut off": lambda: event({"choices": [{"index": 0, "delta": call(canary.KEY[:-1])}]}),
    "another choice": lambda: chunk("a") + spoken(lambda text: {"content": text}).replace(b'"index": 0', b'"index": 1'),
    "not JSON": lambda: event(canary.KEY[:9]) + event(canary.KEY[9:]) + event(escaped(canary.KEY)),
    "a document": lambda: document(
        f'{{"choices": [{{"message": {{"content": "{escaped(canary.KEY)}"}}, "finish_reason": "stop"}}]}}'
    ),
    "a refusal": lambda: document({"error": {"message": canary.KEY.replace("/", "%2f")}}, "401 Unauthorized"),
    "a head": lambda: document("x", content_type=f"text/{canary.KEY}"),
    "a redirect": lambda: head("307 Moved", f"Location: /?key={quote(canary.KEY, safe='')}"),
}


@pytest.mark.parametrize("spoken", SPOKEN.values(), ids=SPOKEN)
def test_a_split_or_escaped_key_is_neither_logged_nor_shown(
    spoken: Callable[[], bytes], tmp_path: Path, migrated_log: Path
) -> None:
    answer = spoken()
    whole = answer if answer.startswith(b"HTTP") else head() + answer + chunk("", "stop") + DONE
    log = Log(f"sqlite:///{shutil.copyfile(migrated_log, tmp_path / 'runs.sqlite3')}")
    runner = Runner(log)
    shown: list[str] = []
    with serve(whole) as endpoint:
        key = ApiKey(canary.KEY, endpoint.base_url)
        run = runner.start(order_of(OurEndpoint("mine", BEEZY, Address(endpoint.base_url, key)), REQUEST))
        run.listen(lambda: shown.append("".join(run.texts())))
        run.written.result()
        assert canary.KEY.encode() in endpoint.requests[0]
    record, events = find_run(log.database, run.id), events_of(log.database, run.id)
    capsule = capsule_of([record], kind=Kind.RUN, title="t", choices=Choices(events=True), events={record.id: events})
    lines = [*export_runs(log.database), as_markdown(record), capsule.model_dump_json(), *shown]
    log.close()
    (tmp_path / "taken").write_text("\n".join([*lines, *(one.name + one.data for one in events)]), encoding="utf-8")
    assert canary.leaks_in(tmp_path) == []
    # Text spread over several events is joined before the search.
    data = "".join(one.data for one in events)
    spelled = re.compile(r'"(?:content|reasoning_content|refusal|arguments|token)": "([^"]*)"')
    for text in (data, "".join(spelled.findall(data)), record.text, record.reasoning, record.tool_calls):
        plain = unquote(re.sub(r"\\+(?:u00([0-9a-fA-F]{2})|/)", lambda one: chr(int(one[1] or "2f", 16)), text)).lower()
        assert canary.KEY.lower() not in plain
        assert canary.KEY[:8].lower() not in plain
        assert canary.KEY[-8:].lower() not in plain


ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
CREDENTIALS = [
    {"api_key": canary.KEY},
    {"extra_headers": {"X-Api-Key": canary.KEY}, "default_headers": {"Authorization": f"Bearer {canary.KEY}"}},
    {"extra_body": {"top_k": 1, "token": canary.KEY, "metadata": {"deep": [{"Password": canary.KEY}]}}},
    {"auth": ["me", canary.KEY], "cookies": {"session": canary.KEY}, "base_url": f"https://me:{canary.KEY}@host/v1"},
]
OPTIONS = ["-H 'Authorization: Bearer {}'", "-u me:{}", "--oauth2-bearer {}", "-b key={}", "--proxy-user me:{}", "-k{}"]
PASTED = [
    paste
    for further in CREDENTIALS
    for body in [{**ASKED, **further}]
    for paste in (
        json.dumps(body),
        json.dumps(body).replace(canary.KEY, escaped(canary.KEY)),
        repr(body),
        f"cfg = {body!r}",
        f"kw = {further!r}\nclient(token={canary.KEY!r})\nf(**kw, model='m', messages={ASKED['messages']!r})",
        f"f({', '.join(f'{name}={value!r}' for name, value in body.items())})",
        f"requests.post(url, headers={{'Authorization': 'Bearer {canary.KEY}'}}, json={body!r})",
        f"curl http://host/v1 -d '{json.dumps(body)}'",
    )
] + [f"KEY={canary.KEY} curl {option.format(canary.KEY)} -d '{json.dumps(ASKED)}'" for option in OPTIONS]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_key_in_a_paste_is_not_imported(profile: Profile) -> None:
    for paste in PASTED:
        imported = import_request(paste, profile)
        made = [repr(imported), to_bytes(imported.request, profile).decode(), *imported.notes]
        for language in Language:
            with suppress(CannotExport):
                made.append(export(imported.request, profile, "http://host/v1", language))
        assert canary.found_in("\n".join(made).encode()) == []
        assert any(WHERE_KEYS_BELONG in note or "cookies" in note or "headers" in note for note in imported.notes)


@pytest.mark.parametrize("form", canary.forms(canary.KEY), ids=canary.forms(canary.KEY).values())
def test_the_key_is_found_in_each_form(form: bytes) -> None:
    assert canary.found_in(b"before " + form + b" after")


def test_a_key_is_found_in_packed_events(tmp_path: Path) -> None:
    # Another key, since the files of this test are searched for the canary.
    secret = canary.KEY[::2] * 2
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as database, database:
        database.execute("create table events (content blob)")
        database.execute("insert into events values (?)", [zlib.compress(f"key {secret}".encode())])
    parquet.write_table(pyarrow.table({"text": [f"key {secret}"]}), tmp_path / "runs.parquet", compression="zstd")
    found = {leak.rpartition("/")[2] for leak in canary.leaks_in(tmp_path, secret)}
    assert {"log.sqlite3, events: as it is", "runs.parquet (its table): as it is"} <= found
    assert canary.leaks_in(tmp_path) == []


def test_check_canary_needs_its_proof_and_finds_the_key(tmp_path: Path) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        script = [sys.executable, str(ROOT / "tests/check-canary"), str(tmp_path)]
        return subprocess.run(script, capture_output=True, text=True, check=False)

    assert "nothing is proved" in check().stderr
    # Both are removed, since the last step of CI searches the files of this test.
    proof, leak = tmp_path / canary.PROOF, tmp_path / "app.log"
    try:
        proof.touch()
        without = check()
        leak.write_text(f"Bearer {canary.KEY}")
        found = check()
    finally:
        proof.unlink()
        leak.unlink()
    assert without.returncode == 0, without.stderr
    assert found.returncode == 1
    assert "app.log: as it is" in found.stderr
