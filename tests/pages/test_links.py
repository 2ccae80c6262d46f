"""Settings links: the form is filled, nothing is sent, and problems have a sentence."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.setting import FieldState, Setting
from components.log.query import count_runs
from components.server.process import service
from components.sharing.settings_file import settings_file
from components.sharing.settings_link import settings_link
from components.ui.form import keys
from tests.pages.conftest import Chat, new_page, run_to_the_end
from tests.streaming.endpoint import Endpoint


def a_draft(prompt: str = "Describe the sea.", **parts: Any) -> Draft:
    turns = Turn(id="1", role=Role.SYSTEM, content="Be brief."), Turn(id="2", role=Role.USER, content=prompt)
    settings = {**new_draft().settings, "temperature": Setting(state=FieldState.VALUE, value=0.9)}
    known = {"endpoint": "environment", "model": "beta", "turns": turns, "settings": settings}
    return new_draft().model_copy(update=known | parts)


def opened(page: str = "", **parameters: str) -> AppTest:
    app = new_page()
    if page:
        app.switch_page(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def asked_for_answers(server: Endpoint | None) -> list[bytes]:
    return [request for request in server.requests if request.startswith(b"POST")]


def messages(page: AppTest) -> list[str]:
    return [area.value for area in page.text_area if str(area.key).startswith("message_")]


def test_a_link_fills_the_form_and_sends_nothing(chat: Chat) -> None:
    page = opened(s=settings_link(a_draft()))
    assert not page.exception
    assert messages(page) == ["Be brief.", "Describe the sea."]
    assert page.number_input(key="temperature").value == 0.9
    assert (page.selectbox(key=keys.ENDPOINT).value, page.selectbox(key=keys.MODEL).value) == ("environment", "beta")
    assert any("Opened from a link." in text.value for text in page.markdown)
    assert "s" not in page.query_params
    assert asked_for_answers(chat.server) == []
    assert count_runs(service().log.database) == 0


def test_an_opened_link_runs_on_a_click_and_its_bar_can_be_closed(chat: Chat) -> None:
    page = opened(s=settings_link(a_draft()))
    run_to_the_end(page)
    assert [body["temperature"] for body in chat.bodies] == [0.9]
    assert [message["content"] for message in chat.bodies[0]["messages"]] == ["Be brief.", "Describe the sea."]
    page.button(key="close_link_bar").click().run()
    assert not any("Opened from a link." in text.value for text in page.markdown)
    assert messages(page) == ["Be brief.", "Describe the sea."]


def test_the_previous_form_can_be_restored(page: AppTest) -> None:
    page.text_area(key="message_1").set_value("Mine").run()
    page.query_params["s"] = settings_link(a_draft())
    page.run()
    assert messages(page) == ["Be brief.", "Describe the sea."]
    page.text_area(key=page.text_area[0].key).set_value("Edited").run()
    assert messages(page)[0] == "Edited"  # the link is read once
    page.button(key="undo").click().run()
    assert messages(page) == ["Mine"]


def test_each_change_is_named_and_hidden_characters_are_marked(chat: Chat) -> None:
    page = opened(s=settings_link(a_draft("Hello\u202e\u200b ![x](https://evil.example/p.png)")))
    table = page.table[0].value
    assert dict(table["here"])["temperature"] == "0.9"
    assert "⟨U+202E⟩⟨U+200B⟩" in str(list(table["here"]))
    assert "![" not in str(table)
    assert r"holds 2 characters that are invisible to people and read by models\: U+202E RIGHT" in page.warning[0].value


def test_an_unknown_endpoint_is_named_and_the_current_one_stays(chat: Chat) -> None:
    page = opened(s=settings_link(a_draft(endpoint="https://evil.example/v1")))
    assert page.selectbox(key=keys.ENDPOINT).value == "environment"
    assert page.warning[0].value.startswith("There is no endpoint “https\\://evil.example/v1” here")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        (settings_link(a_draft())[:-4], "This link was cut or changed on its way."),
        (settings_link(a_draft()).replace("1.", "2.", 1), "This link was made by a newer version of Tempera."),
        ("", "This is not a link to settings of Tempera."),
        ("'; drop table runs; --", "This is not a link to settings of Tempera."),
        ("1." + "A" * 200_000, "This link holds too much to be opened."),
    ],
)
def test_an_unreadable_link_is_reported_and_changes_nothing(chat: Chat, link: str, sentence: str) -> None:
    page = opened(s=link)
    assert not page.exception
    assert any(text.value.startswith(f":material/link_off: {sentence}") for text in page.markdown)
    assert messages(page) == messages(opened())


def test_lanes_of_a_link_open_on_the_compare_page(chat: Chat) -> None:
    lanes = Comparison(lanes=(Lane(id="1", name="calm"), Lane(id="2", system="Shout."), Lane(id="3", muted=True)))
    link = settings_link(a_draft(comparison=lanes), comparison=True)
    page = opened("compare.py", s=link)
    assert not page.exception
    found = page.session_state[keys.COMPARISON]
    assert [(lane.name, lane.system, lane.muted) for lane in found.lanes] == [
        ("calm", None, False),
        ("", "Shout.", False),
        ("", None, True),
    ]
    assert asked_for_answers(chat.server) == []


def test_a_playground_link_keeps_the_lanes(page: AppTest) -> None:
    lanes = Comparison(lanes=(Lane(id="1", name="mine"), Lane(id="2")))
    page.session_state[keys.COMPARISON] = lanes
    page.query_params["s"] = settings_link(a_draft())
    page.run()
    assert page.session_state[keys.COMPARISON] == lanes


def test_a_settings_file_is_opened_as_a_link_is(page: AppTest) -> None:
    page.session_state[keys.IMPORT] = True
    page.run()
    file = "tempera-settings.json", settings_file(a_draft()).encode(), "application/json"
    page.file_uploader(key=keys.IMPORT_FILE).set_value(file)
    next(button for button in page.button if button.label == "Import").click().run()
    assert not page.exception
    assert messages(page) == ["Be brief.", "Describe the sea."]
    assert any("Opened from a file." in text.value for text in page.markdown)


def test_an_invalid_settings_file_is_named(page: AppTest) -> None:
    page.session_state[keys.IMPORT] = True
    page.run()
    page.file_uploader(key=keys.IMPORT_FILE).set_value(("x.json", b"[]", "application/json"))
    next(button for button in page.button if button.label == "Import").click().run()
    assert page.error[0].value == "This is not a file with settings of Tempera. Choose one that Tempera saved."


def test_the_dialog_gives_a_link_that_opens_the_same_form(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_PUBLIC_URL", "https://tempera.example/lab/")
    page = opened(s=settings_link(a_draft()))
    page.button(key="share").click().run()
    url = page.code[0].value
    assert url.startswith("https://tempera.example/lab/?s=1.")
    again = opened(s=url.partition("?s=")[2])
    assert messages(again) == ["Be brief.", "Describe the sea."]
    shown_text = "\n".join(text.value for text in page.markdown)
    assert "temperature: 0.9" in shown_text
    assert f"{len(url)} characters." in "\n".join(text.value for text in page.caption)


def test_a_credential_in_a_body_field_is_named_before_it_is_shared(chat: Chat) -> None:
    draft = a_draft().model_copy(update={"extra_body": '{"top_k": 1, "metadata": {"api_key": "canary"}}'})
    page = opened(s=settings_link(draft))
    page.button(key="share").click().run()
    (warning,) = (each.value for each in page.warning if "would become public" in each.value)
    assert warning.endswith(r"public: api\_key.")
    assert "canary" not in warning


def test_settings_too_long_for_a_link_are_never_shortened(chat: Chat) -> None:
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=9_000))
    page = opened(s=settings_link(a_draft(noise)))
    page.button(key="share").click().run()
    assert page.code == [] or not any("?s=" in code.value for code in page.code)
    assert any("too long for a link" in info.value for info in page.info)
    page.button(key="publish").click().run()
    url = next(code.value for code in page.code if "shared?c=" in code.value)
    kept = opened("shared.py", c=url.partition("?c=")[2])
    kept.button(key="fork_settings").click().run()
    assert messages(kept) == ["Be brief.", noise]
    assert asked_for_answers(chat.server) == []


def test_no_page_address_sends_anything(chat: Chat) -> None:
    numbers = random.Random(14)
    names = ["s", "run", "open", "experiment", "sweep", "draft", "plan", "c", "find", "embed", "q", "prompt", "autorun"]
    values = [
        *("", "1", "true", ":id", "0", "None", "%00", "' or 1=1 --", "x" * 10_000, "../../etc/passwd", "\u202e"),
        *(settings_link(a_draft()), "f" * 32, json.dumps({"model": "beta", "run": True})),
    ]
    pages = ["playground.py", "compare.py", "sweep.py", "runs.py", "endpoints.py"]
    for _ in range(20):
        chosen = {numbers.choice(names): numbers.choice(values) for _ in range(numbers.randint(1, 4))}
        page = opened(numbers.choice(pages), **chosen)
        assert not page.exception, chosen
        assert not any("Something went wrong" in error.value for error in page.error), chosen
    assert asked_for_answers(chat.server) == []
    assert count_runs(service().log.database) == 0
