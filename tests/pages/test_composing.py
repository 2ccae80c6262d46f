"""Composing a request: messages, branches, variables, remarks, drafts and undo."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from components.drafts.draft import EXAMPLE_PROMPT
from components.drafts.store import find_draft
from components.server.process import service
from components.ui import state
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts, until_it_ended
from tests.streaming.endpoint import DONE, chunk, head, sending
from tests.waiting import wait_for


def messages(page: AppTest) -> list[tuple[str, str]]:
    """Role and text of every message on the page, in order."""
    boxes = [area for area in page.text_area if area.key.removeprefix("message_").isdigit()]
    return [(page.selectbox(key=f"{box.key}_role").value, box.value) for box in boxes]


def choose(page: AppTest, turn: int, action: str) -> AppTest:
    """Press an entry of a message's menu."""
    menu = page.menu_button(key=f"message_{turn}_menu")
    return menu.click(next(option for option in menu.options if action in option)).run()


def write(page: AppTest, turn: int, text: str) -> AppTest:
    return page.text_area(key=f"message_{turn}").set_value(text).run()


def test_messages_of_every_role_are_added_edited_and_sent(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Question")
    page.button(key="add_assistant").click().run()
    write(page, 2, "Answer")
    page.button(key="add_tool").click().run()
    write(page, 3, "42")
    page.text_input(key="message_3_tool_call_id").set_value("c1").run()
    page.button(key="add_system").click().run()
    write(page, 4, "Rules")
    assert messages(page) == [("system", "Rules"), ("user", "Question"), ("assistant", "Answer"), ("tool", "42")]
    run_to_the_end(page)
    assert chat.bodies[0]["messages"] == [
        {"role": "system", "content": "Rules"},
        {"role": "user", "content": "Question"},
        {"role": "assistant", "content": "Answer"},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


def test_a_role_is_changed_in_place(page: AppTest, chat: Chat) -> None:
    page.button(key="add_user").click().run()
    write(page, 2, "Second")
    page.selectbox(key="message_1_role").set_value("system").run()
    assert messages(page) == [("system", EXAMPLE_PROMPT), ("user", "Second")]


def test_messages_are_moved_and_duplicated_with_just_typed_text(page: AppTest) -> None:
    write(page, 1, "a")
    page.button(key="add_user").click().run()
    page.text_area(key="message_2").set_value("b")
    choose(page, 2, "Move up")
    assert messages(page) == [("user", "b"), ("user", "a")]
    choose(page, 2, "Duplicate")
    assert messages(page) == [("user", "b"), ("user", "b"), ("user", "a")]
    choose(page, 2, "Move down")
    assert [text for _, text in messages(page)] == ["b", "b", "a"]


def test_a_deleted_message_is_restored_to_its_place(page: AppTest) -> None:
    for turn, text in ((1, "a"), (2, "b"), (3, "c")):
        if turn > 1:
            page.button(key="add_user").click().run()
        write(page, turn, text)
    choose(page, 2, "Delete message")
    assert [text for _, text in messages(page)] == ["a", "c"]
    write(page, 3, "C")
    assert page.button(key="undo").label == "Undo: message deleted"
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == ["a", "b", "C"]
    assert not [button for button in page.button if button.key == "undo"]


def test_the_only_message_cannot_be_deleted(page: AppTest) -> None:
    assert not any("Delete" in option for option in page.menu_button(key="message_1_menu").options)


def test_a_conversation_grows_and_branches_and_both_branches_stay(page: AppTest, chat: Chat) -> None:
    write(page, 1, "First")
    run_to_the_end(page)
    page.button(key="add_answer").click().run()
    assert messages(page) == [("user", "First"), ("assistant", "Hello you"), ("user", "")]
    second = page.session_state["turns"][2].id
    page.text_area(key=f"message_{second}").set_value("More")
    run_to_the_end(page)
    assert [message["content"] for message in chat.bodies[1]["messages"]] == ["First", "Hello you", "More"]

    choose(page, 1, "Branch from here")
    assert messages(page) == [("user", "First")]
    assert ":small[2/2]" in texts(page)
    branch = page.session_state["turns"][0].id
    write(page, int(branch), "Other")
    page.button(key=f"message_{branch}_previous").click().run()
    assert [text for _, text in messages(page)] == ["First", "Hello you", "More"]
    page.button(key="message_1_next").click().run()
    assert messages(page) == [("user", "Other")]
    run_to_the_end(page)
    assert [message["content"] for message in chat.bodies[2]["messages"]] == ["Other"]


def test_a_prefix_is_sent_with_a_last_assistant_message(page: AppTest, chat: Chat) -> None:
    page.button(key="add_assistant").click().run()
    write(page, 2, "Once")
    assert "The last message is of the role assistant" in texts(page)
    page.button(key="run").click().run()
    assert page.error[0].value.endswith("Change it, or tick Send anyway.")
    page.button(key="fix_0").click().run()
    assert "last message" not in texts(page)
    run_to_the_end(page)
    assert chat.bodies[0]["messages"][-1] == {"role": "assistant", "content": "Once", "prefix": True}


def test_variables_get_inputs_and_block_the_run_while_they_are_missing(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Speak {{language}} to {{name}}.")
    page.text_input(key="variable_name").set_value("Ann {{language}}").run()
    assert r"{{language}}\: set a value for it first." in texts(page)
    page.button(key="run").click().run()
    assert texts(page).count("set a value for it first.") == 1
    assert not page.error
    assert chat.bodies == []
    page.text_input(key="variable_language").set_value("French").run()
    run_to_the_end(page)
    assert chat.bodies[0]["messages"][0]["content"] == "Speak French to Ann {{language}}."


def test_a_run_with_variables_opens_with_its_variables(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Speak {{language}}.")
    page.text_input(key="variable_language").set_value("French").run()
    run_to_the_end(page)
    opened = new_page()
    opened.query_params["run"] = page.query_params["run"]
    opened.run()
    assert messages(opened) == [("user", "Speak {{language}}.")]
    assert opened.text_input(key="variable_language").value == "French"


def test_each_remark_has_a_fix_that_resolves_it(page: AppTest, chat: Chat) -> None:
    page.number_input(key="temperature").set_value(1.4).run()
    page.number_input(key="top_p").set_value(0.5).run()
    page.text_area(key="extra_body").set_value('{"seed": 7, "foo": 1}').run()
    assert [button.label for button in page.button if button.key.startswith("fix_")] == [
        "Set it to 1",
        r"Omit top\_p",
        r"Send it as random\_seed",
        "Remove foo",
    ]
    page.button(key="fix_2").click().run()
    page.button(key="fix_0").click().run()
    run_to_the_end(page)
    body = chat.bodies[0]
    assert (body["temperature"], body["top_p"], body["random_seed"], body["foo"]) == (1.0, 0.5, 7, 1)


def test_a_fix_keeps_variables(page: AppTest) -> None:
    write(page, 1, "Speak {{language}}.")
    page.text_input(key="variable_language").set_value("French")
    page.number_input(key="temperature").set_value(1.4).run()
    page.button(key="fix_0").click().run()
    assert messages(page) == [("user", "Speak {{language}}.")]
    page.button(key="undo").click().run()
    assert page.number_input(key="temperature").value == 1.4


def test_extra_body_fields_are_sent_and_their_mistakes_named(page: AppTest, chat: Chat) -> None:
    page.text_area(key="extra_body").set_value('{"stop": ').run()
    assert "The text is not JSON" in texts(page)
    page.button(key="run").click().run()
    assert "The text is not JSON" in page.error[0].value
    assert page.text_area(key="extra_body").value == '{"stop": '
    page.text_area(key="extra_body").set_value('{"stop": ["x"]}').run()
    run_to_the_end(page)
    assert chat.bodies[0]["stop"] == ["x"]


def test_a_duplicate_key_cannot_be_sent_even_with_send_anyway(page: AppTest, chat: Chat) -> None:
    page.text_area(key="extra_body").set_value('{"temperature": 0.5}').run()
    page.number_input(key="temperature").set_value(0.2).run()
    page.button(key="run").click().run()
    assert "has its own field, which is sent" in page.error[0].value
    assert chat.bodies == []


def test_changed_fields_have_a_reset_badge(page: AppTest, chat: Chat) -> None:
    assert not [button for button in page.button if button.key.endswith("_reset")]
    assert page.button(key="reset_all").disabled
    page.number_input(key="temperature").set_value(0.3).run()
    page.selectbox(key="safe_prompt").set_value("true").run()
    page.toggle(key="stream").set_value(False).run()
    page.text_area(key="extra_body").set_value("{}").run()
    assert page.button(key="reset_all").label == "Reset all (4)"
    page.button(key="temperature_reset").click().run()
    assert page.session_state["temperature_state"] == "omit"
    assert page.number_input(key="temperature").value == 0.3
    page.button(key="reset_all").click().run()
    assert page.toggle(key="stream").value is True
    assert page.button(key="reset_all").disabled
    page.button(key="undo").click().run()
    assert page.session_state["safe_prompt"] == "true"
    assert page.toggle(key="stream").value is False


def test_a_field_is_added_with_the_widget_of_its_kind_and_sent(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().run()
    for field in ("stop", "presence_penalty", "n", "reasoning_effort", "response_format", "logprobs"):
        page.menu_button(key="add_field").click(field).run()
    page.text_area(key="field_stop").set_value("\\n\\n\nEnd").run()
    page.slider(key="field_presence_penalty_slider").set_value(1.5).run()
    page.number_input(key="field_n").set_value(3).run()
    page.selectbox(key="field_reasoning_effort").set_value("high").run()
    page.text_area(key="field_response_format").set_value('{"type": ').run()
    assert "response\\_format is not valid JSON yet. Fix it, or omit the field." in texts(page)
    page.button(key="run").click().run()
    assert "is not valid JSON yet" in page.error[0].value
    page.text_area(key="field_response_format").set_value('{"type": "text"}').run()
    page.selectbox(key="field_logprobs").set_value("false").run()
    run_to_the_end(page)
    further = {
        "stop": ["\n\n", "End"],
        "presence_penalty": 1.5,
        "n": 3,
        "reasoning_effort": "high",
        "response_format": {"type": "text"},
        "logprobs": False,
    }
    body = chat.bodies[0]
    assert {key: body[key] for key in further} == further
    assert [key for key in body if key in further] == list(further)
    page.selectbox(key="field_stop_state").set_value("null").run()
    page.selectbox(key="field_logprobs").set_value("null").run()
    page.button(key="field_n_remove").click().run()
    page.button(key="field_presence_penalty_reset").click().run()
    run_to_the_end(page)
    body = chat.bodies[1]
    assert (body["stop"], body["logprobs"]) == (None, None)
    assert "n" not in body
    assert "presence_penalty" not in body
    assert page.session_state["field_presence_penalty_state"] == "omit"
    page.button(key="undo").click().run()
    page.button(key="undo").click().run()
    assert page.number_input(key="field_n").value == 3
    page.button(key="reset_all").click().run()
    assert not [box for box in page.text_area if box.key == "field_stop"]


def test_fields_of_an_opened_run_appear_with_their_values(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().run()
    page.text_area(key="extra_body").set_value('{"presence_penalty": 1, "stop": "x", "mine": 1, "n": 2}').run()
    run_to_the_end(page)
    opened = new_page()
    opened.query_params["run"] = page.query_params["run"]
    opened.run()
    assert (opened.number_input(key="field_presence_penalty").value, opened.text_area(key="field_stop").value) == (
        1.0,
        "x",
    )
    # After an unknown key, a known one keeps its place in the body.
    assert json.loads(opened.text_area(key="extra_body").value) == {"mine": 1, "n": 2}
    run_to_the_end(opened)
    assert json.dumps(chat.bodies[1]) == json.dumps(chat.bodies[0])
    opened.button(key="move_keys").click().run()
    assert (opened.number_input(key="field_n").value, opened.session_state["field_n_state"]) == (2, "value")
    assert json.loads(opened.text_area(key="extra_body").value) == {"mine": 1}
    run_to_the_end(opened)
    assert chat.bodies[2] == chat.bodies[0]


def test_a_fix_changes_the_field_in_place(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().run()
    page.menu_button(key="add_field").click("presence_penalty").run()
    page.number_input(key="field_presence_penalty").set_value(3.0).run()
    page.text_area(key="extra_body").set_value('{"foo": 1, "n": 0, "stop": ["x"]}').run()
    assert [button.label for button in page.button if button.key.startswith("fix_")] == [
        "Set it to 2",
        "Remove foo",
        "Set it to 1",
    ]
    page.button(key="fix_0").click().run()
    assert page.number_input(key="field_presence_penalty").value == 2.0
    assert json.loads(page.text_area(key="extra_body").value) == {"foo": 1, "n": 0, "stop": ["x"]}
    page.button(key="fix_1").click().run()
    assert (page.number_input(key="field_n").value, page.text_area(key="field_stop").value) == (1, "x")
    assert json.loads(page.text_area(key="extra_body").value) == {"foo": 1}


def test_typed_text_survives_a_reload_without_a_run(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Half a {{thought}}")
    page.button(key="add_system").click().run()
    write(page, 2, "Rules")
    page.text_input(key="variable_thought").set_value("idea")
    page.number_input(key="max_tokens").set_value(77).run()
    page.selectbox(key="max_tokens_state").set_value("omit").run()
    draft_id = page.query_params["draft"]

    def reloaded() -> AppTest:
        again = new_page()
        again.query_params["draft"] = draft_id
        return again.run()

    wait_for(lambda: len(messages(reloaded())) == 2 and reloaded().session_state["max_tokens"] == 77)
    again = reloaded()
    assert messages(again) == [("system", "Rules"), ("user", "Half a {{thought}}")]
    assert again.text_input(key="variable_thought").value == "idea"
    assert again.session_state["max_tokens_state"] == "omit"
    assert chat.bodies == []


def test_a_draft_opened_by_a_link_is_not_overwritten(page: AppTest, chat: Chat) -> None:
    write(page, 1, "Mine")
    draft_id = page.query_params["draft"]
    wait_for(lambda: '"Mine"' in (find_draft(service().log.database, draft_id) or ""))
    other = new_page()
    other.query_params["draft"] = draft_id
    assert messages(other.run()) == [("user", "Mine")]
    write(other, 1, "Theirs")
    assert other.query_params["draft"] != draft_id
    third = new_page()
    third.query_params["draft"] = draft_id
    assert messages(third.run()) == [("user", "Mine")]


@pytest.mark.parametrize("draft_id", ["nothing", "", "' or 1=1 --", "\x00", "a" * 5000, "0" * 32])
def test_a_link_to_a_missing_draft_opens_a_new_form(chat: Chat, draft_id: str) -> None:
    page = new_page()
    page.query_params["draft"] = draft_id
    assert messages(page.run()) == [("user", EXAMPLE_PROMPT)]
    assert not page.exception


def test_opening_another_run_can_be_undone(page: AppTest, chat: Chat) -> None:
    write(page, 1, "First")
    run_to_the_end(page)
    first = page.query_params["run"]
    write(page, 1, "Second, with much work in it")
    run_to_the_end(page)
    page.query_params["open"] = first
    page.run()
    assert "open" not in page.query_params
    assert page.query_params["run"] == first
    assert [text for _, text in messages(page)] == ["First"]
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == ["Second, with much work in it"]


def test_undoing_a_preset_keeps_later_edits_and_can_be_undone(page: AppTest) -> None:
    page.session_state["presets"] = True
    page.run()
    page.button(key="preset_Precise").click().run()
    write(page, 1, "Much work")
    page.number_input(key="max_tokens").set_value(9).run()
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == ["Much work"]
    assert page.session_state["temperature_state"] == "omit"
    assert page.session_state["max_tokens_state"] == "value"
    write(page, 1, "Even more work")
    page.button(key="redo").click().run()
    assert page.session_state["temperature_state"] == "value"
    assert [text for _, text in messages(page)] == ["Even more work"]
    page.button(key="undo").click().run()
    assert page.session_state["temperature_state"] == "omit"


def test_a_deletion_before_a_preset_can_still_be_undone(page: AppTest) -> None:
    page.button(key="add_user").click().run()
    write(page, 2, "b")
    choose(page, 2, "Delete message")
    page.session_state["presets"] = True
    page.run()
    page.button(key="preset_Precise").click().run()
    page.button(key="undo").click().run()
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == [EXAMPLE_PROMPT, "b"]


def test_all_sent_parts_of_a_message_are_visible(page: AppTest, chat: Chat) -> None:
    page.button(key="add_tool").click().run()
    page.text_area(key="message_2").set_value("42")
    page.text_input(key="message_2_tool_call_id").set_value("c1").run()
    page.selectbox(key="message_2_role").set_value("user").run()
    assert page.text_input(key="message_2_tool_call_id").value == "c1"
    page.text_input(key="message_2_tool_call_id").set_value("").run()
    run_to_the_end(page)
    assert chat.bodies[0]["messages"][1] == {"role": "user", "content": "42"}


def test_untrusted_text_in_an_objection_is_not_a_link(page: AppTest) -> None:
    page.text_area(key="extra_body").set_value('{"temperature": 1, "[Sign in](http://evil.example)": 1}').run()
    page.number_input(key="temperature").set_value(0.2).run()
    page.button(key="run").click().run()
    assert page.error
    assert "[Sign in]" not in page.error[0].value


def test_an_unpaired_surrogate_breaks_neither_the_form_nor_an_answer(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "mistral")
    page = new_page().run()
    page.text_area(key="extra_body").set_value('{"metadata": {"a": "\\ud800"}}').run()
    page.menu_button(key="add_field").click("n").run()
    assert not page.exception
    page.text_area(key="extra_body").set_value("").run()
    chat.server.play = sending(head() + chunk('{"a": "\\ud800"}', "stop") + DONE)
    run_to_the_end(page)
    assert not page.exception


def test_two_deletions_are_undone_one_by_one(page: AppTest) -> None:
    for turn, text in ((1, "a"), (2, "b"), (3, "c")):
        if turn > 1:
            page.button(key="add_user").click().run()
        write(page, turn, text)
    choose(page, 1, "Delete message")
    choose(page, 2, "Delete message")
    assert [text for _, text in messages(page)] == ["c"]
    page.button(key="undo").click().run()
    page.button(key="undo").click().run()
    assert [text for _, text in messages(page)] == ["a", "b", "c"]


def test_back_and_forward_show_other_runs_and_keep_the_form(
    page: AppTest, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "URL_FOLLOWS_S", 0.0)
    write(page, 1, "First")
    run_to_the_end(page)
    first = page.query_params["run"]
    write(page, 1, "Second")
    run_to_the_end(page)
    second = page.query_params["run"]
    write(page, 1, "Third, not run")
    for run_id in (first, second, first):
        page.query_params["run"] = run_id
        page.run()
        assert page.query_params["run"] == run_id
        assert [text for _, text in messages(page)] == ["Third, not run"]


def test_an_outdated_address_does_not_change_the_shown_run(page: AppTest, chat: Chat) -> None:
    """A quick click sends the address from before the new run."""
    write(page, 1, "First")
    run_to_the_end(page)
    first = page.query_params["run"]
    write(page, 1, "Second")
    page.button(key="run").click().run()
    second = page.query_params["run"]
    page.query_params["run"] = first
    page.text_area(key="message_1").set_value("Third")
    page.run()
    assert page.query_params["run"] == second
    assert [text for _, text in messages(page)] == ["Third"]


def test_an_active_request_is_not_sent_again(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    for _ in range(2):
        page.button(key="run").click().run()
    write(page, 1, "Another one")
    page.button(key="run").click().run()
    chat.go_on.set()
    until_it_ended(page)
    assert len(chat.bodies) == 2


def test_an_answer_is_added_once_with_literal_braces(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk("Use {{ title }} here", "stop") + DONE)
    run_to_the_end(page)
    page.button(key="add_answer").click().run()
    assert page.button(key="add_answer").disabled
    assert [text for _, text in messages(page)] == [EXAMPLE_PROMPT, "Use {{ title }} here", ""]
    assert not [field for field in page.text_input if field.key.startswith("variable_")]
    answer, last = (int(turn.id) for turn in page.session_state["turns"][1:])
    write(page, last, "Go on")
    run_to_the_end(page)
    assert chat.bodies[1]["messages"][1]["content"] == "Use {{ title }} here"
    choose(page, answer, "variables")
    assert page.text_input(key="variable_title").value == ""


def test_a_second_empty_message_is_not_added(page: AppTest) -> None:
    page.button(key="add_user").click().run()
    page.button(key="add_user").click().run()
    assert [text for _, text in messages(page)] == [EXAMPLE_PROMPT, ""]


def test_a_number_beyond_javascript_is_imported_exactly(page: AppTest, chat: Chat) -> None:
    page.session_state["import"] = True
    page.run()
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "random_seed": 2**70, "stream": True}
    page.text_area(key="import_text").set_value(json.dumps(body))
    next(button for button in page.button if button.label == "Import").click().run()
    assert not page.exception
    run_to_the_end(page)
    assert chat.bodies == [body]


def test_an_unpaired_surrogate_as_a_key_breaks_nothing(page: AppTest) -> None:
    page.text_area(key="extra_body").set_value('{"\\ud800": 1}').run()
    assert not page.exception


def test_redrawing_a_widget_does_not_switch_its_field_on(page: AppTest, chat: Chat) -> None:
    page.switch_page("runs.py").run()
    page.switch_page("playground.py").run()
    assert [page.session_state[f"{field}_state"] for field in ("temperature", "top_p", "max_tokens")] == ["omit"] * 3
