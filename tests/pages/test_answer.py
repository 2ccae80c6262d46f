"""The answer and its actions; the request; the events."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Chat, new_page, run_to_the_end, texts, until_it_ended
from tests.pages.content import markup, words
from tests.pages.test_composing import messages, write
from tests.streaming.endpoint import DONE, chunk, event, head, sending


def view(page: AppTest, name: str) -> AppTest:
    return page.button_group(key="view").set_value(name).run()


def codes(page: AppTest) -> list[str]:
    assert not page.exception
    return [code.value for code in page.code]


def delta(content: dict[str, object], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": content, "finish_reason": finish_reason}
    return event(json.dumps({"choices": [choice]}))


def test_the_preview_equals_the_sent_request_byte_for_byte(page: AppTest, chat: Chat, monkeypatch) -> None:
    monkeypatch.setenv("TEMPERA_API_KEY", "canary-key")
    view(page, "Request")
    page.number_input(key="temperature").set_value(0.3).run()
    write(page, 1, 'Größe 😀 \\ "')
    head_shown, body_shown = codes(page)
    run_to_the_end(page)
    sent = chat.server.requests[-1]
    request_head, _, body = sent.partition(b"\r\n\r\n")
    assert body_shown.encode() == body
    lines = head_shown.splitlines()
    assert lines[0] == f"POST {chat.server.base_url}/chat/completions"
    assert "Authorization: Bearer •••" in lines
    shown = {line.replace("•••", "canary-key") for line in lines[1:]}
    assert shown == set(request_head.decode().split("\r\n")[1:])
    assert "canary-key" not in texts(page) + "".join(codes(page))


def test_an_invalid_form_has_no_preview(page: AppTest) -> None:
    view(page, "Request")
    write(page, 1, "")
    assert codes(page) == []
    assert "The form has no valid request yet." in texts(page)


def test_an_answer_is_stale_as_soon_as_the_request_changes(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    assert "Made with other settings" not in texts(page)
    page.number_input(key="temperature").set_value(0.3).run()
    write(page, 1, "Other")
    assert "Made with other settings: messages, temperature omitted → 0.3" in texts(page)
    view(page, "Request")
    assert json.loads(codes(page)[-1]) == chat.bodies[0]
    view(page, "Answer")
    page.button(key="restore_settings").click().run()
    assert "Made with other settings" not in texts(page)
    page.button(key="undo").click().run()
    assert messages(page) == [("user", "Other")]
    write(page, int(page.session_state["turns"][0].id), "")
    assert "The form has changed since" in texts(page)


def test_regenerate_sends_the_same_bytes_after_changes_of_the_form(page: AppTest, chat: Chat) -> None:
    page.text_area(key="extra_body").set_value('{"top_p": 1}').run()
    run_to_the_end(page)
    page.number_input(key="temperature").set_value(0.3).run()
    first = page.query_params["run"]
    until_it_ended(page.button(key="regenerate").click().run())
    assert page.query_params["run"] != first
    posts = [request for request in chat.server.requests if request.startswith(b"POST")]
    assert posts[1] == posts[0]
    assert page.number_input(key="temperature").value == 0.3


def test_a_cut_answer_is_continued_as_a_prefix(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk("Once upon", "length") + DONE)
    run_to_the_end(page)
    chat.server.play = sending(head() + chunk("Once upon") + chunk(" a time", "length") + DONE)
    page.button(key="continue").click().run()
    until_it_ended(page)
    assert "Once upon a time" in texts(page)
    assert chat.bodies[1]["messages"][-1] == {"role": "assistant", "content": "Once upon", "prefix": True}
    assert [text for _, text in messages(page)][1:] == ["Once upon"]
    page.button(key="continue").click().run()
    assert [text for _, text in messages(page)][1:] == ["Once upon a time"]


def test_a_prefix_not_repeated_by_the_endpoint_is_kept(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk("Once", "length") + DONE)
    run_to_the_end(page)
    chat.server.play = sending(head() + chunk(" more", "stop") + DONE)
    page.button(key="continue").click().run()
    until_it_ended(page)
    page.button(key="add_answer").click().run()
    assert messages(page)[1:] == [("assistant", "Once more"), ("user", "")]


def test_continue_is_offered_for_cut_answers_and_dialects_with_a_prefix_only(
    page: AppTest, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_the_end(page)
    assert "continue" not in [button.key for button in page.button]
    chat.server.play = sending(head() + chunk("Half"))
    run_to_the_end(page)
    assert "continue" in [button.key for button in page.button]
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    assert "continue" not in [button.key for button in page.run().button]


def test_reasoning_is_shown_separately_with_its_own_time(page: AppTest, chat: Chat) -> None:
    thinking = delta({"reasoning_content": "Let me see"})
    chat.server.play = sending(head() + thinking + chunk("Done", "stop") + DONE)
    run_to_the_end(page)
    (box,) = [box for box in page.expander if box.label.startswith("Reasoning")]
    assert words(box).strip() == "Let me see"
    assert " ms" in box.label


def test_further_choices_can_be_shown(page: AppTest, chat: Chat) -> None:
    others = [chunk("Second *one*", "stop", index=1), chunk("Third one", "length", index=2)]
    chat.server.play = sending(head() + chunk("First one", "stop") + b"".join(others) + DONE)
    run_to_the_end(page)
    (switch,) = [group for group in page.button_group if group.label == "Further choices"]
    assert switch.options == ["Choice 2", "Choice 3"]
    assert "Third one" not in texts(page)
    switch.set_value("Choice 3").run()
    shown = texts(page)
    assert "First one" in shown
    assert "Third one" in shown
    assert "finish reason length" in shown
    assert "Second" not in shown


def test_tool_calls_are_shown_readably_and_become_messages(page: AppTest, chat: Chat) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "get_*weather*", "arguments": '{"city":"Paris"}'}}
    chat.server.play = sending(head() + delta({"tool_calls": [call]}, "tool_calls") + DONE)
    run_to_the_end(page)
    assert r"**get\_\*weather\***" in texts(page)
    assert '{\n  "city": "Paris"\n}' in codes(page)
    page.button(key="add_answer").click().run()
    assert [role for role, _ in messages(page)] == ["user", "assistant", "tool"]
    tool = page.session_state["turns"][2].id
    assert page.text_input(key=f"message_{tool}_tool_call_id").value == "c1"
    write(page, int(tool), "Rain")
    run_to_the_end(page)
    sent = chat.bodies[1]["messages"]
    assert sent[1]["tool_calls"][0]["function"] == call["function"]
    assert sent[2] == {"role": "tool", "content": "Rain", "name": "get_*weather*", "tool_call_id": "c1"}


def test_a_json_answer_is_formatted_and_any_answer_has_a_raw_view(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk('{"a":[1,2]}', "stop") + DONE)
    run_to_the_end(page)
    assert json.dumps({"a": [1, 2]}, indent=2) in words(page)
    page.toggle(key="as_written").set_value(True).run()
    assert '{"a":[1,2]}' in words(page)


def test_an_answer_cannot_contain_an_image_or_a_directive(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk("![x](http://evil.example/a.png) :red[hot]", "stop") + DONE)
    run_to_the_end(page)
    assert "![x](http://evil.example/a.png) :red[hot]" in words(page)
    assert "<img" not in markup(page)
    assert not any("evil.example" in markdown.value for markdown in page.markdown)


def test_events_are_shown_with_their_times_from_the_log_without_the_endpoint(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    count = len(chat.server.requests)
    view(page, "Events")
    table = page.dataframe[0].value
    assert table["data"].tolist()[-1] == "[DONE]"
    assert table["text"].tolist()[:2] == ['"Hello"', '" you"']
    assert [json.loads(data)["choices"][0]["delta"] for data in table["data"].tolist()[:2]] == [
        {"content": "Hello"},
        {"content": " you"},
    ]
    assert table["at"].is_monotonic_increasing
    assert re.search(r"3 events(\. Gaps between reads|, all in one read) of the socket", texts(page))
    opened = new_page()
    opened.query_params["run"] = page.query_params["run"]
    view(opened.run(), "Events")
    assert opened.dataframe[0].value.equals(table)
    assert not any(request.startswith(b"POST") for request in chat.server.requests[count:])


def test_events_of_an_active_run_are_shown(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    page.button(key="run").click().run()
    view(page, "Events")
    assert len(page.dataframe[0].value) >= 1
    chat.go_on.set()


def test_answers_to_the_same_request_can_be_stepped_through(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    first = page.query_params["run"]
    page.button(key="regenerate").click().run()
    second = until_it_ended(page).query_params["run"]
    assert ":small[2/2]" in texts(page)
    assert page.button(key="answer_next").disabled
    page.button(key="answer_previous").click().run()
    assert page.query_params["run"] == first
    assert ":small[1/2]" in texts(page)
    page.button(key="answer_next").click().run()
    assert page.query_params["run"] == second


def test_each_branch_shows_its_own_answer(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    first = page.query_params["run"]
    menu = page.menu_button(key="message_1_menu")
    menu.click(next(option for option in menu.options if "Branch" in option)).run()
    branch = page.session_state["turns"][0].id
    write(page, int(branch), "Other")
    run_to_the_end(page)
    second = page.query_params["run"]
    assert first != second
    page.button(key=f"message_{branch}_previous").click().run()
    assert page.query_params["run"] == first
    assert "Made with other settings" not in texts(page)
    page.button(key="message_1_next").click().run()
    assert page.query_params["run"] == second


def test_events_are_shown_without_the_log(chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'runs.sqlite3'}")
    page = new_page().run()
    run_to_the_end(page)
    view(page, "Events")
    assert page.dataframe[0].value["data"].tolist()[-1] == "[DONE]"
    assert "Hello you" in texts(view(page, "Answer"))


def test_a_prefix_keeps_its_branches_when_the_answer_replaces_it(page: AppTest, chat: Chat) -> None:
    page.button(key="add_assistant").click().run()
    write(page, 2, "First try")
    menu = page.menu_button(key="message_2_menu")
    menu.click(next(option for option in menu.options if "Branch" in option)).run()
    branch = page.session_state["turns"][1].id
    write(page, int(branch), "Hel")
    page.checkbox(key=f"message_{branch}_prefix").check().run()
    run_to_the_end(page)
    page.button(key="add_answer").click().run()
    assert [text for _, text in messages(page)][1:] == ["Hello you", ""]
    assert page.session_state["turns"][1].branch == (2, 2)
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)][1:] == ["Hel"]


def test_an_answer_without_the_prefix_does_not_replace_it(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    page.button(key="add_assistant").click().run()
    write(page, 2, "Never said")
    page.checkbox(key="message_2_prefix").check().run()
    page.button(key="add_answer").click().run()
    assert [text for _, text in messages(page)][1:3] == ["Never said", "Hello you"]


def test_the_same_body_for_another_endpoint_is_a_new_request(
    chat: Chat, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An active run of another endpoint with the same body does not prevent it."""
    chat.go_on.clear()
    page.button(key="run").click().run()
    first = page.query_params["run"]
    monkeypatch.setenv("TEMPERA_EMBEDDED_MODEL", "/no/such/alpha.gguf")
    page.selectbox(key="endpoint").set_value("embedded").run()
    page.selectbox(key="model").set_value("alpha").run()
    page.button(key="run").click().run()
    assert page.query_params["run"] != first
    chat.go_on.set()


def test_a_key_repeated_by_an_endpoint_reaches_neither_page_nor_log(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPERA_API_KEY", "canary-key")
    page = new_page().run()
    chat.server.play = sending(head() + chunk("Your key is canary-key", "stop") + DONE)
    run_to_the_end(page)
    assert "Your key is ***" in words(page)
    assert "canary-key" not in texts(page)
    view(page, "Events")
    assert not any("canary-key" in data for data in page.dataframe[0].value["data"])
