from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from components.contract.chunk import Usage
from components.embedded.status_line import ModelPhase
from components.runs.run import Run
from components.server.process import service
from components.streaming.moments import Timings
from components.streaming.outcome import Outcome, Status
from tests.embedded.child import child_of
from tests.orders import MINE, order
from tests.pages.conftest import new_page, texts
from tests.streaming.endpoint import Endpoint, document, serve
from tests.waiting import wait_for

CANARY = "canary-key-9"
MODELS = [
    {"id": "alpha", "max_context_length": 4096, "default_model_temperature": 0.3},
    {"id": "![beta](http://x.y/z)"},
]


@pytest.fixture(autouse=True)
def _no_earlier_look() -> None:
    streamlit.cache_resource.clear()


@pytest.fixture
def listing() -> Iterator[Endpoint]:
    """An endpoint that lists two models."""
    with serve(document({"data": MODELS})) as server:
        yield server


def dead_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def open_endpoints(secrets: dict[str, object] | None = None) -> AppTest:
    page = new_page()
    if secrets:
        page.secrets["endpoints"] = secrets
    page.switch_page("endpoints.py").run()
    return page


def checked(page: AppTest) -> AppTest:
    """The page once every endpoint is checked; the whole page reruns in place of its fragments."""
    wait_for(lambda: "checking" not in texts(page.run()))
    return page


def everything_sent(page: AppTest) -> str:
    """Everything sent to the browser, with tables as text."""
    tables = [table.value.to_string() for table in [*page.dataframe, *page.table]]
    sent = [str(getattr(element, "proto", "")) for element in page.main]
    return "\n".join([texts(page), *tables, *sent])


def test_several_endpoints_are_shown_with_their_health(listing: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_BASE_URL", listing.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", CANARY)
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    dead = dead_url()
    with serve(document({"detail": f"![x](http://evil.example/{CANARY}-2)"}, "401 Unauthorized")) as locked:
        page = open_endpoints(
            {
                "locked": {"base_url": locked.base_url, "api_key": f"{CANARY}-2", "dialect": "mistral"},
                "dead": {"base_url": dead, "api_key": f"{CANARY}-3"},
            }
        )
        checked(page)
        # A new visit uses the known results.
        checked(page)
        assert (len(listing.requests), len(locked.requests)) == (1, 1)
    shown = texts(page)
    for name in ("**environment**", "**locked**", "**dead**", "**embedded**"):
        assert name in shown
    for words in ("answers]", "refuses the key]", "does not answer]", "not running]"):
        assert words in shown
    assert f"`{listing.base_url}`" in shown
    assert f"`{dead}`" in shown
    plain = [text.value for text in page.text]
    assert "![x](http://evil.example/***)" in plain
    assert any("nothing listens there" in text for text in plain)
    assert "![x]" not in "".join(element.value for element in [*page.markdown, *page.caption])
    assert CANARY not in everything_sent(page)
    assert child_of() is None, "the page does not start the model"


def test_models_are_listed_without_unreported_columns(listing: Endpoint) -> None:
    page = checked(open_endpoints({"mine": {"base_url": listing.base_url}}))
    table = page.dataframe[0].value
    assert table["model"].tolist() == ["alpha", "![beta](http://x.y/z)"]
    assert table["context length"][0] == 4096
    assert table["default temperature"][0] == 0.3
    assert table["context length"][1] is pd.NA
    assert "no key" in texts(page)


def test_a_slow_endpoint_does_not_hold_up_the_page(listing: Endpoint) -> None:
    go_on = threading.Event()

    def wait(connection: socket.socket, _request: bytes) -> None:
        go_on.wait(20)
        connection.sendall(document({"data": []}))

    with serve(wait) as slow:
        page = open_endpoints({"slow": {"base_url": slow.base_url}, "quick": {"base_url": listing.base_url}})
        assert "checking" in texts(page)
        wait_for(lambda: "answers]" in texts(page.run()))
        assert "checking" in texts(page)
        assert page.button(key="check_slow").disabled
        go_on.set()
        checked(page)
    assert "The endpoint lists no models." in texts(page)


def test_check_again_checks_one_endpoint_or_all(listing: Endpoint) -> None:
    with serve(document({"data": []})) as other:
        page = checked(open_endpoints({"mine": {"base_url": listing.base_url}, "other": {"base_url": other.base_url}}))
        page.button(key="check_mine").click()
        checked(page)
        assert (len(listing.requests), len(other.requests)) == (2, 1)
        page.button(key="check_all").click()
        checked(page)
        assert (len(listing.requests), len(other.requests)) == (3, 2)


def test_the_rules_of_each_dialect_come_from_its_profile(listing: Endpoint) -> None:
    page = checked(open_endpoints({"mine": {"base_url": listing.base_url, "dialect": "openai"}}))
    fields = page.table[0].value.set_index("field")
    assert fields.loc["temperature"].tolist() == ["same", "0 to 2", "yes", "endpoint default"]
    assert fields.loc["random_seed"].tolist() == ["`seed`", "any whole number", "yes", "random"]
    assert fields.loc["safe_prompt"]["range"] == "no such field"
    further = page.table[1].value.set_index("further field")
    assert further.loc["stop"]["what it does"] == "Generation stops before any of these texts."
    assert "Prefix of a last assistant message:] no" in texts(page)
    assert "if stream_options.include_usage is true" in texts(page)
    beezy = page.table[2].value.set_index("field")
    assert beezy.loc["safe_prompt"].tolist() == ["same", "true or false", "no", "off"]
    assert "logprobs" in page.table[3].value.set_index("further field").index


def test_a_failed_embedded_model_shows_the_reason_and_restarts_on_a_click(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPERA_EMBEDDED_MODEL", str(tmp_path / "absent.gguf"))
    page = open_endpoints()
    assert "not running]" in texts(page)
    page.button(key="start_embedded").click().run()
    wait_for(lambda: service().model.state.phase is ModelPhase.FAILED)
    assert "failed]" in texts(page.run())
    assert any("absent.gguf" in text.value for text in page.text)
    page.run()
    assert service().model.state.phase is ModelPhase.FAILED, "another visit does not start it"
    before = service().model.state
    page.button(key="start_embedded").click().run()
    wait_for(lambda: service().model.state is not before and service().model.state.phase is ModelPhase.FAILED)
    assert "failed]" in texts(page.run())


def test_a_restart_of_the_embedded_model_warns_and_starts_a_new_process() -> None:
    page = open_endpoints()
    assert "**no runs yet**" in texts(page)
    page.button(key="start_embedded").click().run()
    wait_for(lambda: service().model.address, 60)
    wait_for(lambda: "ready]" in texts(checked(page)) and len(page.dataframe), 60)
    assert page.dataframe[0].value["context length"].tolist() == [2048]
    assert "**2,048 tokens**" in texts(page)
    first = child_of()
    restart = page.button(key="restart_embedded")
    assert "Its current runs end." in restart.help
    restart.click().run()
    address = wait_for(lambda: child_of() != first and service().model.address, 60)
    assert address.api_key not in everything_sent(page)


def test_the_speed_of_the_embedded_model_is_the_median_of_its_recent_runs() -> None:
    running = Run(order(replace(MINE, name="embedded")))
    service().log.begin(running)
    for endpoint, rate in (("embedded", 10), ("embedded", 20), ("embedded", 60), ("mine", 500), ("mine", 600)):
        run = Run(order(replace(MINE, name=endpoint)))
        service().log.begin(run)
        timings = Timings(ttft_ms=0.0, last_token_ms=1000.0, token_chunks=rate + 1, first_token_chunks=1)
        run.finish(Outcome(Status.OK, usage=Usage(1, rate + 1, rate + 2), timings=timings, http_status=200))
        service().log.end(run)
    wait_for(lambda: "**20.0 tokens/s, median of the last 3 runs**" in texts(open_endpoints()))


def test_the_configuration_to_copy_has_the_dialect_and_no_key() -> None:
    page = open_endpoints()
    page.button_group(key="new_dialect").set_value("mistral").run()
    file, environment = (code.value for code in page.code)
    assert '[endpoints.mine]\nbase_url = "https://api.mistral.ai/v1"\ndialect = "mistral"\napi_key = ' in file
    assert "export TEMPERA_DIALECT=mistral\n" in environment
    assert "A key is sent only to the origin" in texts(page)
    assert len(page.text_input) == len(page.text_area) == 0


def test_a_declared_field_is_in_the_table_and_in_the_form(listing: Endpoint) -> None:
    top_k = {"kind": "whole", "minimum": 1, "maximum": 100, "default": "off_by_*default*", "begins_with": 40}
    mine = {"base_url": listing.base_url, "dialect": "openai", "fields": {"top_k": top_k}}
    page = checked(open_endpoints({"mine": mine}))
    further = page.table[1].value.set_index("further field")
    assert further.loc["top_k"]["range"] == "1 to 100"
    page.switch_page("playground.py").run()
    page.menu_button(key="add_field").click("top_k").run()
    assert page.number_input(key="field_top_k_whole").value == 40
    page.number_input(key="field_top_k_whole").set_value(500).run()
    assert "top\\_k must be at most 100; 500 is more." in texts(page)
    page.selectbox(key="field_top_k_state").set_value("omit").run()
    assert "off\\_by\\_\\*default\\*" in texts(page)
    assert not page.exception


def write(page: AppTest, field: str, text: str) -> None:
    page.text_input(key=f"endpoint_{field}").set_value(text)


def test_an_endpoint_is_added_tested_edited_removed_and_restored(listing: Endpoint, tmp_path: Path) -> None:
    page = open_endpoints()
    page.button(key="add_endpoint").click().run()
    page.button(key="save_endpoint").click().run()
    assert "Give a name" in texts(page)
    write(page, "name", "mine")
    write(page, "base_url", listing.base_url)
    write(page, "key", "canary-typed")
    page.button(key="test_endpoint").click().run()
    assert "2 models" in texts(page)
    assert b"Bearer canary-typed" in listing.requests[-1]
    page.button(key="save_endpoint").click().run()
    assert page.session_state["endpoint_key"] == ""
    assert "canary-typed" not in everything_sent(checked(page))
    assert "canary-typed" in (tmp_path / "endpoints.toml").read_text()
    page.button(key="edit_mine").click().run()
    write(page, "base_url", dead_url())
    page.button(key="test_endpoint").click().run()
    assert "The saved key belongs to the address before." in texts(page)
    page.button(key="cancel_endpoint").click().run()
    page.button(key="remove_mine").click().run()
    assert "mine removed." in texts(page)
    assert "remove_mine" not in [button.key for button in page.button]
    page.button(key="restore_endpoint").click().run()
    assert "edit_mine" in [button.key for button in page.button]


@pytest.mark.parametrize("variable", [{"TEMPERA_PUBLIC_URL": "https://tempera.test"}, {"TEMPERA_DEMO": "1"}])
def test_endpoints_cannot_be_added_on_a_server_for_others(
    variable: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    assert "add_endpoint" not in [button.key for button in open_endpoints().button]
