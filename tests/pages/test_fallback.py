"""The view of pages that cannot reach the live view's socket: the same HTML, drawn by the script in slices."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from components.ui import state
from components.ui.answer import keys
from tests.pages.conftest import Chat, new_page, texts
from tests.pages.content import markup, text_components, words
from tests.streaming.endpoint import DONE, chunk, head, sending
from tests.waiting import wait_for

PARAGRAPHS = [
    f"Paragraph {number} has **words**, $x^{number}$ and an ![image](http://x/{number}).\n\n" for number in range(90)
]
NOTICE = "Drawn without the live connection"


@pytest.fixture
def page(chat: Chat) -> AppTest:
    page = new_page()
    page.session_state[keys.NATIVE] = True
    return page.run()


def opened(run: str, *, native: bool) -> AppTest:
    page = new_page()
    page.session_state[keys.NATIVE] = native
    page.query_params["run"] = run
    return page.run()


def ended(page: AppTest) -> AppTest:
    wait_for(lambda: "more_horiz" not in texts(page.run()))
    return page


def test_an_answer_grows_and_settled_blocks_are_sent_once(page: AppTest, chat: Chat) -> None:
    def play(connection: object, request: bytes) -> None:
        connection.sendall(head() + chunk("".join(PARAGRAPHS[:60])))
        chat.go_on.wait(20)
        connection.sendall(chunk("".join(PARAGRAPHS[60:]), "stop") + DONE)

    chat.go_on.clear()
    page.button(key="run").click()
    chat.server.play = play
    wait_for(lambda: "Paragraph 59" in texts(page.run()))
    before = [data["blocks"] for data in text_components(page)]
    assert len(before) > 1
    chat.go_on.set()
    ended(page)
    assert NOTICE in texts(page)
    assert [data["blocks"] for data in text_components(page)][: len(before) - 1] == before[:-1]
    live = opened(page.query_params["run"], native=False)
    assert NOTICE not in texts(live)
    assert markup(page).replace("\n", "") == markup(live).replace("\n", "")
    assert markup(page).count("<math") == len(PARAGRAPHS)


def test_reasoning_json_and_raw_text_are_drawn(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk('{"a":[1,2]}', "stop") + DONE)
    ended(page.button(key="run").click().run())
    assert '{\n  "a": [\n    1,\n    2\n  ]\n}' in words(page)
    page.toggle(key=state.AS_WRITTEN).set_value(True).run()
    assert words(page).strip() == '{"a":[1,2]}'
    assert text_components(page)[0]["part"] == "plain"


def test_a_waiting_answer_is_marked_and_can_be_stopped(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    chat.server.play = lambda connection, request: chat.go_on.wait(20)
    page.button(key="run").click().run()
    assert "…" in [caption.value for caption in page.caption]
    page.button(key="stop").click().run()
    assert "cancelled" in texts(ended(page))
