"""Presets and imports on the page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from components.drafts.draft import EXAMPLE_PROMPT
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.pages.test_composing import messages, write
from tests.waiting import wait_for


def opened(page: AppTest, popover: str) -> AppTest:
    """The page with a popover open; AppTest cannot open it by a click."""
    page.session_state[popover] = True
    return page.run()


def test_a_built_in_preset_fills_its_fields_and_can_be_undone(page: AppTest, chat: Chat) -> None:
    opened(page, "presets")
    page.button(key="preset_Reproducible").click().run()
    assert page.button(key="undo").label == "Undo: preset Reproducible"
    run_to_the_end(page)
    assert (chat.bodies[0]["temperature"], chat.bodies[0]["random_seed"]) == (0.0, 1337)
    page.button(key="undo").click().run()
    assert page.session_state["temperature_state"] == "omit"


def test_settings_are_saved_under_a_name_loaded_elsewhere_and_deleted(page: AppTest, chat: Chat) -> None:
    page.number_input(key="max_tokens").set_value(33).run()
    opened(page, "presets")
    page.text_input(key="preset_name").set_value("My *own*")
    press(page, "Save")
    other = opened(new_page().run(), "presets")
    write(other, 1, "Stays")
    saved = next(button for button in other.button if r"My \*own\*" in button.label)
    saved.click().run()
    assert other.number_input(key="max_tokens").value == 33
    assert other.session_state["max_tokens_state"] == "value"
    assert [text for _, text in messages(other)] == ["Stays"]
    opened(other, "presets")
    next(button for button in other.button if button.label.startswith("Delete")).click().run()
    assert not any(r"\*own" in button.label for button in opened(new_page().run(), "presets").button)
    other.button(key="undo").click().run()
    assert any(r"\*own" in button.label for button in opened(new_page().run(), "presets").button)


def test_a_preset_with_messages_restores_them(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Speak {{language}}.")
    opened(page, "presets")
    page.text_input(key="preset_name").set_value("With")
    page.checkbox(key="preset_messages").check()
    press(page, "Save")
    other = opened(new_page().run(), "presets")
    next(button for button in other.button if button.label.startswith("**With**")).click().run()
    assert [text for _, text in messages(other)] == ["Speak {{language}}."]


def test_a_preset_without_a_name_is_refused_with_a_sentence(page: AppTest, chat: Chat) -> None:
    opened(page, "presets")
    press(page, "Save")
    assert "name" in page.error[0].value


def test_a_pasted_curl_command_fills_the_form_without_its_key(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Much work")
    opened(page, "import")
    page.text_area(key="import_text").set_value(
        """curl https://host/v1/chat/completions -H 'Authorization: Bearer canary-key' \\
        -d '{"model": "beta", "messages": [{"role": "user", "content": "It'\\''s me"}], "temperature": 0.3,
             "stream": true, "stop": ["x"]}'"""
    )
    press(page, "Import")
    assert not page.error
    assert [text for _, text in messages(page)] == ["It's me"]
    assert "The key in the command was left out" in texts(page)
    assert "canary-key" not in texts(page)
    run_to_the_end(page)
    body = chat.bodies[0]
    assert (body["model"], body["temperature"], body["stop"]) == ("beta", 0.3, ["x"])
    assert not any(b"canary-key" in request for request in chat.server.requests)
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == ["Much work"]


def test_a_failed_import_is_named_and_loses_nothing(page: AppTest, chat: Chat) -> None:
    opened(page, "import")
    page.text_area(key="import_text").set_value("once upon a time")
    press(page, "Import")
    assert page.error
    assert page.text_area(key="import_text").value == "once upon a time"
    assert messages(page) == [("user", EXAMPLE_PROMPT)]


def test_code_is_shown_in_every_language(page: AppTest, chat: Chat) -> None:
    page.button_group(key="view").set_value("Code").run()
    for language, part in (
        ("JSON", '"model": "alpha"'),
        ("curl", "curl -N"),
        ("Python: requests", "from sseclient import SSEClient"),
        ("Python: mistralai", "mistralai"),
        ("Python: openai", "openai"),
    ):
        page.button_group(key="language").set_value(language).run()
        wait_for(lambda part=part: any(part in code.value for code in page.code))


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()


def test_a_replaced_preset_can_be_restored(page: AppTest, chat: Chat) -> None:
    for number in (33, 44):
        page.number_input(key="max_tokens").set_value(number).run()
        opened(page, "presets")
        page.text_input(key="preset_name").set_value("Mine")
        press(page, "Save")
    assert page.button(key="undo").label == "Undo: preset Mine replaced"
    page.button(key="undo").click().run()
    other = opened(new_page().run(), "presets")
    next(button for button in other.button if button.label == "**Mine**").click().run()
    assert other.number_input(key="max_tokens").value == 33
