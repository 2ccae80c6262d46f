"""Compare: the requests of lanes, their results, and comparisons from the log."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from components.drafts.comparison import Comparison, Lane, changed
from components.drafts.draft import EXAMPLE_PROMPT, FieldState, Setting
from components.server.process import service
from components.ui import state
from components.ui.form import keys
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.streaming.endpoint import DONE, chunk, document, head
from tests.waiting import wait_for

LONG_S = 20


class Lanes:
    """An endpoint with another answer for each temperature, and errors on request."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.go_on = threading.Event()
        self.go_on.set()
        self.answers = {0.0: "Hello cold world", 1.0: "Hello hot world"}
        chat.server.play = self.play

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "alpha"}, {"id": "beta"}]}))
            return
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        if body["model"] == "gone":
            connection.sendall(document({"message": "no such model"}, "404 Not Found"))
            return
        if body.get("random_seed") == 429:
            connection.sendall(document({"message": "slow down"}, "429 Too Many Requests", "Retry-After: 3600"))
            return
        if body.get("logprobs"):
            connection.sendall(document({"error": {"message": "logprobs is not supported"}}, "400 Bad Request"))
            return
        text = self.answers.get(body.get("temperature"), "Hello plain world")
        first, _, rest = text.partition(" ")
        connection.sendall(head() + chunk(first))
        if body.get("max_tokens") == 1:
            self.go_on.wait(LONG_S)
        time.sleep(0.005)  # two pieces that are read at once have no rate
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        connection.sendall(chunk(f" {rest}", "stop", usage=usage) + DONE)


@pytest.fixture
def lanes(chat: Chat) -> Any:
    endpoint = Lanes(chat)
    yield endpoint
    endpoint.go_on.set()


@pytest.fixture
def compare(lanes: Lanes) -> AppTest:
    """The compare page as a new visitor sees it: lane A as the base, lane B with temperature 0."""
    return new_page().switch_page("compare.py").run()


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run()


def run_all(page: AppTest) -> AppTest:
    """Press Run all and wait until every lane has ended."""
    press(page, "run")
    return until_all_ended(page)


def until_all_ended(page: AppTest) -> AppTest:
    wait_for(lambda: not is_running(page))
    return page.run()


def is_running(page: AppTest) -> bool:
    return service().experiments.find(page.session_state[state.EXPERIMENT]).active


def menu(page: AppTest, lane: int, action: str) -> AppTest:
    """Press an entry of a lane's menu."""
    found = page.menu_button(key=f"lane_menu_{lane}")
    return found.click(next(option for option in found.options if action in option)).run()


def lane_set(page: AppTest, name: str) -> AppTest:
    return page.menu_button(key="lane_set").click(name).run()


def form(page: AppTest, lane: int) -> AppTest:
    """The page with a lane's form open; AppTest cannot open it by a click."""
    page.session_state[f"lane_form_{lane}"] = True
    return page.run()


def look(page: AppTest, what: str) -> AppTest:
    return page.button_group(key="look").set_value(what).run()


def table(page: AppTest) -> Any:
    assert not page.exception
    return page.table[0].value


def html(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def lane_ids(page: AppTest) -> list[str]:
    return [lane.id for lane in page.session_state[keys.COMPARISON].lanes]


def rows(page: AppTest) -> list[tuple[Any, ...]]:
    """Lane, position, repeat, timing and concurrency of every run in the log."""
    with service().log.database.reader.begin() as connection:
        found = connection.exec_driver_sql(
            'select lane, "position", "repeat", timing, concurrency, experiment_id from runs order by created_at'
        ).all()
    assert {row[5] for row in found} == {page.session_state[state.EXPERIMENT]}
    return [tuple(row[:5]) for row in found]


def test_all_lanes_answer_and_differ_only_in_their_changes(compare: AppTest, chat: Chat) -> None:
    run_all(compare)
    bodies = sorted(chat.bodies, key=len)
    assert [body.pop("temperature", None) for body in bodies] == [None, 0.0]
    assert bodies[0] == bodies[1]
    shown = texts(compare)
    assert "Hello plain world" in shown
    assert "Hello cold world" in shown
    assert table(compare).loc["characters"].tolist() == ["17", "16"]
    assert table(compare).loc["tokens"].tolist() == ["9 + 3"] * 2
    assert sorted(rows(compare)) == [("1", 0, 1, "parallel", 2), ("2", 1, 1, "parallel", 2)]


def test_a_lanes_heading_shows_its_changes_and_other_fields_follow_the_base(compare: AppTest, chat: Chat) -> None:
    assert "base settings" in texts(compare)
    assert "temperature **0**" in texts(compare)
    compare.number_input(key="temperature").set_value(0.5).run()
    assert "temperature **0.5 → 0**" in texts(compare)
    compare.number_input(key="max_tokens").set_value(7).run()
    assert "max\\_tokens" not in texts(compare)
    run_all(compare)
    assert sorted((body["temperature"], body["max_tokens"]) for body in chat.bodies) == [(0.0, 7), (0.5, 7)]


def test_a_lane_can_add_a_field_omitted_by_the_base(compare: AppTest, chat: Chat, monkeypatch: Any) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    compare.run()
    form(compare, 2)
    compare.menu_button(key="lane_add_field_2").click("presence_penalty").run()
    compare.number_input(key="lane_field_presence_penalty_2").set_value(1.5).run()
    compare.menu_button(key="lane_add_field_2").click("stop").run()
    compare.text_area(key="lane_field_stop_2").set_value("End").run()
    run_all(compare)
    sent = sorted((body.get("presence_penalty"), body.get("stop")) for body in chat.bodies if "stop" in body)
    assert (len(chat.bodies), sent) == (2, [(1.5, ["End"])])
    compare.button_group(key="lane_field_stop_state_2").set_value("base").run()
    assert "stop" not in compare.session_state["comparison"].lane("2").settings


def test_a_lane_on_another_endpoint_has_the_fields_of_that_endpoint(compare: AppTest, chat: Chat) -> None:
    compare.secrets["endpoints"] = {"other": {"base_url": chat.server.base_url, "dialect": "openai"}}
    compare.run()
    form(compare, 2)
    assert "safe_prompt" in texts(compare)
    compare.selectbox(key="lane_endpoint_2").set_value("other").run()
    assert "safe\\_prompt: the openai dialect has no such field." in texts(compare)
    compare.button_group(key="lane_random_seed_state_2").set_value("value").run()
    compare.number_input(key="lane_random_seed_2").set_value(5).run()
    press(compare, "lane_run_2")
    until_all_ended(compare)
    assert chat.bodies[0]["seed"] == 5


def test_a_lane_with_refused_probabilities_runs_without_them_on_one_click(
    lanes: Lanes, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPERA_DIALECT", "openai")
    page = new_page().switch_page("compare.py").run()
    page.toggle(key="token_probabilities").set_value(True).run()
    run_all(page)
    press(page, "lane_run_without_probabilities_2")
    until_all_ended(page)
    assert "Hello cold world" in texts(page)
    # The other lane still requests them.
    assert [button.key for button in page.button if "without" in str(button.key)] == [
        "lane_run_without_probabilities_1"
    ]
    *refused, answered = chat.bodies
    assert [body["top_logprobs"] for body in refused] == [5, 5]
    assert not {"logprobs", "top_logprobs"} & answered.keys()


def test_every_field_can_be_changed_in_a_lane(compare: AppTest, chat: Chat) -> None:
    form(compare, 2)
    compare.button_group(key="lane_temperature_state_2").set_value("null").run()
    compare.button_group(key="lane_random_seed_state_2").set_value("value").run()
    compare.number_input(key="lane_random_seed_2").set_value(5).run()
    compare.button_group(key="lane_safe_prompt_state_2").set_value("true").run()
    compare.selectbox(key="lane_model_2").set_value("beta").run()
    compare.button_group(key="lane_stream_2").set_value("off").run()
    compare.toggle(key="lane_own_system_2").set_value(True).run()
    compare.text_area(key="lane_system_2").set_value("Be brief.").run()
    compare.toggle(key="lane_own_extra_body_2").set_value(True).run()
    compare.text_area(key="lane_extra_body_2").set_value('{"stop": ["x"]}').run()
    compare.text_input(key="lane_name_2").set_value("Mine").run()
    press(compare, "lane_run_2")
    until_all_ended(compare)
    (body,) = chat.bodies
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    del body["messages"]
    assert body == {
        "model": "beta",
        "temperature": None,
        "random_seed": 5,
        "safe_prompt": True,
        "stream": False,
        "stop": ["x"],
    }
    assert "**B · Mine**" in texts(compare)
    compare.button_group(key="lane_temperature_state_2").set_value("base").run()
    compare.toggle(key="lane_own_system_2").set_value(False).run()
    assert "temperature" not in compare.session_state[keys.COMPARISON].lane("2").settings
    assert compare.session_state[keys.COMPARISON].lane("2").system is None


def test_lanes_are_added_cloned_moved_muted_and_deleted_with_undo(compare: AppTest, chat: Chat) -> None:
    press(compare, "add_lane")
    menu(compare, 2, "Clone")
    assert lane_ids(compare) == ["1", "2", "4", "3"]
    menu(compare, 3, "Move left")
    menu(compare, 1, "Delete")
    assert lane_ids(compare) == ["2", "3", "4"]
    press(compare, "undo")
    assert lane_ids(compare) == ["1", "2", "3", "4"]
    menu(compare, 1, "Mute")
    menu(compare, 3, "Mute")
    run_all(compare)
    assert sorted(row[0] for row in rows(compare)) == ["2", "4"]
    assert "Muted: this lane is not run." in texts(compare)
    for _ in range(6):
        if not compare.button(key="add_lane").disabled:
            press(compare, "add_lane")
    assert len(lane_ids(compare)) == 8
    assert compare.button(key="add_lane").disabled


def test_one_field_is_changed_in_several_lanes_at_once(compare: AppTest) -> None:
    press(compare, "add_lane")
    compare.session_state["change_several"] = True
    compare.run()
    compare.button_group(key="lane_lanes_several").set_value(["1", "3"]).run()
    compare.selectbox(key="lane_field_several").set_value("max_tokens").run()
    compare.number_input(key="lane_several_max_tokens_value").set_value(9)
    press(compare.run(), "lane_apply_several")
    found = [lane.settings.get("max_tokens") for lane in compare.session_state[keys.COMPARISON].lanes]
    assert [setting.value if setting else None for setting in found] == [9, None, 9]
    press(compare, "undo")
    assert not any("max_tokens" in lane.settings for lane in compare.session_state[keys.COMPARISON].lanes)


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("Temperature 0 / 0.3 / 0.7 / 1", "temperature", [0.0, 0.3, 0.7, 1.0]),
        ("Safe prompt A/B", "safe_prompt", [False, True]),
    ],
)
def test_a_template_sets_the_lanes_with_one_click(
    compare: AppTest, chat: Chat, name: str, field: str, values: list[object]
) -> None:
    lane_set(compare, name)
    run_all(compare)
    assert sorted(body[field] for body in chat.bodies) == values
    press(compare, "undo")
    assert lane_ids(compare) == ["1", "2"]


def test_lanes_that_repeat_another_or_change_nothing_have_a_hint_and_run(compare: AppTest, chat: Chat) -> None:
    press(compare, "add_lane")
    assert "Same request as lane A\\: the two show the effect of chance alone." in texts(compare)
    run_all(compare)
    assert len(chat.bodies) == 3


def test_an_invalid_lane_shows_the_reason_and_the_others_run(compare: AppTest, chat: Chat) -> None:
    press(compare, "add_lane")
    press(compare, "add_lane")
    for lane, body in ((2, '{"safe_prompt": null}'), (3, "{broken")):
        form(compare, lane)
        compare.toggle(key=f"lane_own_extra_body_{lane}").set_value(True).run()
        compare.text_area(key=f"lane_extra_body_{lane}").set_value(body).run()
        compare.session_state[f"lane_form_{lane}"] = False
    compare.session_state[keys.COMPARISON] = changed(compare.session_state[keys.COMPARISON], ["4"], model="gone")
    compare.run()
    shown = texts(compare)
    assert "safe\\_prompt must not be null. Omit it instead. Change it, or tick Send anyway." in shown
    assert "The text is not JSON" in shown
    assert "does not list the model gone." in shown
    run_all(compare)
    assert sorted(row[0] for row in rows(compare)) == ["1", "4"]
    assert "Hello plain world" in texts(compare)
    assert any("No answer arrived (HTTP 404)" in error.value for error in compare.error)
    compare.checkbox(key="send_anyway").set_value(True).run()
    run_all(compare)
    assert any("safe_prompt" in body for body in chat.bodies)


def test_eight_lanes_with_four_rate_limited(compare: AppTest, chat: Chat) -> None:
    found = Comparison(lanes=tuple(Lane(id=str(number)) for number in range(1, 9)))
    slow = {"random_seed": Setting(state=FieldState.VALUE, value=429)}
    compare.session_state[keys.COMPARISON] = changed(found, ["1", "2", "3", "4"], settings=slow)
    run_all(compare.run())
    assert sum("(HTTP 429)" in error.value for error in compare.error) == 4
    assert texts(compare).count("Hello plain world") == 4
    assert "slow down" in texts(compare)


def test_without_a_prompt_nothing_runs_and_the_reason_is_shown(compare: AppTest, chat: Chat) -> None:
    compare.text_area(key="message_1").set_value("").run()
    press(compare, "run")
    assert [error.value for error in compare.error] == ["Write a prompt first."]
    assert chat.bodies == []


def test_stopping_one_lane_keeps_the_others_also_after_a_reload(compare: AppTest, lanes: Lanes) -> None:
    lanes.go_on.clear()
    compare.number_input(key="max_tokens").set_value(1).run()
    press(compare, "run")
    wait_for(lambda: "Hello" in texts(compare.run()))
    press(compare, "lane_stop_1")
    wait_for(lambda: "cancelled" in texts(compare.run()))
    assert is_running(compare)
    reloaded = new_page()
    for name in ("draft", "experiment"):
        reloaded.query_params[name] = compare.query_params[name]
    reloaded.switch_page("compare.py").run()
    assert "cancelled" in texts(reloaded)
    assert reloaded.button(key="lane_stop_2")
    lanes.go_on.set()
    until_all_ended(reloaded)
    assert "Hello cold world" in texts(reloaded)
    assert table(reloaded).loc["status"].tolist()[1].startswith(":green")


def test_stop_all_stops_active_and_queued_runs(compare: AppTest, lanes: Lanes, chat: Chat) -> None:
    lanes.go_on.clear()
    compare.number_input(key="max_tokens").set_value(1).run()
    compare.number_input(key="repeats").set_value(3).run()
    press(compare, "run")
    wait_for(lambda: len(chat.bodies) == 2)
    press(compare, "stop_all")
    until_all_ended(compare)
    assert len(chat.bodies) == 2
    assert texts(compare).count("cancelled") >= 2


def test_a_deleted_lane_is_stopped_and_the_others_continue(compare: AppTest, lanes: Lanes) -> None:
    lanes.go_on.clear()
    compare.number_input(key="max_tokens").set_value(1).run()
    press(compare, "add_lane")
    press(compare, "run")
    experiment = service().experiments.find(compare.session_state[state.EXPERIMENT])
    wait_for(lambda: len(experiment.run_ids()) == 3)
    menu(compare, 1, "Delete")
    wait_for(lambda: experiment.busy_lanes() == {"2", "3"})
    lane_set(compare, "Safe prompt A/B")
    wait_for(lambda: not experiment.active)


def test_opening_a_comparison_with_other_lanes_stops_nothing(compare: AppTest, lanes: Lanes, chat: Chat) -> None:
    lanes.go_on.clear()
    lane_set(compare, "Temperature 0 / 0.3 / 0.7 / 1")
    compare.number_input(key="max_tokens").set_value(1).run()
    press(compare, "run")
    experiment = service().experiments.find(compare.session_state[state.EXPERIMENT])
    wait_for(lambda: len(experiment.run_ids()) == 4)
    other = new_page().switch_page("compare.py").run()
    assert not set(lane_ids(other)) & set(lane_ids(compare))
    other.query_params["experiment"] = experiment.id
    other.run()
    lane_set(other, "Safe prompt A/B")
    assert len(experiment.busy_lanes()) == 4


def test_a_comparison_in_the_address_loads_its_settings_and_can_be_undone(compare: AppTest) -> None:
    run_all(compare)
    first = compare.query_params["experiment"]
    lane_set(compare, "Safe prompt A/B")
    compare.text_area[0].set_value("Another question").run()
    run_all(compare)
    # As after Back, when the address has already changed.
    compare.session_state["url_behind_experiment"] = None, 0.0
    compare.query_params["experiment"] = first
    compare.run()
    assert lane_ids(compare) == ["1", "2"]
    assert prompt(compare) == EXAMPLE_PROMPT
    assert "Hello cold world" in texts(compare)
    press(compare, "undo")
    assert prompt(compare) == "Another question"


def test_a_failed_read_of_events_is_not_cached(compare: AppTest, tmp_path: Path) -> None:
    run_all(compare)
    look(compare, "Diff")
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection:
        with connection:
            connection.execute("alter table events rename to hidden")
        streamlit.cache_data.clear()
        assert "token" not in texts(compare.run()).partition("against")[2].partition("words added")[0]
        with connection:
            connection.execute("alter table hidden rename to events")
    assert ", token 2" in texts(compare.run())


def test_a_comparison_is_opened_again_from_the_log_with_settings_and_answers(compare: AppTest, chat: Chat) -> None:
    lane_set(compare, "Temperature 0 / 0.3 / 0.7 / 1")
    compare.text_area(key="message_1").set_value("A question of its own").run()
    run_all(compare)
    other = new_page().switch_page("compare.py").run()
    other.session_state["earlier"] = True
    other.run()
    next(button for button in other.button if "A question of its own" in button.label).click().run()
    assert prompt(other) == "A question of its own"
    assert "Hello cold world" in texts(other)
    assert "Hello hot world" in texts(other)
    assert list(table(other).columns) == ["A", "B", "C", "D"]
    linked = new_page()
    linked.query_params["open"] = other.session_state[state.EXPERIMENT]
    linked.switch_page("compare.py").run()
    assert "Hello hot world" in texts(linked)
    assert prompt(linked) == "A question of its own"
    assert len(chat.bodies) == 4


def prompt(page: AppTest) -> str:
    return str(page.text_area[0].value)


def test_a_missing_comparison_is_reported(lanes: Lanes) -> None:
    page = new_page()
    page.query_params["experiment"] = "f" * 32
    page.switch_page("compare.py").run()
    assert "The log has no runs of this comparison." in [info.value for info in page.info]


def test_the_playgrounds_run_becomes_lane_a_and_later_changes_lane_b(page: AppTest, lanes: Lanes) -> None:
    page.number_input(key="temperature").set_value(1.0).run()
    run_to_the_end(page)
    page.number_input(key="temperature").set_value(0.0).run()
    press(page, "compare_answer")
    page.switch_page("compare.py").run()
    shown = texts(page)
    assert "Hello hot world" in shown
    assert "temperature **1 → 0**" in shown
    press(page, "lane_run_2")
    until_all_ended(page)
    assert "Hello cold world" in texts(page)
    assert [row[0] for row in rows(page)] == ["1", "2"]


def test_a_determinism_check_stores_its_result_with_the_run(compare: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_all(compare)
    press(compare, "lane_check_2")
    until_all_ended(compare)
    wait_for(lambda: "Sent again: **identical**" in texts(compare.run()))
    lanes.answers[0.0] = "Hello cool world"
    press(compare, "lane_check_2")
    until_all_ended(compare)
    wait_for(lambda: "Sent again: **first differs at character 9**" in texts(compare.run()))
    # The check is not a repeat: the lane shows the run that was checked.
    assert "Hello cold world" in texts(compare)


def test_the_best_number_of_a_row_is_marked_without_cut_lanes(compare: AppTest) -> None:
    run_all(compare)
    assert sum("best" in cell for cell in table(compare).loc["TTFT"]) == 1
    assert all("concurrency 2" in cell for cell in table(compare).loc["TTFT"])
    assert not any("best" in cell for cell in table(compare).loc["characters"])


def test_differences_between_answers_are_shown_in_words_and_as_a_tree(compare: AppTest) -> None:
    lane_set(compare, "Temperature 0 / 0.3 / 0.7 / 1")
    run_all(compare)
    look(compare, "Diff")
    shown = html(compare)
    assert "[−</i>cold<" in shown
    assert "[+</i>plain<" in shown
    assert "[+</i>hot<" in shown
    assert "parts at character 7, token 2" in texts(compare)
    compare.selectbox(key="reference").set_value("B").run()
    assert "Identical: **B, C** (2 of 4)" in texts(compare)
    look(compare, "First divergence")
    tree = html(compare)
    assert "<b>A, B, C, D</b> 6 characters in common" in tree
    assert "<b>B, C</b> identical (2 answers)" in tree
    assert "<b>D</b> from character 7, token 2" in tree


def test_html_in_an_answer_is_text_in_every_view(compare: AppTest, lanes: Lanes) -> None:
    lanes.answers[0.0] = "<img src=x onerror=alert(1)> <b>bold"
    run_all(compare)
    for what in ("Diff", "First divergence"):
        look(compare, what)
        assert "<img" not in html(compare)
        assert "&lt;img" in html(compare)


def test_repeats_show_whether_a_difference_is_significant(compare: AppTest, chat: Chat) -> None:
    press(compare, "add_lane")
    compare.number_input(key="repeats").set_value(4).run()
    run_all(compare)
    assert len(chat.bodies) == 12
    assert "4/4" in texts(compare)
    look(compare, "Noise")
    assert "**B** differs from **A** by more than **A** differs from itself." in texts(compare)
    assert "**C** differs from **A** no more than **A** differs from itself." in texts(compare)
    assert table(compare).loc["repeats"].tolist() == ["4", "4", "4"]
    press(compare, "lane_repeat_2_previous")
    assert "3/4" in texts(compare)


def test_too_few_repeats_are_reported(compare: AppTest) -> None:
    run_all(compare)
    look(compare, "Noise")
    assert "4 repeats of each are needed." in texts(compare)


@pytest.mark.parametrize(("order", "timing"), [("one after another", "sequential"), ("interleaved", "interleaved")])
def test_fair_orders_make_one_request_at_a_time_and_state_it(
    compare: AppTest, chat: Chat, order: str, timing: str
) -> None:
    compare.selectbox(key="timing").set_value(order).run()
    compare.number_input(key="repeats").set_value(2).run()
    run_all(compare)
    made = rows(compare)
    assert {row[4] for row in made} == {1}
    assert [row[2] for row in made].count(0) == (1 if order == "interleaved" else 0)
    assert all(timing in cell for cell in table(compare).loc["TTFT"])


def test_the_settings_table_shows_only_what_differs(compare: AppTest) -> None:
    look(compare, "Settings")
    assert table(compare).to_dict() == {"temperature": {"A": "omitted", "B": "0"}}


def test_an_open_vote_is_saved_and_counted_on_the_runs_page(compare: AppTest) -> None:
    press(compare, "run")
    look(compare, "Vote")
    until_all_ended(compare)
    press(compare, "lane_vote_second")
    assert "B better than A" in texts(compare)
    compare.switch_page("runs.py").run()
    rates = next(found.value for found in compare.table)
    assert rates.loc["temperature 0.0", "wins"] == "1"
    assert rates.loc["temperature omitted", "losses"] == "1"
    assert rates.loc["temperature 0.0", "win rate"] == "**100%**"


def test_a_blind_vote_hides_the_lanes_and_continues_with_the_next_pair(
    compare: AppTest,
) -> None:
    lane_set(compare, "Temperature 0 / 0.3 / 0.7 / 1")
    run_all(compare)
    compare.toggle(key="blind").set_value(True).run()
    voted = set()
    for _ in range(6):
        shown = texts(compare)
        assert "**Answer 1**" in shown
        assert "**Answer 3**" not in shown
        assert "temperature" not in shown.partition("Answer 1")[2]
        assert not compare.table
        press(compare, "lane_vote_tie")
        revealed = re.search(r"Answer 1 was \*\*(.)\*\*, answer 2 was \*\*(.)\*\*", texts(compare))
        assert revealed
        voted.add(frozenset(revealed.groups()))
        assert compare.table
        press(compare, "next_pair")
    assert len(voted) == 6
    # Every pair has its vote, so the lanes run again and the pairs are voted on anew.
    until_all_ended(compare)
    assert "**Answer 1**" in texts(compare)
    compare.toggle(key="blind").set_value(False).run()
    look(compare, "Vote")
    assert "a tie" not in texts(compare)


def test_votes_are_possible_only_after_all_runs_have_ended(compare: AppTest, lanes: Lanes) -> None:
    lanes.go_on.clear()
    compare.number_input(key="max_tokens").set_value(1).run()
    look(compare, "Vote")
    press(compare, "run")
    assert "You can vote when every lane has ended." in texts(compare)
