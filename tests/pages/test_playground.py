from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from components.drafts.draft import EXAMPLE_PROMPT
from components.server.process import service
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts, until_it_ended
from tests.pages.content import listed
from tests.streaming.endpoint import DONE, chunk, document, head, sending
from tests.waiting import wait_for


def test_a_new_visitor_sees_every_field_under_its_name(page: AppTest) -> None:
    assert page.text_area(key="message_1").value == EXAMPLE_PROMPT
    assert page.selectbox(key="model").options == ["alpha", "beta"]
    for field in ("temperature", "top_p", "max_tokens", "random_seed"):
        assert page.number_input(key=field).value is not None
        assert page.session_state[f"{field}_state"] == "omit"
    assert page.session_state["safe_prompt"] == "omit"
    assert page.toggle(key="stream").value is True
    assert "omitted · default 0.7" in texts(page)
    assert "omitted · up to the model" in texts(page)


def test_run_streams_an_answer_and_shows_its_numbers(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    shown = texts(page)
    assert "Hello you" in shown
    assert "ok]" in shown
    assert "stop · TTFT" in shown
    assert r"9 + 2 tokens" in shown
    assert chat.bodies == [
        {"model": "alpha", "messages": [{"role": "user", "content": EXAMPLE_PROMPT}], "stream": True}
    ]


def test_each_state_of_a_field_reaches_the_wire(page: AppTest, chat: Chat) -> None:
    page.button(key="add_system").click().run()
    page.text_area(key="message_2").set_value("Be brief.")
    page.number_input(key="temperature").set_value(0.25).run()
    assert page.session_state["temperature_state"] == "value"
    page.selectbox(key="top_p_state").set_value("null")
    page.selectbox(key="max_tokens_state").set_value("value")
    page.selectbox(key="safe_prompt").set_value("true").run()
    page.number_input(key="max_tokens").set_value(64)
    run_to_the_end(page)
    assert chat.bodies == [
        {
            "model": "alpha",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": EXAMPLE_PROMPT},
            ],
            "temperature": 0.25,
            "top_p": None,
            "max_tokens": 64,
            "safe_prompt": True,
            "stream": True,
        }
    ]


def test_a_field_that_is_switched_off_keeps_its_value(page: AppTest, chat: Chat) -> None:
    page.number_input(key="temperature").set_value(0.25).run()
    page.selectbox(key="temperature_state").set_value("omit").run()
    assert page.number_input(key="temperature").value == 0.25
    page.selectbox(key="temperature_state").set_value("value").run()
    run_to_the_end(page)
    assert chat.bodies[0]["temperature"] == 0.25


def test_the_slider_and_the_number_agree(page: AppTest) -> None:
    page.number_input(key="top_p").set_value(0.5).run()
    assert page.slider(key="top_p_slider").value == 0.5
    page.slider(key="top_p_slider").set_value(0.8).run()
    assert page.number_input(key="top_p").value == 0.8


def test_a_value_out_of_range_is_named_and_sent_only_with_send_anyway(page: AppTest, chat: Chat) -> None:
    page.number_input(key="temperature").set_value(1.4).run()
    problem = "temperature must be at most 1; 1.4 is more."
    assert problem in texts(page)
    page.button(key="run").click().run()
    assert page.error[0].value == f"{problem} Change it, or tick Send anyway."
    assert chat.bodies == []
    page.checkbox(key="send_anyway").check().run()
    run_to_the_end(page)
    assert chat.bodies[0]["temperature"] == 1.4


def test_a_missing_prompt_is_named_and_nothing_is_sent(page: AppTest, chat: Chat) -> None:
    page.text_area(key="message_1").set_value("  ")
    page.button(key="run").click().run()
    assert page.error[0].value == "Write a prompt first."
    assert chat.bodies == []


def test_a_widget_changed_while_streaming_loses_nothing(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    page.button(key="run").click().run()
    wait_for(lambda: "Hello" in texts(page))
    page.toggle(key="stream").set_value(False).run()
    page.number_input(key="random_seed").set_value(5).run()
    assert "Hello" in texts(page)
    chat.go_on.set()
    wait_for(lambda: "Hello you" in texts(page))
    assert len(chat.bodies) == 1


def test_switching_the_page_while_streaming_keeps_run_and_form(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    page.text_area(key="message_1").set_value("Mine")
    page.number_input(key="temperature").set_value(0.3).run()
    page.button(key="run").click().run()
    page.switch_page("runs.py").run()
    assert listed(page)["status"].tolist() == ["running"]
    chat.go_on.set()
    page.switch_page("playground.py").run()
    wait_for(lambda: "Hello you" in texts(page))
    assert page.text_area(key="message_1").value == "Mine"
    assert page.number_input(key="temperature").value == 0.3
    assert page.session_state["temperature_state"] == "value"


def test_a_reload_restores_the_run_and_its_settings_and_sends_nothing(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    page.text_area(key="message_1").set_value("Mine")
    page.button(key="add_system").click().run()
    page.text_area(key="message_2").set_value("Be brief.")
    page.number_input(key="temperature").set_value(0.3).run()
    page.selectbox(key="top_p_state").set_value("null").run()
    page.selectbox(key="model").set_value("beta")
    page.button(key="run").click().run()
    reloaded = new_page()
    reloaded.query_params["run"] = page.query_params["run"]
    reloaded.run()
    assert reloaded.text_area(key="message_1").value == "Be brief."
    assert reloaded.text_area(key="message_2").value == "Mine"
    assert reloaded.number_input(key="temperature").value == 0.3
    assert reloaded.selectbox(key="model").value == "beta"
    states = [reloaded.session_state[f"{field}_state"] for field in ("temperature", "top_p", "max_tokens")]
    assert states == ["value", "null", "omit"]
    chat.go_on.set()
    wait_for(lambda: "Hello you" in texts(reloaded.run()))
    assert len(chat.bodies) == 1


@pytest.mark.parametrize("run_id", ["nothing", "", "' or 1=1 --", "\x00", "a" * 5000])
def test_a_link_to_a_missing_run_is_reported_and_keeps_the_form(chat: Chat, run_id: str) -> None:
    page = new_page()
    page.query_params["run"] = run_id
    page.run()
    assert not page.exception
    assert page.text_area(key="message_1").value == EXAMPLE_PROMPT
    assert [info.value for info in page.info] == ["The run in this link is not in the log."] * bool(run_id)


def test_stop_keeps_the_text_so_far(page: AppTest, chat: Chat) -> None:
    chat.go_on.clear()
    page.button(key="run").click().run()
    wait_for(lambda: "Hello" in texts(page))
    page.button(key="stop").click().run()
    wait_for(lambda: "cancelled" in texts(page.run()))
    assert "Hello" in texts(page)


def test_a_refusal_is_shown_as_plain_text(page: AppTest, chat: Chat) -> None:
    body = {"message": "![x](http://evil.example/a.png) <b>no</b> such model"}
    chat.server.play = sending(document(body, "400 Bad Request"))
    run_to_the_end(page)
    assert "![x](http://evil.example/a.png) <b>no</b> such model" in [text.value for text in page.text]
    assert not any("evil" in markdown.value for markdown in page.markdown)


def test_a_field_refused_by_the_endpoint_is_marked(page: AppTest, chat: Chat) -> None:
    problem = {"type": "x", "loc": ["body", "top_p"], "msg": "too much", "input": 1}
    chat.server.play = sending(document({"detail": [problem]}, "422 Unprocessable Entity"))
    # The form is drawn before the answer, which may end in between.
    run_to_the_end(page).run()
    shown = texts(page)
    assert "No answer arrived (HTTP 422)" in [error.value for error in page.error]
    assert "top_p: too much" in shown
    assert "Change the field that the endpoint names, then run again." in shown
    assert shown.count("The endpoint refused this field in the run shown.") == 1


def test_a_request_with_refused_probabilities_runs_without_them_on_one_click(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().run()
    page.toggle(key="token_probabilities").set_value(True).run()
    answers = chat.play
    chat.server.play = sending(document({"error": {"message": "logprobs is not supported"}}, "400 Bad Request"))
    run_to_the_end(page).run()
    chat.server.play = answers
    until_it_ended(page.button(key="run_without_probabilities").click().run())
    assert "Hello you" in texts(page)
    refused, answered = chat.bodies
    assert answered == {name: value for name, value in refused.items() if not name.endswith("logprobs")}
    assert not any(button.key == "run_without_probabilities" for button in page.button)


def test_a_finish_reason_is_shown_as_plain_text(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(head() + chunk("Hi", "![x](http://evil.example/a.png)") + DONE)
    run_to_the_end(page)
    assert "finish reason" in texts(page)
    assert r"\!\[x\]\(http\://evil.example/a.png\)" in texts(page)


@pytest.mark.parametrize(
    ("answer", "status", "advice"),
    [
        (document({"detail": "Unauthorized"}, "401 Unauthorized"), "error", "Check this endpoint's key"),
        (document({"message": "no"}, "404 Not Found"), "error", "Check the model's name"),
        (head() + chunk("Half"), "interrupted", "The answer is not complete. What arrived is kept."),
        (
            head() + chunk("Cut", "length") + DONE,
            "cut at max_tokens (the model's own)",
            "Shorten the prompt",
        ),
        (head() + b"data: {oops\n\n" + chunk("Hole", "stop") + DONE, "damaged", "the text may have a gap"),
        (head() + DONE, "error", "The answer ended without any text."),
    ],
)
def test_every_end_has_a_reason_and_advice(page: AppTest, chat: Chat, answer: bytes, status: str, advice: str) -> None:
    chat.server.play = sending(answer)
    run_to_the_end(page)
    assert status in texts(page)
    assert advice in texts(page) + "".join(warning.value for warning in page.warning)


def test_the_openai_dialect_has_its_own_fields(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().run()
    assert "the openai dialect has no such field" in texts(page)
    page.number_input(key="random_seed").set_value(7)
    page.number_input(key="temperature").set_value(1.4).run()
    run_to_the_end(page)
    body = chat.bodies[0]
    assert (body["seed"], body["temperature"], body["stream_options"]) == (7, 1.4, {"include_usage": True})
    assert "random_seed" not in body


def test_an_answer_without_streaming_is_shown(page: AppTest, chat: Chat) -> None:
    answer = {"choices": [{"index": 0, "message": {"content": "All at once"}, "finish_reason": "stop"}]}
    chat.server.play = sending(document(answer))
    page.toggle(key="stream").set_value(False).run()
    run_to_the_end(page)
    assert "All at once" in texts(page)


def test_an_unwritable_log_is_named_and_the_run_continues(
    chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'runs.sqlite3'}")
    page = new_page().run()
    assert page.warning[0].value.startswith("Runs are not being logged: ")
    run_to_the_end(page)
    assert "Hello you" in texts(page)
    (tmp_path / "file").unlink()
    wait_for(lambda: service().log.problem is None)
    assert not page.run().warning
    with sqlite3.connect(tmp_path / "file" / "runs.sqlite3") as connection:
        wait_for(lambda: connection.execute("select text from runs").fetchall() == [("Hello you",)])
    connection.close()


def test_a_damaged_log_is_set_aside_and_its_path_is_shown(
    chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "damaged.sqlite3").write_bytes(b"no database at all " * 500)
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'damaged.sqlite3'}")
    page = new_page().run()
    assert page.warning[0].value.startswith("The log was damaged. It was moved to ")
    run_to_the_end(page)
    page.switch_page("runs.py").run()
    assert listed(page)["status"].tolist() == ["ok"]


def test_waits_and_attempts_are_shown_separately_from_the_answers_time(page: AppTest, chat: Chat) -> None:
    play, answers = chat.play, [document({"message": "busy"}, "503 Service Unavailable", "Retry-After: 0.2")]
    busy = [sending(answers[0])]
    chat.server.play = lambda connection, request: (busy.pop() if busy else play)(connection, request)
    run_to_the_end(page)
    assert "waited before retries" in texts(page)
    assert "Hello you" in texts(page)


def test_a_wait_before_a_retry_counts_down_with_its_reason(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(document({"message": "*slow* down"}, "429 Too Many Requests", "Retry-After: 50"))
    page.button(key="run").click().run()
    wait_for(lambda: "Trying again in " in texts(page))
    assert "*slow* down (HTTP 429)" in texts(page)
    page.button(key="stop").click().run()
    wait_for(lambda: "cancelled" in texts(page.run()))


def test_a_broken_endpoint_is_reported_and_the_embedded_one_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_BASE_URL", "http://me:secret-1@host/v1")
    monkeypatch.setenv("TEMPERA_EMBEDDED_MODEL", "/no/such/model.gguf")
    page = new_page().run()
    assert "user name or password" in page.warning[0].value
    assert "secret-1" not in page.warning[0].value
    assert page.selectbox(key="endpoint").options == ["embedded"]
    wait_for(lambda: page.run().error)
    assert "no/such/model.gguf" in page.error[0].value


def test_a_model_name_can_be_typed_if_an_endpoint_lists_none(page: AppTest, chat: Chat) -> None:
    chat.server.play = sending(document({"detail": "![x](http://evil.example/a.png) Not Found"}, "404 Not Found"))
    streamlit.cache_data.clear()
    other = new_page().run()
    (caption,) = (caption.value for caption in other.caption if "could not be listed" in caption.value)
    assert r"\!\[x\]" in caption
    other.button(key="run").click().run()
    assert other.error[0].value == "Choose a model first, or enter its name."
