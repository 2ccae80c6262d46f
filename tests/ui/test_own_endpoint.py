"""The form for a visitor's own endpoint: storage and messages."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from components.endpoints.endpoint import Endpoint
from components.endpoints.models import ModelCard, list_models
from components.ui.available_endpoints import OWN_ENDPOINT
from components.ui.endpoints import own_endpoint
from components.ui.endpoints.own_endpoint import FORGET, KEPT, SAVE
from tests.streaming.endpoint import document, serve

CANARY = "canary-of-the-visitor"


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)
    monkeypatch.setenv("TEMPERA_OWN_ENDPOINTS", "1")


def script() -> None:
    import streamlit as st

    from components.ui.endpoints.own_endpoint import draw_own_endpoint, own_endpoints

    draw_own_endpoint()
    st.text(f"names: {list(own_endpoints())}")


def new_page(**secrets: object) -> AppTest:
    page = AppTest.from_function(script, default_timeout=20)
    page.secrets.update(secrets)
    return page.run()


def typed(page: AppTest, base_url: str, key: str = "", model: str = "") -> AppTest:
    page.text_input("own_endpoint_base_url").set_value(base_url)
    page.text_input("own_endpoint_key").set_value(key)
    page.text_input("own_endpoint_model").set_value(model)
    page = page.button(SAVE).click().run()
    assert not page.exception
    return page


def visible_text(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.value for element in [*page.text, *page.markdown, *page.caption, *page.error])


def kept(page: AppTest) -> Endpoint | None:
    return page.session_state.get(OWN_ENDPOINT)


def everything_of(page: AppTest) -> str:
    """All data sent to the browser, the page's address, and the repr of the session's state."""
    sent = [str(element.proto) for element in page if hasattr(element, "proto")]
    return f"{sent} {visible_text(page)} {page.session_state!r} {page.query_params!r}"


def test_nothing_is_drawn_unless_the_operator_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    page = typed(new_page(), "https://host.example/v1")
    assert "names: ['my own']" in visible_text(page)
    monkeypatch.delenv("TEMPERA_OWN_ENDPOINTS")
    for without in (new_page(), page.run()):
        assert len(without.text_input) == 0
        assert "names: []" in visible_text(without)


def test_an_own_endpoint_is_kept_in_this_session_only() -> None:
    page = typed(new_page(), "https://host.example/v1", CANARY, "some-model")
    endpoint = kept(page)
    assert (endpoint.name, endpoint.default_model, endpoint.profile.name) == ("my own", "some-model", "beezy")
    assert endpoint.fixed_address.key.header_for("https://host.example/v1") == f"Bearer {CANARY}"
    assert not endpoint.fixed_address.allows("127.0.0.1")
    assert "https://host.example/v1 · beezy · key: set" in visible_text(page)
    assert KEPT in visible_text(page)
    assert "names: ['my own']" in visible_text(page.run())
    other = new_page()
    assert kept(other) is None
    assert "names: []" in visible_text(other)


@pytest.mark.parametrize("base_url", ["https://host.example/v1", "nowhere"])
def test_the_key_is_cleared_from_its_input_and_sent_to_no_page(base_url: str) -> None:
    page = new_page()
    assert page.text_input("own_endpoint_key").proto.type == page.text_input("own_endpoint_key").proto.PASSWORD
    page = typed(page, base_url, CANARY)
    assert page.text_input("own_endpoint_key").value == ""
    assert page.session_state["own_endpoint_key"] == ""
    assert page.text_input("own_endpoint_base_url").value == base_url
    assert CANARY not in everything_of(page)
    assert CANARY not in everything_of(page.run())


def test_a_mistake_is_shown_beside_its_field_and_changes_nothing() -> None:
    page = typed(new_page(), "https://host.example/v1", CANARY)
    page = typed(page, "http://127.0.0.1:8000/v1", "another")
    url, key = (error.value for error in page.error)
    assert "not public" in url
    assert "Enter the key again" in key
    columns = [column for column in page.columns if any(column.error)]
    assert [column.text_input[0].key for column in columns] == ["own_endpoint_base_url", "own_endpoint_key"]
    assert kept(page).fixed_address.base_url == "https://host.example/v1"
    page = typed(page, "https://other.example/v1")
    assert len(page.error) == 0
    assert (kept(page).name, kept(page).fixed_address.key) == ("my own", None)


def test_typed_text_is_not_read_as_markdown() -> None:
    page = typed(new_page(), "https://host.example/![x](https://evil.example/x)")
    assert not any("evil" in element.value for element in [*page.markdown, *page.caption, *page.error])


def test_forget_removes_the_endpoint_and_its_key() -> None:
    page = typed(new_page(), "https://host.example/v1", CANARY)
    page = page.button(FORGET).click().run()
    assert kept(page) is None
    assert "names: []" in visible_text(page)
    assert len(page.button) == 1, "the Forget button is gone"


def test_a_configured_endpoint_keeps_its_name() -> None:
    page = new_page(endpoints={"my own": {"base_url": "https://operator.example/v1"}})
    assert kept(typed(page, "https://host.example/v1")).name == "my own 2"


def test_there_are_no_own_endpoints_outside_a_session() -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(own_endpoint.own_endpoints()))
    thread.start()
    thread.join()
    assert found == [{}]


def test_an_endpoint_in_an_allowed_network_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_OWN_ENDPOINTS_NETWORKS", "127.0.0.0/8")
    with serve(document({"data": [{"id": "m"}]})) as server:
        page = typed(new_page(), server.base_url, CANARY)
        assert list_models(kept(page).fixed_address) == [ModelCard("m")]
        assert f"Authorization: Bearer {CANARY}".encode() in server.requests[0]
