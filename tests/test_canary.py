"""A key stays where it belongs: the app is driven over all its pages, and everything that leaves it is looked through.

The endpoint repeats the key in whatever it says, as bad ones do. What an endpoint writes in a code of its own, such as
base64, no client can know; what is looked for in such forms is what the app itself could have done with the key.
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
from urllib.parse import quote, unquote

import pyarrow
import pyarrow.parquet as parquet
import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from components.contract.profile import BEEZY, PROFILES, Profile
from components.contract.request import to_bytes
from components.endpoints.endpoint import Address
from components.endpoints.endpoint import Endpoint as OurEndpoint
from components.log.export import export_runs
from components.log.log import Log
from components.log.markdown_export import as_markdown
from components.log.query import events_of, find_run
from components.runs.runner import Runner
from components.sharing.capsule import Kind
from components.sharing.freezing import Choices, capsule_of
from components.snippets.credentials import WHERE_KEYS_BELONG
from components.snippets.export import export
from components.snippets.importing import import_request
from components.snippets.language import CannotSay, Language
from components.streaming.session import ApiKey
from tests import canary
from tests.browser.conftest import ROOT, serve_app
from tests.browser.pages import choose_row
from tests.log.conftest import REQUEST
from tests.orders import order_of
from tests.security.open_page import OpenPage
from tests.security.session import session
from tests.streaming.endpoint import DONE, Endpoint, chunk, document, event, head, serve
from tests.waiting import wait_for


class Echo:
    """Repeats the key that it was sent in answers, reasoning, calls of tools, errors, names and the head."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def play(self, connection: socket.socket, request: bytes) -> None:
        found = re.search(rb"\r\nAuthorization: Bearer ([^\r\n]*)", request)
        key = found[1].decode() if found else "no key came"
        self.keys.append(key)
        shown = (f"X-Key: {key}", f"Set-Cookie: key={key}")
        if request.startswith(b"GET"):
            listed = {"data": [{"id": "m"}, {"id": f"model-{key}"}], "key": key}
            connection.sendall(document(listed, "200 OK", *shown))
        elif b"Refuse." in request:
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
    """What went over the wire between the browser and the app."""

    pieces: list[tuple[str, bytes]] = field(default_factory=list)
    frames: int = 0
    bodies: int = 0
    urls: list[str] = field(default_factory=list)
    session_ids: set[str] = field(default_factory=set)

    def watch(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("response", self._response)
        page.on("framenavigated", lambda frame: self.urls.append(frame.url))

    def _socket(self, opened: WebSocket) -> None:
        self.urls.append(opened.url)
        for direction in ("framesent", "framereceived"):
            opened.on(direction, lambda said, direction=direction: self.frame(direction, said))

    def frame(self, direction: str, said: str | bytes) -> None:
        self.frames += 1
        data = said.encode() if isinstance(said, str) else said
        self.pieces.append((f"a WebSocket frame ({direction})", data))
        # The message that opens a session names it (NewSession.initialize.session_id of Streamlit's protocol).
        self.session_ids |= {one.decode() for one in re.findall(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", data)}

    def _response(self, response: Response) -> None:
        self.urls.append(response.url)
        self.pieces.append((f"the head of {response.url}", json.dumps(response.headers).encode()))
        if "/static/" not in response.url and response.status == 200:
            self._responses.append(response)

    _responses: list[Response] = field(default_factory=list)

    def read_bodies(self) -> None:
        """Read what came; while events are handled, it cannot be."""
        while self._responses:
            response = self._responses.pop()
            try:
                self.pieces.append((f"the body of {response.url}", response.body()))
                self.bodies += 1
            except Exception:  # noqa: BLE001 - a download, or of a page that is gone: read in another place
                continue


def settled(page: Page) -> None:
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def ask(page: Page, prompt: str) -> None:
    message = page.locator(".st-key-messages textarea").first
    message.fill(prompt)
    message.press("Control+Enter")


def in_the_playground(page: Page, app: str, seen: Seen) -> None:
    page.goto(app)
    ask(page, "Say it.")
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason")
    settled(page)
    page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(one => one.click())")
    share_answer_and_settings(page, seen)
    ask(page, "Refuse.")
    expect(page.locator(".st-key-run_message")).to_contain_text("HTTP 401")
    settled(page)
    page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(one => one.click())")
    ask(page, "Break.")
    expect(page.locator(".st-key-run_message")).to_contain_text("not complete")
    settled(page)


def share_answer_and_settings(page: Page, seen: Seen) -> None:
    page.locator(".st-key-share button").first.click()
    page.locator(".st-key-publish button").click()
    link = page.locator("[role=dialog] [data-testid=stCode]").filter(has_text="shared?c=")
    expect(link).to_be_visible()
    seen.urls.append(link.inner_text().strip())
    page.get_by_role("radio", name="Settings", exact=True).click()
    settings = page.locator("[role=dialog] [data-testid=stCode]").filter(has_text="?s=")
    expect(settings).to_be_visible()
    seen.urls.append(settings.inner_text().strip())
    with page.expect_download() as download:
        page.locator(".st-key-settings_file button").click()
    seen.pieces.append(("the settings file", Path(download.value.path()).read_bytes()))
    page.locator("[role=dialog]").get_by_role("button", name="Close").click()
    expect(page.locator("[role=dialog]")).to_have_count(0)


@contextmanager
def opened(app: str, seen: Seen, name: str = "", query: str = "") -> Iterator[OpenPage]:
    """A page without a browser; the server sends it the same frames."""
    with session(app) as connection:
        yield OpenPage(connection, query, name)
        seen.session_ids.add(connection.id)
        for frame in connection.received:
            seen.frame("framereceived", frame)


def look_through(page: OpenPage, key: str, *parts: str) -> None:
    for part in parts:
        page.send(**{key: part})
        page.learn()


def without_a_browser(app: str, echo: Echo, seen: Seen, run_ids: list[str]) -> None:
    """What was driven in the browser is looked at from the other pages; two lanes and a sweep ask besides."""
    for run_id in run_ids:
        with opened(app, seen, query=f"run={run_id}") as page:
            look_through(page, "view", "Request", "Events", "Code")
        with opened(app, seen, "runs", f"run={run_id}") as page:
            look_through(page, "run_part", "Times", "Events", "Code")
    (capsule,) = {url.partition("shared?c=")[2] for url in seen.urls if "shared?c=" in url}
    with opened(app, seen, "shared", f"c={capsule}") as page:
        look_through(page, "run_part", "Times", "Events", "Code")
    (settings,) = {url.partition("?s=")[2] for url in seen.urls if "?s=" in url}
    with opened(app, seen, query=f"s={settings}"):
        pass
    in_a_comparison(app, echo, seen)
    in_a_sweep(app, echo, seen)
    for name, shown in (("endpoints", b"key: set"), ("shared", b"Revoke")):
        with session(app) as connection:
            frames = connection.open(name)
            wait_for(lambda connection=connection, name=name, shown=shown: shown in connection.open(name))
        seen.frame("framereceived", frames)


def in_a_comparison(app: str, echo: Echo, seen: Seen) -> None:
    before = len(echo.keys)
    with opened(app, seen, "compare") as page:
        page.send("run", message_1="Say it to both.")
        page.learn()
        wait_for(lambda: len(echo.keys) == before + 2)
        query = page.query
    with opened(app, seen, "compare", query) as page:
        look_through(page, "look", "Diff", "First divergence", "Settings", "Vote", "Numbers")


def in_a_sweep(app: str, echo: Echo, seen: Seen) -> None:
    before = len(echo.keys)
    with opened(app, seen, "sweep") as page:
        page.send(message_1="Say it three times.", axis_text_0_0="0, 1", axis_repeats_0_0=1)
        page.learn()
        page.send("run_sweep")
        page.learn()
        wait_for(lambda: len(echo.keys) == before + 3)
        query = page.query
    with opened(app, seen, "sweep", query) as page:
        look_through(page, "sweep_tabs", "Results")


def in_the_log(page: Page, app: str, folder: Path) -> None:
    page.goto(f"{app}/runs")
    page.get_by_role("button", name="Export").click()
    for label in ("CSV", "JSON Lines", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=label).click()
        download.value.save_as(folder / "taken" / download.value.suggested_filename)
    page.keyboard.press("Escape")
    choose_row(page, 1)
    expect(page.get_by_role("textbox", name="Notes")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown").click()
    download.value.save_as(folder / "taken" / "run.md")
    page.get_by_text("Charts", exact=True).click()
    settled(page)


def look_for_the_key(page: Page, folder: Path) -> None:
    """Drive the app over all its pages, and look through what it sent, wrote and gave away.

    A browser runs, shares and downloads on the playground and in the log; the other pages are opened without one. The
    test that calls it stands beside the other ones with a browser.
    """
    echo = Echo()
    with serve(echo.play) as endpoint:
        _look(page, folder, echo, endpoint)


def _look(page: Page, folder: Path, echo: Echo, endpoint: Endpoint) -> None:
    seen = Seen()
    seen.watch(page)
    keys = {"TEMPERA_BASE_URL": endpoint.base_url, "TEMPERA_API_KEY": canary.KEY, "TEMPERA_MODEL": "m"}
    with serve_app(folder, **keys) as app:
        in_the_playground(page, app, seen)
        seen.read_bodies()
        in_the_log(page, app, folder)
        page.goto(f"{app}/healthz")
        seen.read_bodies()
        with closing(sqlite3.connect(folder / "runs.sqlite3")) as log:
            run_ids = [run_id for (run_id,) in log.execute("select id from runs").fetchall()]
        assert len(run_ids) == 3
        without_a_browser(app, echo, seen, run_ids)
        # While it runs, a part of the log stands beside the database.
        assert (folder / "runs.sqlite3-wal").stat().st_size
        while_it_runs = canary.leaks_in(folder)
    # The proof that anything could have been found: the key went out, and was sent back each time.
    assert len(echo.keys) >= 9
    assert set(echo.keys) == {canary.KEY}
    assert {path.name for path in (folder / "taken").iterdir()} == {"runs.csv", "runs.jsonl", "runs.parquet", "run.md"}
    assert seen.frames > 100
    assert seen.bodies > 5
    own = (app, app.replace("http", "ws", 1), "data:", "blob:", "about:")
    assert [url for url in seen.urls if not url.startswith(own)] == []
    assert any("?s=" in url for url in seen.urls)
    assert any("shared?c=" in url for url in seen.urls)
    for shown in (b"Your key is ***", b"Half of ***", b"Incorrect API key provided: ***", b"stop-***", b"3 of 3 cells"):
        assert any(shown in data for _, data in seen.pieces), shown
    leaks = {f"{name}: {way}" for name, data in seen.pieces for way in canary.found_in(data)}
    leaks |= {f"the address {url}: {way}" for url in seen.urls for way in canary.found_in(url.encode())}
    assert sorted(leaks | {*while_it_runs, *canary.leaks_in(folder)}) == []
    (folder / canary.PROOF).write_text(f"The key was sent {len(echo.keys)} times.\n")
    # Whoever knows the id of a session can take it over: it is in no log and in no table.
    assert seen.session_ids
    told = [
        f"{name}: {session_id}"
        for path in canary.files_in(folder)
        for name, data in canary.pieces_of(path)
        for session_id in seen.session_ids
        if session_id.encode() in data or session_id.replace("-", "").encode() in data
    ]
    assert told == []


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
    """Events that say each of these, each between two words, and what is JSON as escaped as JSON can be."""
    events = [event({"choices": [{"index": 0, "delta": say(f" <{number}>"), **more}]}) for number in range(3)]
    for number, pieces in enumerate(pieces_of_the_key()):
        said = [f"({number} ", *pieces, ")"]
        events += [event({"choices": [{"index": 0, "delta": say(one), **more}]}) for one in said]
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
    "no JSON": lambda: event(canary.KEY[:9]) + event(canary.KEY[9:]) + event(escaped(canary.KEY)),
    "a document": lambda: document(
        f'{{"choices": [{{"message": {{"content": "{escaped(canary.KEY)}"}}, "finish_reason": "stop"}}]}}'
    ),
    "a refusal": lambda: document({"error": {"message": canary.KEY.replace("/", "%2f")}}, "401 Unauthorized"),
    "a head": lambda: document("x", content_type=f"text/{canary.KEY}"),
    "a redirect": lambda: head("307 Moved", f"Location: /?key={quote(canary.KEY, safe='')}"),
}


@pytest.mark.parametrize("said", SPOKEN.values(), ids=SPOKEN)
def test_a_key_in_pieces_or_escaped_is_nowhere_behind_a_run(
    said: Callable[[], bytes], tmp_path: Path, migrated_log: Path
) -> None:
    answer = said()
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
    # What stands in several events is looked at as whoever puts it together would.
    data = "".join(one.data for one in events)
    spelled = re.compile(r'"(?:content|reasoning_content|refusal|arguments|token)": "([^"]*)"')
    for told in (data, "".join(spelled.findall(data)), record.text, record.reasoning, record.tool_calls):
        plain = unquote(re.sub(r"\\+(?:u00([0-9a-fA-F]{2})|/)", lambda one: chr(int(one[1] or "2f", 16)), told)).lower()
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
def test_a_key_in_a_paste_is_nowhere_in_what_is_made_of_it(profile: Profile) -> None:
    for paste in PASTED:
        imported = import_request(paste, profile)
        made = [repr(imported), to_bytes(imported.request, profile).decode(), *imported.notes]
        for language in Language:
            with suppress(CannotSay):
                made.append(export(imported.request, profile, "http://host/v1", language))
        assert canary.found_in("\n".join(made).encode()) == []
        assert any(WHERE_KEYS_BELONG in note or "cookies" in note or "headers" in note for note in imported.notes)


@pytest.mark.parametrize("form", canary.forms(canary.KEY), ids=canary.forms(canary.KEY).values())
def test_the_key_is_found_in_each_form(form: bytes) -> None:
    assert canary.found_in(b"before " + form + b" after")


def test_a_key_is_found_in_what_is_packed(tmp_path: Path) -> None:
    # Another one: what this test leaves behind is looked through for the canary, too.
    secret = canary.KEY[::2] * 2
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as database, database:
        database.execute("create table events (content blob)")
        database.execute("insert into events values (?)", [zlib.compress(f"key {secret}".encode())])
    parquet.write_table(pyarrow.table({"text": [f"key {secret}"]}), tmp_path / "runs.parquet", compression="zstd")
    found = {leak.rpartition("/")[2] for leak in canary.leaks_in(tmp_path, secret)}
    assert {"log.sqlite3, events: as it is", "runs.parquet (its table): as it is"} <= found
    assert canary.leaks_in(tmp_path) == []


def test_the_last_step_of_ci_needs_the_proof_and_finds_the_key(tmp_path: Path) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        script = [sys.executable, str(ROOT / "tests/check-canary"), str(tmp_path)]
        return subprocess.run(script, capture_output=True, text=True, check=False)

    assert "nothing is proved" in check().stderr
    # Neither may stay: the last step of CI looks at what this test leaves behind, too.
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
