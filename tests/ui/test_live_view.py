"""The live view in the script: permitted origins, and no text in the script's data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from components.server.process import service
from components.ui import state
from components.ui.answer import keys, live_view
from tests.pages.conftest import SCRIPT, Chat, chat
from tests.waiting import wait_for

__all__ = ["chat"]


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://localhost:8501", "localhost:8501", True),
        ("http://127.0.0.1:8501", "127.0.0.1:8501", True),
        ("http://localhost:3000", "localhost:8501", False),
        ("http://evil.test", "localhost:8501", False),
        # A name that resolves to this machine is not a served host, even as the Host header.
        ("http://evil.test:8501", "evil.test:8501", False),
        ("http://localhost:8501@evil.test", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("", "localhost:8501", False),
        (None, "localhost:8501", False),
        ("http://localhost:8501", None, False),
    ],
)
def test_only_our_own_pages_may_connect(origin: str | None, host: str | None, allowed: bool) -> None:
    assert live_view.is_own_page(origin, host) is allowed


def test_an_origin_that_the_operator_named_may_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"server.allowedHosts": ["inside"], "server.corsAllowedOrigins": ["https://tempera.test"]}
    monkeypatch.setattr(config, "get_option", named.__getitem__)
    assert live_view.is_own_page("https://tempera.test", "inside:8501")
    assert not live_view.is_own_page("https://other.test", "inside:8501")


def test_the_script_of_the_view_is_small_and_imports_nothing() -> None:
    scripts = sorted(Path(live_view.FOLDER / "assets").glob("*.js"))
    lines = [line.strip() for script in scripts for line in script.read_text().splitlines()]
    assert 0 < sum(1 for line in lines if line and not line.startswith("//")) < 720
    assert not any("import" in line and "http" in line for line in lines)


def drawn(page: AppTest) -> dict[str, dict[str, object]]:
    """The data of each component of the page, by part."""
    drawn_data = [json.loads(element.proto.json) for element in page.get("bidi_component")]
    return {"status" if data["part"] == "status" else "answer": data for data in drawn_data if "part" in data}


def test_the_page_receives_the_id_of_a_run_and_no_text(chat: Chat) -> None:
    page = AppTest.from_file(SCRIPT, default_timeout=20).run()
    # The connection is prepared before the first run.
    assert drawn(page)["answer"]["run"] is None
    chat.go_on.clear()
    page.button(key="run").click().run()
    data = drawn(page)
    run_id = page.query_params["run"]
    assert [data[part]["run"] for part in ("status", "answer")] == [run_id, run_id]
    assert data["answer"]["running"]
    assert data["answer"]["part"] == "markdown"
    channel = service().channels.find(str(data["answer"]["token"]))
    assert channel
    wait_for(lambda: channel.find(run_id).run.record().text == "Hello")
    assert "Hello" not in json.dumps(data)
    page.toggle(key=state.AS_WRITTEN).set_value(True).run()
    assert drawn(page)["answer"]["part"] == "plain"
    chat.go_on.set()
    wait_for(lambda: "status" not in drawn(page.run()))
    assert not drawn(page)["answer"]["running"]
    assert drawn(page)["answer"]["token"] == data["answer"]["token"]
    assert channel.find(run_id).run.record().text == "Hello you"
    page.toggle(key=keys.replay_key(run_id)).set_value(True).run()
    assert drawn(page)["answer"]["replay"]


def test_each_page_has_its_own_token_and_sees_its_own_runs_only(chat: Chat) -> None:
    pages = [AppTest.from_file(SCRIPT, default_timeout=20).run() for _ in range(2)]
    tokens = [str(drawn(page)["answer"]["token"]) for page in pages]
    assert tokens[0] != tokens[1]
    pages[0].button(key="run").click().run()
    run_id = pages[0].query_params["run"]
    assert service().channels.find(tokens[0]).find(run_id)
    assert service().channels.find(tokens[1]).find(run_id) is None
