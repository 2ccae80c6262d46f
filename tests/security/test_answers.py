"""Endpoint text stays text, and exported formulas are escaped."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from components.log.formula_safe import formula_safe
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.streaming.endpoint import DONE, chunk, document, event, head

COMMANDS: dict[str, Any] = {
    "type": "execute",
    "command": "rerun",
    "ui": {"page": "sweep.py", "open": True, "html": "<script>alert(1)</script>"},
    "session_state": {"endpoint": "evil", "stream": False, "temperature": 2.0},
    "query_params": {"run": "f" * 32, "s": "1.x.y"},
    "endpoint": "evil",
    "base_url": "http://evil.example/v1",
    "status": "ok",
    "notification": {"type": "error", "content": "Log in at http://evil.example"},
    "citation": {"name": "code_execution", "source": "x"},
    "files": [{"type": "image", "url": "http://evil.example/x.png"}],
    "replace": "everything",
    "delete": True,
}


def commands() -> bytes:
    """An answer with the same text and commands in every field that can contain one."""
    names = b"".join(f"event: {name}\ndata: {json.dumps(COMMANDS)}\n\n".encode() for name in ("ui", "rerun", "execute"))
    delta = {"content": " you", "session_state": {"endpoint": "evil"}, "command": "rerun"}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop", "ui": COMMANDS["ui"]}
    fields = "id: ../../x\nretry: 1\n"
    last = event({"id": "c", "model": "m", "choices": [choice], "usage": None, **COMMANDS})
    return head() + chunk("Hello", **COMMANDS) + names + fields.encode() + last + DONE


def plain() -> bytes:
    return head() + chunk("Hello") + chunk(" you", "stop") + DONE


def after(chat: Chat, answer: bytes) -> AppTest:
    def play(connection: socket.socket, request: bytes) -> None:
        models = document({"data": [{"id": "alpha"}, {"id": "beta"}]})
        connection.sendall(models if request.startswith(b"GET") else answer)

    assert chat.server is not None
    chat.server.play = play
    page = run_to_the_end(new_page().run())
    assert not page.exception
    return page


def form(page: AppTest) -> dict[str, Any]:
    """All values that a visitor can set on the page, and the address without the shown run."""
    kinds = "number_input", "text_area", "text_input", "selectbox", "slider", "toggle", "segmented_control", "checkbox"
    found = {
        str(widget.key).partition("_" + page.query_params["run"])[0]: widget.value
        for kind in kinds
        for widget in page.get(kind)
    }
    address = {name: value for name, value in page.query_params.items() if name not in ("run", "draft")}
    return found | {"address": address, "buttons": sorted(str(button.key) for button in page.button)}


def test_events_of_an_endpoint_change_only_the_answer(chat: Chat) -> None:
    expected = form(after(chat, plain()))
    page = after(chat, commands())
    assert form(page) == expected
    shown = texts(page) + "".join(element.value for element in [*page.error, *page.info])
    assert "Hello you" in shown
    assert "evil" not in shown
    assert len(chat.server.requests) <= 4


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_begin_with_an_apostrophe(sign: str) -> None:
    assert formula_safe(f"{sign}cmd|'/c calc'!A0") == f"'{sign}cmd|'/c calc'!A0"
    assert formula_safe(f"x{sign}") == f"x{sign}"


UNSEEN = [
    " ",
    "\u00a0",
    "\u3000",
    "\n",
    " \t",
    "\x00",
    "\x0b",
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u202e",
    "\u00ad",
]


@pytest.mark.parametrize("begin", [*(f"{unseen}=" for unseen in UNSEEN), "＝", "＋", "－", "＠"], ids=ascii)
def test_spaces_and_full_width_signs_do_not_hide_a_formula(begin: str) -> None:
    assert str(formula_safe(f"{begin}1+1")).startswith("'")


@pytest.mark.parametrize("unseen", ["", '"', *UNSEEN], ids=ascii)
@pytest.mark.parametrize("separator", [";", "\t"], ids=ascii)
def test_a_line_split_at_other_separators_contains_no_formula(separator: str, unseen: str) -> None:
    # In many countries spreadsheets split at semicolons, and then quotation marks for commas have no effect.
    *_, last = str(formula_safe(f"x{separator}{unseen}=1+1")).split(separator)
    assert last.lstrip().startswith("'")


def test_text_without_a_formula_is_unchanged() -> None:
    text = "a;b; 1 - 2\tx = 3;\n* item\n- item; it's"
    assert formula_safe(text) == text
