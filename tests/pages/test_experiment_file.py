"""Experiments as files on the pages, and the checks of lanes and cells."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import new_draft
from components.experiments.file_format import ExperimentFile
from components.experiments.file_writing import write_experiment_file
from components.experiments.rules import read_rules
from components.experiments.store import find_experiment
from components.experiments.stored_sweep import read_sweep
from components.experiments.sweep_setup import Setup, TypedAxis
from components.server.process import service
from components.ui import state
from components.ui.compare import keys as compare_keys
from components.ui.experiment_file import keys
from components.ui.form import keys as form_keys
from components.ui.history import EARLIER
from components.ui.plain_words import plain_words
from components.ui.sweep import keys as sweep_keys
from tests.pages.conftest import new_page, texts
from tests.pages.test_compare import Lanes, compare, lanes, press, run_all
from tests.pages.test_sweep import opened, sweep
from tests.pages.test_sweep_result import ended, table
from tests.waiting import wait_for

__all__ = ["compare", "lanes", "sweep"]

COLD = "checks:\n  - contains: cold\n"


def checked(page: AppTest, rules: str = COLD) -> AppTest:
    page.session_state[keys.RULES_BOX] = True
    page.run()
    return page.text_area(key=keys.RULES).set_value(rules).run()


def open_file(page: AppTest, text: str) -> AppTest:
    page.session_state[keys.FILE_MENU] = True
    page.run()
    return page.file_uploader(key=keys.FILE).set_value(("x.yaml", text.encode(), "application/yaml")).run()


def test_cells_show_whether_they_pass_and_groups_their_pass_rate(lanes: Lanes) -> None:
    page = checked(ended(("temperature", "0, 1")))
    found = table(page)
    assert found["passed"].tolist() == [False, True, False]
    assert found["check"].fillna("").tolist()[1:] == ["", "contains “cold”: “cold” is not in the answer."]
    page.selectbox(key=sweep_keys.SWEEP_GROUP).set_value("temperature").run()
    assert table(page)["pass rate"].tolist()[1] == "100% (21% to 100%, n = 1)"
    # The same answers under other checks, without new requests.
    before = len(lanes.chat.bodies)
    page.selectbox(key=sweep_keys.SWEEP_GROUP).set_value("each run").run()
    assert table(checked(page, "checks:\n  - contains: Hello\n"))["passed"].tolist() == [True, True, True]
    assert len(lanes.chat.bodies) == before


def test_lanes_show_their_pass_rate_and_the_reason(compare: AppTest, lanes: Lanes) -> None:
    shown = texts(run_all(checked(compare)))
    assert "Checks passed: **0% (0% to 79%, n = 1)**" in shown
    assert "Checks passed: **100% (21% to 100%, n = 1)**" in shown
    assert plain_words("contains “cold”: “cold” is not in the answer.") in shown


def test_a_mistake_in_the_checks_is_shown_with_its_line(compare: AppTest) -> None:
    page = checked(compare, "checks:\n  - contanis: x\n")
    assert plain_words("Line 2: There is no check contanis.") in page.error[0].value


def test_an_experiment_keeps_its_checks(compare: AppTest, lanes: Lanes) -> None:
    page = run_all(checked(compare))
    experiment_id = page.session_state[state.EXPERIMENT]
    again = new_page()
    again.query_params[state.EXPERIMENT] = experiment_id
    again.query_params[state.OPEN_PARAMETER] = experiment_id
    again.switch_page("compare.py").run()
    page = press(checked(again, ""), "run").run()
    page.session_state[EARLIER] = True
    page.run()
    press(page, f"earlier_{experiment_id}")
    assert page.session_state[keys.RULES] == COLD
    linked = new_page()
    linked.query_params[state.EXPERIMENT] = experiment_id
    assert "contains “cold”" in texts(linked.switch_page("compare.py").run())


def test_a_sweep_keeps_its_checks(lanes: Lanes) -> None:
    page = press(checked(opened(("temperature", "0"))), sweep_keys.SWEEP_RUN).run()
    sweep_id = page.session_state[state.SWEEP]
    database = service().log.database
    assert database
    wait_for(lambda: find_experiment(database, sweep_id) is not None)
    entry = find_experiment(database, sweep_id)
    assert entry
    kept = read_sweep(entry)
    assert kept
    assert kept.rules == read_rules(COLD)
    linked = new_page()
    linked.query_params[state.SWEEP] = sweep_id
    assert linked.switch_page("sweep.py").run().session_state[keys.RULES] == COLD


def test_the_file_of_a_sweep_opens_on_its_page(compare: AppTest, lanes: Lanes) -> None:
    setup = Setup(axes=(TypedAxis(field="top_p", text="0.5, 1"),), repeats=3)
    page = open_file(compare, write_experiment_file(ExperimentFile(new_draft(), setup, read_rules(COLD))))
    assert not page.exception
    assert page.session_state[sweep_keys.SWEEP_SETUP] == setup
    assert page.session_state[keys.RULES] == COLD


def test_the_file_of_a_comparison_opens_on_its_page(sweep: AppTest, lanes: Lanes) -> None:
    comparison = Comparison(lanes=(Lane(id="1", name="first"), Lane(id="2")), repeats=3)
    draft = new_draft().model_copy(update={"comparison": comparison})
    page = open_file(sweep, write_experiment_file(ExperimentFile(draft)))
    assert "**A · first**" in texts(page)
    assert page.number_input(key=compare_keys.REPEATS).value == 3


def test_a_file_with_a_mistake_changes_nothing_and_names_the_line(sweep: AppTest) -> None:
    before = sweep.session_state[sweep_keys.SWEEP_SETUP]
    page = open_file(sweep, "tempera: 1\nbase:\n  model: m\n  messages: []\n  stream: 5\n")
    assert plain_words("Line 4: messages must have at least 1 item, not 0.") in page.error[0].value
    assert page.session_state[sweep_keys.SWEEP_SETUP] == before


def test_an_invalid_form_cannot_be_saved_and_the_reason_is_shown(sweep: AppTest) -> None:
    sweep.session_state[keys.FILE_MENU] = True
    assert [button.label for button in sweep.run().get("download_button")] == ["Save as YAML"]
    sweep.session_state[form_keys.EXTRA_BODY] = "{"
    page = sweep.run()
    assert [button.label for button in page.get("download_button")] == []
    assert any("The extra body is not JSON" in error.value for error in page.error)
