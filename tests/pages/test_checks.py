"""Checks on single runs, on the Runs page and by judges: shown, and stored with the runs."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from components.log.query import find_run
from components.server.process import service
from components.ui.experiment_file import keys
from components.ui.plain_words import plain_words
from components.ui.runs import keys as runs_keys
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.pages.content import listed
from tests.pages.test_compare import Lanes, compare, lanes, run_all
from tests.pages.test_experiment_file import checked
from tests.waiting import wait_for

__all__ = ["compare", "lanes"]

HELLO = "checks:\n  - contains: Hello\n  - length: {at_most: 3}\n"


def check(page: AppTest, menu: str, checks: str) -> None:
    """Write the checks in their menu, and press its button."""
    page.session_state[menu] = True
    page.run().text_area(key=keys.RULES).set_value(checks)
    page.session_state[menu] = True
    page.run().button(key="check_answers").click().run()
    page.session_state[menu] = True
    page.run()


def test_the_shown_answer_is_checked_at_once_and_later_ones_at_their_end(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    check(page, keys.ANSWER_CHECKS, HELLO)
    assert "**at most 3 characters** The answer has 9 characters." in texts(page)
    assert len(chat.bodies) == 1
    run_to_the_end(page)
    run_id = page.query_params["run"]
    assert find_run(service().log.database, run_id).passed is False
    page.switch_page("runs.py")
    page.session_state[runs_keys.COLUMNS] = ["started", "checks"]
    expected = "1 of 2 · at most 3 characters: The answer has 9 characters."
    wait_for(lambda: listed(page.run())["checks"].tolist() == [expected] * 2)
    assert "pass rate 0% (0% to 66%, n = 2)" in texts(page)


def test_selected_logged_runs_are_checked_and_found_by_their_result(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    run_id = page.query_params["run"]
    runs = new_page()
    runs.switch_page("runs.py")
    runs.session_state[runs_keys.FIND_CHECKS] = "passed"
    wait_for(lambda: [info.value for info in runs.run().info] == ["No matching runs. Clear a filter."])
    runs.session_state[runs_keys.FIND_CHECKS] = ""
    runs.run()
    runs.session_state[runs_keys.CHOSEN_RUNS] = [run_id]
    check(runs, runs_keys.CHECKS_OF_SELECTION, "checks:\n  - contains: Hello\n")
    assert find_run(service().log.database, run_id).passed is True
    runs.session_state[runs_keys.FIND_CHECKS] = "passed"
    assert listed(runs.run())["checks"].tolist() == ["1 of 1"]
    runs.session_state[runs_keys.CHARTS] = True
    runs.session_state[runs_keys.CHART_OF] = "pass rate"
    assert "the share of answers that pass their checks, of 1 that were checked" in texts(runs.run())
    assert len(chat.bodies) == 1


def test_the_judge_of_a_comparison_is_asked_on_its_page(compare: AppTest, lanes: Lanes) -> None:
    page = run_all(checked(compare, 'checks:\n  - judge: "Does {{answer}} pass?"\n'))
    assert "Checks passed: **–**" in texts(page)
    before = len(lanes.chat.bodies)
    page.button(key="ask_judge").click().run()
    wait_for(lambda: keys.CHECKING not in page.run().session_state)
    assert len(lanes.chat.bodies) > before
    # This endpoint gives no verdict, and its text is the reason.
    assert plain_words("The judge says neither pass nor fail, or both: ") in texts(page)
