"""Hostile texts on every page, without the app's content security policy: nothing loads, runs, or sends a prompt.

The policy would hide failures of the escaping. One visit with it shows that it does not block the app itself.

``tests/markdown`` tests model text, ``test_live_view`` the live view; here such text enters the whole app everywhere:
endpoint, log, notes, presets, links, capsules and addresses.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from sqlalchemy import insert

from components.checks.text_checks import Contains
from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.setting import FieldState, Setting
from components.log.annotations import Annotation
from components.log.database import Database
from components.log.events import StoredEvent, pack
from components.log.record import RunRecord
from components.log.tables import capsules, events, experiments, presets, run_annotations, votes
from components.markdown.blocks import MarkdownBlocks
from components.sharing.capsule import Capsule, Kind, to_bytes
from components.sharing.collection import collection_of
from components.sharing.freezing import Choices, capsule_of
from components.sharing.linked_settings import linked_settings
from components.sharing.settings_link import settings_link
from tests.browser.conftest import serve_app
from tests.browser.hostile import hostile
from tests.browser.pages import choose_row, open_row, settled
from tests.chromium import new_context
from tests.log.test_search import a_record, keep
from tests.streaming.endpoint import DONE, chunk, document, event, head, serve
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hostile")  # takes as long as all other files with a browser

MOMENT = "2026-11-20T10:00:00.000000Z"
COMPARISON, SWEEP = "c" * 32, "d" * 32
WHOLE, FAILED = 900, 901
"""The numbers of the runs with all strings at once: a successful one and a failed one."""


class Leak:
    """A server on another origin that must not be called, except for the foreign page at ``/foreign``."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.foreign_page = ""
        seen = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                with suppress(ConnectionError):
                    super().handle_one_request()

            def do_GET(self) -> None:
                own = self.path == "/foreign"
                if not own and self.path != "/favicon.ico":  # fetched by the browser for the foreign page itself
                    seen.requests.append(self.path)
                self.send_response(200 if own else 404)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                if own:
                    self.wfile.write(seen.foreign_page.encode())

            do_POST = do_HEAD = do_OPTIONS = do_PUT = do_GET  # noqa: N815 - the names that the server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


class HostileEndpoint:
    """Puts all strings into its responses; the beginning of a prompt selects the kind of response."""

    def __init__(self, strings: list[str]) -> None:
        self.strings = strings
        self.completions = 0
        self.further: dict[str, Any] = {}
        """Further keys of every event of an answer."""

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            everything = "\n\n".join(self.strings)
            refused = document({"error": {"message": everything}}, "500 Internal Server Error")
            listed = document({"data": [{"id": text, "object": "model", "ui": text} for text in self.strings]})
            connection.sendall(refused if b" /refuses/" in request.split(b"\r\n")[0] else listed)
            return
        self.completions += 1
        if b"Refuse." in request:
            message = {"error": {"message": "\n\n".join(self.strings), "type": self.strings[0], "param": "temperature"}}
            connection.sendall(document(message, "400 Bad Request"))
        elif b"Plain." in request:
            connection.sendall(head())
            for word in ("Just ", "some ", "words."):
                connection.sendall(self._event(word))
            connection.sendall(self._event("", "stop") + DONE)
        else:
            self._say_everything(connection)

    def _say_everything(self, connection: socket.socket) -> None:
        connection.sendall(head())
        for text in self.strings:
            connection.sendall(event({"choices": [{"index": 0, "delta": {"reasoning_content": f"{text}\n\n"}}]}))
        for text in self.strings:
            # In two pieces, so that the page draws unclosed text. Another test covers every prefix.
            for piece in (text[: len(text) // 2], f"{text[len(text) // 2 :]}\n\n"):
                connection.sendall(chunk(piece, model=text))
        calls = [
            {"index": number, "id": text, "function": {"name": text, "arguments": json.dumps({text: text})}}
            for number, text in enumerate(self.strings)
        ]
        connection.sendall(event({"choices": [{"index": 0, "delta": {"tool_calls": calls}}]}))
        connection.sendall(chunk("", self.strings[0]) + DONE)

    def _event(self, text: str, finish: str | None = None) -> bytes:
        if not self.further:
            return chunk(text, finish)
        named = b"event: execute\nid: 1\nretry: 1\n"
        delta = {"content": text, **self.further}
        choices = [{"index": 0, "delta": delta, "finish_reason": finish, **self.further}]
        command = named + b"data: " + json.dumps(self.further).encode() + b"\n\n"
        return command + chunk(text, finish, **{**self.further, "choices": choices})


@dataclass
class HostileApp:
    """The app with hostile texts in its log, and the address in them."""

    app: str
    leak: Leak
    endpoint: HostileEndpoint
    links: dict[str, str]
    """Settings links and the ids of capsules."""
    prompt: str


@pytest.fixture(scope="module")
def leak() -> Iterator[Leak]:
    leak = Leak()
    thread = threading.Thread(target=leak.server.serve_forever)
    thread.start()
    yield leak
    leak.server.shutdown()
    thread.join()
    leak.server.server_close()


@pytest.fixture(scope="module")
def hostile_app(leak: Leak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileApp]:
    folder = tmp_path_factory.mktemp("hostile")
    strings = hostile(leak.address)
    endpoint = HostileEndpoint(strings)
    links = fill(folder, strings)
    with serve(endpoint.play) as server:
        other = server.base_url.removesuffix("/v1") + "/refuses/v1"
        (folder / "secrets.toml").write_text(f'[endpoints.refuses]\nbase_url = "{other}"\n')
        with serve_app(folder, TEMPERA_BASE_URL=server.base_url) as app:
            # A variable needs a value before a prompt can be sent.
            prompt = "\n\n".join(text for text in strings if "{{" not in text)
            yield HostileApp(app, leak, endpoint, links, prompt)


def fill(folder: Path, strings: list[str]) -> dict[str, str]:
    """Put the strings into every text of the log; return the links to what can be opened."""
    records = records_of(strings)
    database = Database(f"sqlite:///{folder / 'runs.sqlite3'}")
    keep(database, *records)
    values = {"rating": 3, "changed_at": MOMENT}
    notes = [
        {"run_id": record.id, "tags": "\n".join(strings[:40]).replace("\n\n", " "), "notes": record.text, **values}
        for record in records
    ]
    draft = hostile_draft(strings)
    sweep = {
        "draft": json.loads(draft.to_text()),
        "setup": {"axes": [{"field": "{{image}}", "text": strings[0]}, {"field": "a.b[0]", "text": "1"}], "repeats": 1},
        "rows": [{"{{image}}": text, "a.b[0]": json.dumps(text)} for text in strings[:6]],
        "inputs": [{"url": strings[0], "a.b['c']": strings[1]}],
    }
    made = {"created_at": MOMENT, "owner": "local"}
    kept = {f"c{number}": capsule for number, capsule in enumerate(hostile_capsules(strings, records, draft))}
    ids = {name: f"{name}".ljust(21, "x") + "A" for name in (*kept, "c5")}
    everything = "\n\n".join(strings)
    linked = [(ids[name], everything) for name in kept]
    kept["c5"] = collection_of(" ".join(strings)[:200], linked, everything)
    vote = {"created_at": MOMENT, "first_run": records[0].id, "better": "first", "blind": False}
    with database.writer.begin() as connection:
        connection.execute(insert(run_annotations), notes)
        connection.execute(
            insert(events),
            [{"run_id": record.id, "first": 0, "content": pack(hostile_events(strings))} for record in records],
        )
        connection.execute(
            insert(experiments),
            [
                {"id": COMPARISON, "kind": "comparison", "content": draft.to_text(), **made},
                {"id": SWEEP, "kind": "sweep", "content": json.dumps(sweep), **made},
            ],
        )
        connection.execute(
            insert(presets),
            [
                {"id": f"{number:032x}", "name": text[:80], "content": draft.to_text(), **made}
                for number, text in enumerate({text[:80]: text for text in strings}.values())
            ],
        )
        connection.execute(
            insert(votes),
            [
                {
                    "id": f"{number:032x}",
                    "second_run": records[1].id,
                    "first_setting": text,
                    "second_setting": "x",
                    **vote,
                }
                for number, text in enumerate(strings)
            ],
        )
        connection.execute(
            insert(capsules),
            [
                {
                    "id": ids[name],
                    "kind": capsule.kind.value,
                    "title": capsule.title,
                    "content": to_bytes(capsule),
                    "expires_at": "2999-01-01T00:00:00.000000Z",
                    **made,
                }
                for name, capsule in kept.items()
            ],
        )
    database.close()
    return {
        **ids,
        "settings": settings_link(draft, comparison=False),
        "lanes": settings_link(draft, comparison=True),
    }


def records_of(strings: list[str]) -> list[RunRecord]:
    """A run per string with it in every field, runs with all strings, and runs of a comparison and a sweep."""
    everything = "\n\n".join(strings)
    calls = json.dumps([{"id": text, "name": text, "arguments": text} for text in strings])
    numbers = {"ttft_ms": 30.0, "total_ms": 90.0, "tokens_per_second": 7.0, "completion_tokens": 3, "event_count": 9}
    fields = {
        "image": strings[0], "url": strings[1], "href": strings[2], "a.b[0]['c']": strings[3], strings[4]: strings[5],
        "temperature": 0.5,
    }  # fmt: skip

    def record(number: int, content: str, **parts: Any) -> RunRecord:
        known: dict[str, Any] = {
            "text": content, "reasoning": content, "model": content, "endpoint": content, "finish_reason": content,
            "determinism": content, "warnings": json.dumps([content]), **numbers,
            "tool_calls": json.dumps([{"id": content, "name": content, "arguments": content}]),
        }  # fmt: skip
        began = f"2026-11-20T{10 + number // 3_600:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z"
        return a_record(number, content, sent=fields, **known | {"created_at": began} | parts)

    failed = {"status": "error", "error_kind": "invalid_request", "error_message": everything, "raw_error": everything}
    placed = {"timing": "parallel", "concurrency": 2, "repeat": 1}
    lanes = [
        {"experiment_id": COMPARISON, "lane": str(lane + 1), "position": lane, **placed}
        for lane in range(len(strings[:4]))
    ]
    rows = [{"experiment_id": SWEEP, "position": row, **placed} for row in range(4)]
    return [
        *(record(number, text) for number, text in enumerate(strings, 1)),
        record(WHOLE, everything, tool_calls=calls, model=strings[0], endpoint=strings[1]),
        record(FAILED, everything, text="", reasoning="", tool_calls="[]", **failed),
        # Four lanes and four rows contain all strings: drawing side by side takes most of the time.
        *(record(1_000 + at, "\n\n".join(strings[at % 4 :: 4]), **place) for at, place in enumerate([*lanes, *rows])),
    ]


def hostile_events(strings: list[str]) -> list[StoredEvent]:
    data = [json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in strings]
    return [
        StoredEvent(text, one, 10.0 * at, len(one)) for at, (text, one) in enumerate(zip(strings, data, strict=True))
    ]


def hostile_draft(strings: list[str]) -> Draft:
    """A form with the strings in messages, variables, further fields and the names of lanes."""
    everything = "\n\n".join(strings)
    short = [text for text in strings if len(text) <= 40]
    lanes = tuple(
        Lane(
            id=str(number),
            name=text,
            model=strings[number],
            endpoint=strings[number + 1][:100] if number % 2 else None,
            system=strings[number + 2],
            settings={"temperature": Setting(state=FieldState.VALUE, value=0.1 * number)},
            literal=True,
        )
        for number, text in enumerate(short[:4], 1)
    )
    turns = [
        Turn(id="1", role=Role.SYSTEM, content=everything, literal=True),
        Turn(id="2", role=Role.USER, content="{{image}} {{url}}", name=strings[0]),
        Turn(id="3", role=Role.ASSISTANT, content=everything, tool_calls=json.dumps([{"id": strings[0]}])),
        Turn(id="4", role=Role.TOOL, content=strings[1], tool_call_id=strings[2]),
        Turn(id="5", role=Role.USER, content=everything, literal=True),
    ]
    return new_draft().model_copy(
        update={
            "turns": tuple(turns),
            "model": strings[0],
            "endpoint": strings[0],
            "variables": {"image": strings[0], "url": everything},
            "extra_body": json.dumps({text: text for text in strings}),
            "comparison": Comparison(lanes=lanes, highest_id=9),
        }
    )


def hostile_capsules(strings: list[str], records: list[RunRecord], draft: Draft) -> list[Capsule]:
    """Capsules of a run, a failed run, several runs, a comparison and settings."""
    by_number = {int(record.id, 16): record for record in records}
    annotation = Annotation(4, tuple(strings[:8]), "\n\n".join(strings))

    def capsule(kind: Kind, *runs: RunRecord, **more: Any) -> Capsule:
        return capsule_of(
            runs,
            kind=kind,
            title=" ".join(strings)[:200],
            choices=Choices(system_message=True, notes=True, events=True, checks=True),
            checks=[Contains(text=text) for text in strings[:8]],
            labels={run.id: strings[at] for at, run in enumerate(runs)},
            annotations={run.id: annotation for run in runs},
            events={run.id: hostile_events(strings) for run in runs},
            **more,
        )

    linked = linked_settings(draft, comparison=True)
    return [
        capsule(Kind.RUN, by_number[WHOLE]),
        capsule(Kind.RUN, by_number[FAILED]),
        capsule(Kind.RUNS, by_number[1], by_number[2], by_number[WHOLE]),
        capsule(Kind.COMPARISON, by_number[1_000], by_number[1_001], settings=linked),
        capsule(Kind.SETTINGS, settings=linked),
    ]


_NOTED = """
Object.defineProperty(window, "__xss", {set: mark => console.error("it ran: " + mark)});
addEventListener("securitypolicyviolation", event => {
    if (event.blockedURI.includes("://")) console.error("it was stopped: " + event.blockedURI);
});
"""
"""Only blocked addresses count; blocked WebAssembly of Streamlit has none."""


class Watch:
    """A visitor with all forbidden events: requests to other origins, dialogs and executed strings."""

    def __init__(self, chromium: Browser, app: str, *, bypass_csp: bool) -> None:
        # Without the policy, the browser ignores the header, and only the escaping protects.
        self.context = new_context(chromium, bypass_csp=bypass_csp)
        self.context.add_init_script(_NOTED)
        self.tab = self.context.new_page()
        self.foreign: list[str] = []
        self.events: list[str] = []
        own = (app, "data:", "blob:", "about:")
        self.context.on("request", lambda request: request.url.startswith(own) or self.foreign.append(request.url))
        self.context.on("dialog", lambda dialog: (self.events.append(dialog.message), dialog.dismiss()))
        self.context.on("console", lambda message: message.text.startswith("it ") and self.events.append(message.text))


@pytest.fixture(scope="module")
def watch(chromium: Browser, hostile_app: HostileApp) -> Iterator[Watch]:
    """The visitor of most tests, whose browser ignores the policy."""
    watch = Watch(chromium, hostile_app.app, bypass_csp=True)
    yield watch
    watch.context.close()


@pytest.fixture(scope="module")
def strict(chromium: Browser, hostile_app: HostileApp) -> Iterator[Watch]:
    """A visitor whose browser obeys the policy."""
    watch = Watch(chromium, hostile_app.app, bypass_csp=False)
    yield watch
    watch.context.close()


def assert_inert(page: Page, watch: Watch, hostile_app: HostileApp) -> None:
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("Something went wrong in Tempera").count() == 0
    links = page.locator("[data-testid=stMain] a").evaluate_all("all => all.map(a => a.getAttribute('href') ?? '')")
    assert [link for link in links if not re.match(r"https?://|mailto:|[/?#]|$|(?:compare|sweep)\?", link)] == []
    assert watch.events == []
    assert watch.foreign == []
    assert {*watch.context.pages} == {watch.tab, page}
    assert hostile_app.leak.requests == []


def open_all(page: Page) -> None:
    """Open everything folded, some of which is drawn only then."""
    page.evaluate(
        "document.querySelectorAll('[data-testid=stMain] details:not([open]) > summary').forEach(one => one.click())"
    )


def look_at_parts(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("radio", name=name, exact=True).first.click()
        settled(page)


def run(page: Page, prompt: str) -> None:
    message = page.locator(".st-key-messages textarea").first
    message.fill(prompt)
    message.press("Control+Enter")


def go(page: Page, hostile_app: HostileApp, path: str = "") -> None:
    """Load a page of the app. Navigation within the open page would be faster, but fails during a running script."""
    page.goto(f"{hostile_app.app}/{path}")


def visit_the_playground(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app)
    page.locator(".st-key-model input").click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    run(page, hostile_app.prompt)
    expect(page.locator(".st-key-answer_actions")).to_contain_text("Replay")
    settled(page)
    open_all(page)
    page.locator(".st-key-answer_actions").get_by_text("Raw").click()
    settled(page)
    page.locator(".st-key-presets button").first.click()
    expect(page.get_by_text("Save these settings as")).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    look_at_parts(page, "Request", "Events", "Code", "Answer")
    run(page, "Refuse.")
    expect(page.locator(".st-key-run_message")).to_contain_text("HTTP 400")
    settled(page)
    open_all(page)
    look_at_parts(page, "Events")


def visit_the_log(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"runs?run={WHOLE:032x}")
    expect(page.locator(".st-key-answer")).to_contain_text("window.__xss=25")
    open_all(page)
    look_at_parts(page, "Events", "Code")
    by = page.locator(".st-key-chart_by input")
    by.fill("image")
    by.press("Enter")
    settled(page)
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    for at in range(1, 10):
        page.mouse.move(box["x"] + box["width"] * at / 10, box["y"] + box["height"] / 2)


def visit_a_failed_run_and_several(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"runs?run={FAILED:032x}&status=error")
    expect(page.locator(".st-key-run_message")).to_be_visible()
    open_all(page)
    go(page, hostile_app, "runs")
    open_row(page, 1)
    page.get_by_role("radio", name="Notes").click()
    expect(page.get_by_role("textbox", name="Notes")).to_be_visible()
    page.keyboard.press("Escape")
    choose_row(page, 1)
    choose_row(page, 2)
    expect(page.get_by_text("Requests", exact=True)).to_be_visible()
    settled(page)


def visit_an_address(page: Page, hostile_app: HostileApp) -> None:
    text = hostile_app.prompt[:3_000]
    names = ("find", "model", "endpoint", "finish_reason", "sent", "tag", "experiment", "since", "run", "columns")
    go(page, hostile_app, f"runs?{urlencode(dict.fromkeys(names, text[:500]))}")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    go(page, hostile_app, f"?{urlencode(dict.fromkeys(('s', 'run', 'open', 'draft'), text[:700]))}")
    expect(page.get_by_text("This is not a link to settings of Tempera.")).to_be_visible()
    go(page, hostile_app, f"shared?{urlencode({'c': text})}")
    expect(page.get_by_text("There is nothing here.")).to_be_visible()
    settled(page)


def visit_a_comparison(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"compare?open={COMPARISON}")
    expect(page.locator("[class*=st-key-lane_card_]")).to_have_count(4)
    settled(page)
    open_all(page)
    look_at_parts(page, "Diff", "First divergence", "Noise", "Settings", "Vote")  # it opens with "Numbers"
    page.locator(".st-key-earlier button").first.click()
    expect(page.locator("[class*=st-key-earlier_]").first).to_be_visible()
    page.keyboard.press("Escape")


def visit_a_sweep(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"sweep?sweep={SWEEP}")
    expect(page.get_by_text("runs ended")).to_be_visible()
    settled(page)
    page.get_by_role("tab", name="Results").click()
    expect(page.locator("[data-testid=stVegaLiteChart]").first).to_be_visible()
    settled(page)
    open_all(page)


def visit_links_to_settings(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"?s={hostile_app.links['settings']}")
    expect(page.locator(".st-key-link_bar")).to_contain_text("Opened from a link.")
    settled(page)
    open_all(page)
    look_at_parts(page, "Request", "Code")
    go(page, hostile_app, f"?s={hostile_app.links['lanes']}")
    expect(page.locator("[class*=st-key-lane_card_]")).to_have_count(4)
    settled(page)
    open_all(page)


def visit_what_is_shared(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, f"shared?c={hostile_app.links['c0']}")
    expect(page.locator(".st-key-answer")).to_contain_text("window.__xss=25")
    settled(page)
    open_all(page)
    look_at_parts(page, "Times", "Request")
    go(page, hostile_app, f"shared?c={hostile_app.links['c1']}")
    expect(page.locator(".st-key-run_message")).to_be_visible()
    go(page, hostile_app, f"shared?c={hostile_app.links['c2']}")
    expect(page.get_by_text("Answers, each against the first")).to_be_visible()
    expect(page.locator("[data-testid=stTable]")).to_have_count(2)  # the script that draws a table may load late
    settled(page)
    open_all(page)
    go(page, hostile_app, f"shared?c={hostile_app.links['c3']}")
    expect(page.locator(".st-key-fork_comparison")).to_be_visible()
    go(page, hostile_app, f"shared?c={hostile_app.links['c4']}")
    page.locator(".st-key-fork_settings button").click()
    expect(page.locator("[class*=st-key-lane_card_]")).to_have_count(4)
    go(page, hostile_app, f"shared?c={hostile_app.links['c5']}")
    expect(page.locator("[class*=st-key-collection_entry_]")).to_have_count(5)
    expect(page.locator(".st-key-collection_note_6")).to_contain_text("window.__xss=25")
    settled(page)
    open_all(page)
    go(page, hostile_app, "shared")
    expect(page.get_by_role("button", name="Revoke")).to_have_count(6)
    page.get_by_role("button", name="New collection").click()
    expect(page.get_by_role("dialog").get_by_label("Title")).to_be_visible()


def visit_the_endpoints(page: Page, hostile_app: HostileApp) -> None:
    go(page, hostile_app, "endpoints")
    refusing = page.locator(".st-key-endpoint_refuses")
    expect(refusing).to_contain_text("answers without a list of models")
    open_all(page)
    settled(page)


VISITS = [
    visit_the_playground,
    visit_the_log,
    visit_a_failed_run_and_several,
    visit_an_address,
    visit_a_comparison,
    visit_a_sweep,
    visit_links_to_settings,
    visit_what_is_shared,
    visit_the_endpoints,
]


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.__name__)
def test_hostile_texts_stay_text(
    watch: Watch, hostile_app: HostileApp, visit: Callable[[Page, HostileApp], None]
) -> None:
    visit(watch.tab, hostile_app)
    assert_inert(watch.tab, watch, hostile_app)


def test_hostile_texts_stay_text_without_a_live_connection(watch: Watch, hostile_app: HostileApp) -> None:
    def refuse(route: WebSocketRoute) -> None:
        route.close()

    page = watch.context.new_page()  # a route remains on its tab
    page.route_web_socket("**/live", refuse)
    go(page, hostile_app)
    run(page, hostile_app.prompt)
    expect(page.get_by_text("Drawn without the live connection")).to_be_visible()
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason")
    settled(page)
    open_all(page)
    assert_inert(page, watch, hostile_app)
    page.close()


def test_the_policy_blocks_nothing_of_the_app(strict: Watch, hostile_app: HostileApp) -> None:
    visit_a_sweep(strict.tab, hostile_app)  # with a table and charts
    assert_inert(strict.tab, strict, hostile_app)


def test_every_prefix_of_every_string_is_inert(watch: Watch, hostile_app: HostileApp) -> None:
    drawn: dict[str, None] = {}
    for text in hostile(hostile_app.leak.address):
        blocks = MarkdownBlocks()
        for end in range(1, len(text) + 1):
            blocks.update(text[:end], ended=end == len(text))
            drawn |= dict.fromkeys(blocks.blocks)
    page = watch.tab
    page.goto(f"{hostile_app.app}/healthz")
    page.evaluate("html => { document.body.innerHTML = html }", "<hr>".join(drawn))
    assert len(drawn) > 1_000
    assert page.locator("img, image, script, iframe, style, object, embed, video, form, [style]").count() == 0
    assert_inert(page, watch, hostile_app)


@pytest.mark.parametrize("policy", [True, False], ids=["with_policy", "without_policy"])
def test_the_policy_blocks_an_image_and_without_it_the_request_is_detected(
    watch: Watch, strict: Watch, hostile_app: HostileApp, policy: bool
) -> None:
    """The control: the events that other tests forbid would be detected."""
    visitor = strict if policy else watch
    address = f"{hostile_app.leak.address}/control"
    visitor.tab.goto(f"{hostile_app.app}/healthz")
    visitor.tab.evaluate(
        "url => new Promise(over => { const i = new Image(); i.onload = i.onerror = over; i.src = url })", address
    )
    visitor.tab.evaluate("window.__xss = 1")
    wait_for(lambda: visitor.tab.evaluate("1") and "it ran: 1" in visitor.events)
    leaked, requested, events = (list(one) for one in (hostile_app.leak.requests, visitor.foreign, visitor.events))
    for one in (hostile_app.leak.requests, visitor.foreign, visitor.events):
        one.clear()
    assert leaked == ([] if policy else ["/control"])
    assert requested == [address]
    assert (f"it was stopped: {address}" in events) is policy


def state_apart_from_the_run(page: Page) -> dict[str, Any]:
    """The state of the page that an answer could change, apart from the panel of the run."""
    settled(page)
    state: dict[str, Any] = page.evaluate(
        """() => ({
            title: document.title,
            address: location.origin + location.pathname + [...new URLSearchParams(location.search).keys()].sort(),
            kept: JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie.replace(/=[^;]*/g, "")]),
            fields: [...document.querySelectorAll(":is(.st-key-settings, .st-key-messages) :is(input, textarea)")]
                .map(one => [one.ariaLabel, one.value, one.checked]),
            chosen: [...document.querySelectorAll("[aria-checked=true], [aria-selected=true]")]
                .map(one => one.innerText),
            settings: document.querySelector(".st-key-settings").innerText,
            messages: document.querySelector(".st-key-messages").innerText,
            header: document.querySelector("[data-testid=stHeader]").innerText,
            dialogs: document.querySelectorAll("[role=dialog], [data-testid=stToast]").length,
        })"""
    )
    return state


def test_an_endpoint_cannot_control_the_page_and_reload_back_and_forward_send_nothing(
    watch: Watch, hostile_app: HostileApp
) -> None:
    visitor = watch.tab
    leak, endpoint = hostile_app.leak.address, hostile_app.endpoint
    states = []
    commands = {
        "type": "execute", "event": "chat:execute", "code": "window.__xss = 61", "script": "window.__xss = 62",
        "redirect": leak, "location": leak, "url": leak, "navigate": "/runs", "page": "runs", "href": leak,
        "ui": {"toast": "x", "dialog": "x", "theme": "dark", "html": f"<img src={leak}/63>"},
        "session_state": {"temperature": 2, "model": "x"}, "query_params": {"s": "x", "page": "runs"},
        "widgets": {"temperature": 2}, "temperature": 2, "messages": [{"role": "user", "content": "x"}],
        "files": [{"type": "image", "url": f"{leak}/64"}], "image_url": f"{leak}/65", "sources": [{"url": leak}],
        "set_cookie": "a=b", "localStorage": {"a": "b"}, "title": "x", "__proto__": {"x": 1}, "constructor": "x",
    }  # fmt: skip
    visitor.goto(hostile_app.app)
    try:
        for endpoint.further in ({}, commands):
            before = visitor.url
            run(visitor, "Plain.")
            expect(visitor).not_to_have_url(before)
            expect(visitor.locator(".st-key-run_status")).to_contain_text("finish reason stop")
            states.append(state_apart_from_the_run(visitor))
            expect(visitor.locator(".st-key-answer .live-text")).to_have_text("Just some words.")
    finally:
        endpoint.further = {}
    assert states[0] == states[1]
    assert_inert(visitor, watch, hostile_app)

    sent = hostile_app.endpoint.completions
    visitor.reload()
    expect(visitor.locator(".st-key-run_status")).to_contain_text("finish reason stop")
    settled(visitor)
    visitor.get_by_role("link", name="Runs").click()
    expect(visitor.get_by_role("heading", name="Runs")).to_be_visible()
    visitor.go_back()
    expect(visitor.locator(".st-key-run_status")).to_contain_text("finish reason stop")
    visitor.go_forward()
    expect(visitor.get_by_role("heading", name="Runs")).to_be_visible()
    settled(visitor)
    assert hostile_app.endpoint.completions == sent


FOREIGN = """<!DOCTYPE html><iframe id=inside src="APP/?s=LINK"></iframe><script>
const words = ["RERUN_SCRIPT", "SET_QUERY_PARAMS", "UPDATE_FROM_QUERY_PARAMS", "REQUEST_PAGE_CHANGE", "UPDATE_HASH",
    "SEND_MESSAGE", "RUN", "submit", "input:prompt:submit", "action:submit", "SET_AUTH_TOKEN", "CLOSE_MODAL", "CLICK",
    "SET_INPUTS_DISABLED", "streamlit:setComponentValue"];
const opened = open("APP/?s=LINK&run=1&send=1&submit=true");
let times = 0;
const say = () => [opened, inside.contentWindow].forEach(there => words.forEach(type => {
    const more = {type, queryParams: "?s=LINK&run=1", pageName: "compare", text: "Send this", prompt: "Send this",
        key: "run", value: {run: true}, disabled: false, isStreamlitMessage: true, submit: true};
    for (const said of [{stCommVersion: 1, ...more}, more, JSON.stringify(more), type]) there?.postMessage(said, "*");
})) || (document.title = `said ${++times} times`);
setInterval(say, 400);
</script>"""


def test_messages_of_a_foreign_page_send_no_prompt(strict: Watch, hostile_app: HostileApp) -> None:
    leak, before, visitor = hostile_app.leak, hostile_app.endpoint.completions, strict.tab
    leak.foreign_page = FOREIGN.replace("APP", hostile_app.app).replace("LINK", hostile_app.links["settings"])
    with strict.context.expect_page() as opened:
        visitor.goto(f"{leak.address}/foreign")
    ours = opened.value
    expect(ours.locator(".st-key-link_bar")).to_contain_text("Nothing was sent.")
    heard = int(visitor.title().split()[1])
    expect(visitor).to_have_title(re.compile(rf"said (?!{heard} |{heard + 1} |{heard + 2} )\d+ times"))
    # The messages have arrived, and a page that obeyed them would have sent something before it answers a click.
    ours.get_by_role("radio", name="Request", exact=True).first.click()
    expect(ours.locator(".st-key-preview").first).to_be_visible()
    expect(ours.locator(".st-key-link_bar")).to_contain_text("Nothing was sent.")
    assert ours.locator(".st-key-run_status").count() == 0
    ours.close()
    # No foreign page may frame ours.
    assert [frame.url for frame in visitor.frames if frame.url.startswith(hostile_app.app)] == []
    assert hostile_app.endpoint.completions == before
    assert leak.requests == []
    visitor.goto("about:blank")
    strict.foreign.clear()  # the foreign page itself
    strict.events.clear()
