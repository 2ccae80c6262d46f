"""The playground's conversation and its previous run."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from components.drafts.draft import EXAMPLE_PROMPT
from components.log.query import find_run
from components.server.process import service
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts, until_it_ended
from tests.streaming.endpoint import DONE, chunk, head, sending
from tests.waiting import wait_for


def converse(page: AppTest) -> AppTest:
    return page.button_group(key="mode").set_value("Conversation").run()


def send(page: AppTest, text: str) -> AppTest:
    return until_it_ended(page.chat_input(key="composer").set_value(text).run())


def folded_turns(page: AppTest) -> list[str]:
    """The folded turns."""
    return [button.label.split("] ")[-1] for button in page.button if (button.key or "").startswith("edit_")]


def linked_runs(page: AppTest) -> list[str]:
    """The runs linked by folded turns."""
    links = [element.proto for element in page.get("page_link")]
    return [link.query_string.removeprefix("run=") for link in links if link.label == "Open the run"]


def test_each_turn_follows_the_shown_answer_and_earlier_turns_are_folded(page: AppTest, chat: Chat) -> None:
    converse(page)
    assert folded_turns(page) == []  # the example prompt is not the first turn
    for text in ("One", "Two", "Three"):
        send(page, text)
    answered = [{"role": "assistant", "content": "Hello you"}]
    questions = [[{"role": "user", "content": text}] for text in ("One", "Two", "Three")]
    assert chat.bodies[2]["messages"] == questions[0] + answered + questions[1] + answered + questions[2]
    assert folded_turns(page) == ["One", "Hello you", "Two", "Hello you", "Three"]
    # Each earlier answer links to its own run, although all texts are equal.
    linked = [find_run(service().log.database, run_id) for run_id in linked_runs(page)]
    assert [json.loads(run.request_body)["messages"] for run in linked] == [
        body["messages"] for body in chat.bodies[:2]
    ]
    assert len(page.text_area) == 1  # the extra body's
    first = page.session_state["turns"][0].id
    page.button(key=f"edit_{first}").click().run()
    page.text_area(key=f"message_{first}").set_value("Uno").run()
    page.button(key=f"message_{first}_done").click().run()
    send(page, "Four")
    assert [message["content"] for message in chat.bodies[3]["messages"]][::2] == ["Uno", "Two", "Three", "Four"]
    page.button(key="undo").click().run()
    assert folded_turns(page) == ["Uno", "Hello you", "Two", "Hello you", "Three"]
    reloaded = new_page()
    reloaded.query_params.update({name: page.query_params[name] for name in ("draft", "run", "mode")})
    assert folded_turns(reloaded.run()) == folded_turns(page)
    # The first prompt has changed since, so no run matches it.
    assert linked_runs(reloaded) == linked_runs(page) == []


def test_a_prompt_that_was_run_is_the_first_turn_and_a_refused_turn_is_kept(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    converse(page)
    assert folded_turns(page) == [EXAMPLE_PROMPT]
    page.number_input(key="temperature").set_value(3.0).run()
    page.chat_input(key="composer").set_value("More").run()
    assert len(chat.bodies) == 1
    assert "Send anyway" in page.error[0].value
    assert folded_turns(page) == [EXAMPLE_PROMPT, "Hello you", "More"]


def test_a_turn_sent_during_an_answer_stops_it_and_keeps_its_text(page: AppTest, chat: Chat) -> None:
    converse(page)
    chat.go_on.clear()
    page.chat_input(key="composer").set_value("One").run()
    wait_for(lambda: "Hello" in texts(page))
    chat.server.play = sending(head() + chunk("Fine", "stop") + DONE)
    send(page, "Two")
    assert [message["content"] for message in chat.bodies[1]["messages"]] == ["One", "Hello", "Two"]


def test_the_previous_run_can_be_shown_next_to_the_answer_and_in_two_lanes(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    assert "Previous run" not in texts(page)
    chat.server.play = sending(head() + chunk("Hello there", "stop") + DONE)
    page.number_input(key="temperature").set_value(0.2).run()
    run_to_the_end(page)
    assert "Previous run: temperature omitted → 0.2 · 50% of words differ" in texts(page)
    page.button(key="toggle_beside").click().run()
    sides = [element.proto.body for element in page.get("html") if element.proto.body.startswith("<div")]
    assert ["<ins>" in side for side in sides] == [False, True]
    page.button(key="compare_runs").click().run()
    shown = texts(page)
    assert "Hello you" in shown
    assert "Hello there" in shown
    assert "temperature **0.2**" in shown
