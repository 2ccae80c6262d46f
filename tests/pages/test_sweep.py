"""Sweeps: set-up, runs, pauses, and sweeps from the log."""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from components.drafts.store import find_draft, save_draft
from components.experiments.data_set import MAX_CHARACTERS, as_json_lines
from components.experiments.experiment import Experiment
from components.experiments.store import find_experiment, runs_of
from components.experiments.sweep_plan import PlanKind
from components.experiments.sweep_setup import Setup, TypedAxis
from components.log.query import recent_measures
from components.log.record import RunRecord
from components.server.process import service
from components.ui import state
from components.ui.history import EARLIER
from components.ui.plain_words import plain_words
from components.ui.sweep import keys
from tests.pages.conftest import Chat, new_page, texts
from tests.pages.test_compare import Lanes, lanes, press, prompt
from tests.waiting import wait_for

__all__ = ["lanes"]


@pytest.fixture
def sweep(lanes: Lanes) -> AppTest:
    """The sweep page as a new visitor sees it: temperature from 0 to 1, each value alone, four times."""
    return new_page().switch_page("sweep.py").run()


@pytest.fixture
def small(lanes: Lanes) -> AppTest:
    """The base and two temperatures, once each and in their order."""
    return opened()


def opened(*axes: tuple[str, str], **parts: Any) -> AppTest:
    """The page opened by the address of a set-up: that of ``small`` with these axes and changes."""
    fields = tuple(TypedAxis(field=field, text=text) for field, text in axes or [("temperature", "0, 1")])
    setup = Setup(axes=fields, **{"repeats": 1, "shuffled": False, **parts})
    page = new_page()
    page.query_params["plan"] = kept(uuid.uuid4().hex, setup)
    return page.switch_page("sweep.py").run()


def kept(plan_id: str, setup: Setup) -> str:
    """Store a set-up in the log; return its id."""
    text = setup.model_dump_json()
    save_draft(service().log, plan_id, text)
    wait_for(lambda: find_draft(service().log.database, plan_id) == text)
    return plan_id


def key_of(page: AppTest, part: str, axis: int = 1) -> str:
    """The key of an axis's widget, which changes when axes are removed."""
    first = next(area.key for area in page.text_area if area.key and area.key.startswith("axis_text_0_"))
    return first.replace("text_0", f"{part}_{axis - 1}")


def an_axis(page: AppTest, axis: int, field: str, text: str) -> AppTest:
    page.selectbox(key=key_of(page, "field", axis)).set_value(field)
    return page.text_area(key=key_of(page, "text", axis)).set_value(text).run()


def number(page: AppTest, part: str, value: int) -> AppTest:
    return page.number_input(key=key_of(page, part)).set_value(value).run()


def a_kind(page: AppTest, kind: PlanKind) -> AppTest:
    return page.selectbox(key=key_of(page, "kind")).set_value(kind).run()


def typed(page: AppTest) -> list[tuple[str, str]]:
    """The axes as their widgets show them."""
    count = len(page.session_state[keys.SWEEP_SETUP].axes)
    return [
        (page.selectbox(key=key_of(page, "field", axis)).value, page.text_area(key=key_of(page, "text", axis)).value)
        for axis in range(1, count + 1)
    ]


def plan_rows(page: AppTest) -> list[dict[str, str]]:
    assert not page.exception
    return page.data_editor[0].value.to_dict("records")


def edit(page: AppTest, **edits: Any) -> AppTest:
    """The page after edits of the table of the plan."""
    whole = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}
    page.session_state[page.data_editor[0].key] = whole
    return page.run()


def cannot_run(page: AppTest) -> bool:
    return page.button(key="run_sweep").disabled


def experiment(page: AppTest) -> Experiment:
    return service().experiments.find(page.session_state[state.SWEEP])


def until_ended(page: AppTest) -> AppTest:
    wait_for(lambda: not experiment(page).active)
    return page.run()


def run_sweep(page: AppTest) -> AppTest:
    """Press Run and wait until every cell has ended."""
    return until_ended(press(page, "run_sweep"))


def run_held_back(page: AppTest, lanes: Lanes, chat: Chat) -> AppTest:
    """Press Run; the first answer stays incomplete until ``lanes.go_on`` is set."""
    lanes.go_on.clear()
    page.number_input(key="max_tokens").set_value(1)
    press(page, "run_sweep")
    wait_for(lambda: chat.bodies)
    return page.run()


def cells(page: AppTest) -> list[tuple[str, int, str, str]]:
    """Row, repeat, status and answer of each cell as the page shows them."""
    assert not page.exception
    (table,) = [found.value for found in page.dataframe if found.editing_mode == "read_only"]
    return list(table[["row", "repeat", "status", "answer"]].itertuples(index=False, name=None))


def progress(page: AppTest) -> str:
    (shown,) = page.get("progress")
    return shown.proto.text


def findings(page: AppTest) -> AppTest:
    page.session_state["sweep_tabs"] = "Results"
    return page.run()


def in_the_log(page: AppTest) -> list[RunRecord]:
    return runs_of(service().log.database, page.session_state[state.SWEEP])


def reloaded(page: AppTest, *parameters: str) -> AppTest:
    """Another session opened with this page's address."""
    setup, database = page.session_state[keys.SWEEP_SETUP], service().log.database
    if setup != Setup():
        wait_for(lambda: find_draft(database, page.session_state[keys.PLAN_PARAMETER]) == setup.model_dump_json())
    if state.SWEEP in page.session_state:
        wait_for(lambda: find_experiment(database, page.session_state[state.SWEEP]))
    other = new_page()
    for name in parameters or ("draft", "plan", "sweep"):
        if name in page.query_params:
            other.query_params[name] = page.query_params[name]
    return other.switch_page("sweep.py").run()


def hide_table(tmp_path: Path, name: str) -> None:
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute(f"alter table {name} rename to hidden")


def temperatures(chat: Chat) -> list[float | None]:
    """The requested temperatures in order of arrival; None if omitted."""
    return [body.get("temperature") for body in chat.bodies]


def test_the_page_opens_with_a_runnable_plan(sweep: AppTest, chat: Chat) -> None:
    assert [row["temperature"] for row in plan_rows(sweep)] == ["base", "0", "0.25", "0.5", "0.75", "1"]
    assert "24 requests" in texts(sweep)
    assert not cannot_run(sweep)
    assert not sweep.get("progress")
    assert chat.bodies == []


def test_each_row_is_sent_once_per_repeat_and_changes_only_its_field(sweep: AppTest, chat: Chat) -> None:
    an_axis(sweep, 1, "temperature", "0, 1")
    number(sweep, "repeats", 2)
    run_sweep(sweep)
    assert Counter(temperatures(chat)) == {None: 2, 0.0: 2, 1.0: 2}
    without = [{key: value for key, value in body.items() if key != "temperature"} for body in chat.bodies]
    assert without == [
        {"model": "alpha", "messages": [{"role": "user", "content": prompt(sweep)}], "stream": True}
    ] * len(without)
    assert cells(sweep) == [
        (row, repeat, "ok", answer)
        for row, answer in [
            ("base", "Hello plain world"),
            ("temperature 0", "Hello cold world"),
            ("temperature 1", "Hello hot world"),
        ]
        for repeat in (1, 2)
    ]
    assert progress(sweep) == "6 of 6 runs ended"


@pytest.mark.parametrize(("at_once", "timing"), [(1, "interleaved"), (3, "parallel")])
def test_each_run_has_its_placement_and_concurrency(lanes: Lanes, at_once: int, timing: str) -> None:
    runs = in_the_log(run_sweep(opened(at_once=at_once)))
    assert {(run.timing, run.concurrency) for run in runs} == {(timing, at_once)}
    assert sorted((run.lane, run.position, run.repeat) for run in runs) == [
        ("row 1", 0, 1),
        ("row 2", 1, 1),
        ("row 3", 2, 1),
    ]


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("temperature", "warm", "warm is invalid for temperature, which takes numbers such as 0.5, null or omitted."),
        ("model", "", "model has no values yet. Add at least one: it takes the name of a model."),
        ("messages", "Hi", "messages cannot be swept as a whole. Sweep a variable in them, such as {{topic}}."),
    ],
)
def test_an_invalid_axis_shows_one_reason_and_nothing_runs(lanes: Lanes, field: str, text: str, sentence: str) -> None:
    page = opened((field, text))
    assert texts(page).count(plain_words(sentence)) == 1
    assert not page.error
    assert cannot_run(page)
    assert "0 requests" in texts(page)


def test_a_second_axis_of_the_same_field_is_reported_and_nothing_runs(small: AppTest) -> None:
    an_axis(press(small, "add_axis"), 2, "temperature", "0.5")
    assert "temperature already has an axis." in texts(small)
    assert cannot_run(small)


def test_axes_of_different_lengths_cannot_be_zipped_and_nothing_runs(lanes: Lanes) -> None:
    page = opened(("temperature", "0, 1"), ("random_seed", "seeds 3"), kind=PlanKind.ZIP)
    (error,) = page.error
    assert error.value == plain_words(
        "A zip needs equally many values on each axis, but there are temperature 2, random_seed 3."
    )
    assert cannot_run(page)


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        (PlanKind.ONE_AT_A_TIME, [(None, None), (0.0, None), (1.0, None), (None, 7), (None, 8)]),
        (PlanKind.ZIP, [(0.0, 7), (1.0, 8)]),
        (PlanKind.PRODUCT, [(0.0, 7), (0.0, 8), (1.0, 7), (1.0, 8)]),
    ],
)
def test_the_kind_of_plan_decides_how_values_are_combined(
    lanes: Lanes, chat: Chat, kind: PlanKind, pairs: list[tuple[float | None, int | None]]
) -> None:
    run_sweep(opened(("temperature", "0, 1"), ("random_seed", "7, 8"), kind=kind))
    assert [(body.get("temperature"), body.get("random_seed")) for body in chat.bodies] == pairs


def test_an_unknown_field_is_swept_as_a_key_of_the_body(lanes: Lanes, chat: Chat) -> None:
    run_sweep(opened(("top_k", "5, omitted")))
    assert [body.get("top_k") for body in chat.bodies] == [None, 5, None]


def test_an_edited_table_is_run(small: AppTest, chat: Chat) -> None:
    edit(
        small,
        edited_rows={1: {"temperature": "0.3"}},
        added_rows=[{"temperature": "0.9"}, {"temperature": "0.3"}],
        deleted_rows=[2],
    )
    assert "3 requests" in texts(small)
    run_sweep(small)
    assert temperatures(chat) == [None, 0.3, 0.9]
    assert [row for row, *_ in cells(small)] == ["base", "temperature 0.3", "temperature 0.9"]


def test_an_invalid_value_in_the_table_is_named_with_its_row_and_nothing_runs(small: AppTest) -> None:
    edit(small, edited_rows={1: {"temperature": "warm"}})
    (error,) = small.error
    assert error.value.startswith(plain_words("Row 2, temperature: warm is invalid for temperature"))
    assert cannot_run(small)


def test_a_list_is_written_row_by_row_and_needs_no_axis_values(lanes: Lanes, chat: Chat) -> None:
    page = opened(("temperature", ""), ("max_tokens", ""), kind=PlanKind.LIST)
    assert "has no values yet" not in texts(page)
    assert plan_rows(page) == [{"temperature": "base", "max_tokens": "base"}]
    run_sweep(edit(page, added_rows=[{"temperature": "0.2", "max_tokens": "9"}, {"max_tokens": "8"}]))
    assert [(body.get("temperature"), body.get("max_tokens")) for body in chat.bodies] == [
        (None, None),
        (0.2, 9),
        (None, 8),
    ]


def test_a_row_that_may_be_refused_is_named_and_needs_send_anyway(lanes: Lanes, chat: Chat) -> None:
    page = opened(("temperature", "0, 9"))
    assert "Row 3: temperature must be at most 1; 9 is more." in texts(page)
    assert "2 requests" in texts(page)
    run_sweep(page)
    assert temperatures(chat) == [None, 0.0]
    assert plain_words("Not sent: row 3. temperature must be") in texts(page)
    assert not [button for button in page.button if button.key == "run_missing"]
    page.checkbox(key="send_anyway").set_value(True).run()
    assert "Not sent" not in texts(page)
    until_ended(press(page, "run_missing"))
    assert temperatures(chat) == [None, 0.0, 9.0]
    assert progress(page) == "3 of 3 runs ended"


def test_rows_with_the_same_problem_are_limited_on_the_page(lanes: Lanes, chat: Chat) -> None:
    page = opened(("temperature", "2..9"))
    assert texts(page).count(":material/warning:") == 5
    assert "And 3 more reasons." in texts(page)
    run_sweep(page)
    assert temperatures(chat) == [None]


def test_a_pause_finishes_active_runs_and_resume_continues(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_held_back(small, lanes, chat)
    press(small, "pause_sweep")
    lanes.go_on.set()
    wait_for(lambda: progress(small.run()).startswith("1 of 3 runs ended"))
    assert progress(small).endswith("(paused)")
    assert experiment(small).active
    assert len(chat.bodies) == 1
    press(small, "resume_sweep")
    until_ended(small)
    assert temperatures(chat) == [None, 0.0, 1.0]
    assert progress(small) == "3 of 3 runs ended"


def test_a_stop_ends_the_sweep_and_the_missing_cells_are_run_later(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_held_back(small, lanes, chat)
    press(small, "pause_sweep")
    press(small, "stop_sweep")
    until_ended(small)
    assert cells(small) == [("base", 1, "cancelled", "Hello")]
    assert progress(small) == "1 of 3 runs ended, 1 failed"
    assert small.button(key="run_missing").label == "Run the missing 3"
    lanes.go_on.set()
    until_ended(press(small, "run_missing"))
    assert temperatures(chat) == [None, None, 0.0, 1.0]
    assert [status for _, _, status, _ in cells(small)] == ["ok"] * 3
    assert "run_missing" not in [button.key for button in small.button]


def test_missing_cells_are_run_once_for_repeated_clicks(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_held_back(small, lanes, chat)
    press(small, "stop_sweep")
    until_ended(small)
    other = reloaded(small)
    press(small, "run_missing")
    wait_for(lambda: len(chat.bodies) == 2)
    press(other, "run_missing")
    lanes.go_on.set()
    until_ended(small)
    assert temperatures(chat) == [None, None, 0.0, 1.0]


def test_a_second_click_on_run_starts_no_second_sweep(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_held_back(small, lanes, chat)
    first = small.session_state[state.SWEEP]
    press(small, "run_sweep")
    assert small.session_state[state.SWEEP] == first
    lanes.go_on.set()
    until_ended(small)
    assert len(chat.bodies) == 3
    run_sweep(small)
    assert small.session_state[state.SWEEP] != first
    assert len(chat.bodies) == 6


def test_another_sweep_can_start_during_an_active_one(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    run_held_back(small, lanes, chat)
    first = experiment(small)
    an_axis(small, 1, "temperature", "0.5")
    press(small, "run_sweep")
    assert first.active
    lanes.go_on.set()
    until_ended(small)
    wait_for(lambda: not first.active)
    assert len(cells(small)) == 2
    assert sorted(body.get("temperature") or 0.0 for body in chat.bodies) == [0.0, 0.0, 0.0, 0.5, 1.0]


def test_a_failed_cell_shows_the_reason_and_affects_no_other(lanes: Lanes) -> None:
    page = run_sweep(opened(("random_seed", "1, 429, 2")))
    assert [status for _, _, status, _ in cells(page)] == ["ok", "ok", "error", "ok"]
    why = page.dataframe[-1].value["why"].tolist()
    assert "slow down" in why[2]
    assert pandas.isna([why[0], why[1], why[3]]).all()
    assert progress(page) == "4 of 4 runs ended, 1 failed"
    assert page.button(key="run_missing").label == "Run the missing 1"


def test_a_reload_shows_the_set_up_and_cells_of_an_active_sweep(small: AppTest, lanes: Lanes, chat: Chat) -> None:
    small.text_area(key="message_1").set_value("A question of its own").run()
    run_held_back(small, lanes, chat)
    other = reloaded(small)
    assert prompt(other) == "A question of its own"
    assert typed(other) == [("temperature", "0, 1")]
    assert [status for _, _, status, _ in cells(other)] == ["running"]
    press(other, "pause_sweep")
    assert experiment(small).paused
    press(other, "resume_sweep")
    lanes.go_on.set()
    until_ended(other)
    assert [answer for *_, answer in cells(other)] == ["Hello plain world", "Hello cold world", "Hello hot world"]


def test_typed_text_survives_repeated_reloads(sweep: AppTest) -> None:
    an_axis(sweep, 1, "top_p", "0.1, 0.9")
    an_axis(press(sweep, "add_axis"), 2, "model", "alpha\nbeta")
    a_kind(sweep, PlanKind.PRODUCT)
    number(sweep, "repeats", 7)
    number(sweep, "at_once", 2)
    sweep.toggle(key=key_of(sweep, "shuffled")).set_value(False).run()
    kept = Setup(
        axes=(TypedAxis(field="top_p", text="0.1, 0.9"), TypedAxis(field="model", text="alpha\nbeta")),
        kind=PlanKind.PRODUCT,
        repeats=7,
        at_once=2,
        shuffled=False,
    )
    first = reloaded(sweep)
    second = reloaded(first)
    for page in (sweep, first, second):
        assert page.session_state[keys.SWEEP_SETUP] == kept
        assert typed(page) == [("top_p", "0.1, 0.9"), ("model", "alpha\nbeta")]
        assert plan_rows(page) == [{"top_p 0.1": True, "top_p 0.9": True}] * 2
        assert page.number_input(key=key_of(page, "repeats")).value == 7
        assert page.number_input(key=key_of(page, "at_once")).value == 2
        assert page.toggle(key=key_of(page, "shuffled")).value is False
    # A cell without a tick is not run, nor after a reload.
    edit(second, edited_rows={1: {"top_p 0.9": False}})
    for page in (second, reloaded(second)):
        assert len(page.session_state[keys.SWEEP_SETUP].rows) == 3
    assert plan_rows(page) == [{"top_p 0.1": True, "top_p 0.9": True}, {"top_p 0.1": True, "top_p 0.9": False}]


def test_two_tabs_of_one_address_have_separate_setups(small: AppTest) -> None:
    other = reloaded(small)
    an_axis(other, 1, "temperature", "0.5")
    assert typed(reloaded(small)) == [("temperature", "0, 1")]
    assert typed(reloaded(other)) == [("temperature", "0.5")]


def test_two_tabs_of_one_address_have_separate_drafts(small: AppTest) -> None:
    small.text_area(key="message_1").set_value("Typed first").run()
    wait_for(lambda: prompt(reloaded(small)) == "Typed first")
    other = reloaded(small)
    other.text_area(key="message_1").set_value("Typed there").run()
    small.text_area(key="message_1").set_value("Typed here").run()
    assert (prompt(reloaded(small)), prompt(reloaded(other))) == ("Typed here", "Typed there")


def test_typed_text_survives_a_change_of_page(small: AppTest) -> None:
    run_sweep(small)
    small.switch_page("runs.py").run()
    small.switch_page("sweep.py").run()
    assert typed(small) == [("temperature", "0, 1")]
    assert len(cells(small)) == 3


def test_a_link_to_a_sweep_opens_it_with_its_set_up(small: AppTest) -> None:
    small.text_area(key="message_1").set_value("A question of its own").run()
    run_sweep(small)
    linked = reloaded(small, "sweep")
    assert prompt(linked) == "A question of its own"
    assert typed(linked) == [("temperature", "0, 1")]
    assert len(cells(linked)) == 3


def test_added_and_removed_axes_keep_their_typed_values(small: AppTest) -> None:
    assert small.button(key=key_of(small, "delete_axis")).disabled
    an_axis(press(small, "add_axis"), 2, "max_tokens", "5")
    press(small, "add_axis")
    assert [field for field, _ in typed(small)] == ["temperature", "max_tokens", "top_p"]
    press(small, key_of(small, "delete_axis", 1))
    assert typed(small) == [("max_tokens", "5"), ("top_p", "")]
    press(small, key_of(small, "delete_axis", 2))
    assert plan_rows(small) == [{"max_tokens": "base"}, {"max_tokens": "5"}]


def test_text_typed_while_axes_change_is_not_lost(small: AppTest) -> None:
    an_axis(press(small, "add_axis"), 2, "max_tokens", "5")
    small.text_area(key=key_of(small, "text", 2)).set_value("6")
    number_of_repeats = small.number_input(key=key_of(small, "repeats")).set_value(3)
    press(small, key_of(small, "delete_axis", 1))
    assert typed(small) == [("max_tokens", "6")]
    assert number_of_repeats.value == small.number_input(key=key_of(small, "repeats")).value == 3
    small.text_area(key=key_of(small, "text", 1)).set_value("7")
    press(small, "add_axis")
    assert typed(small)[0] == ("max_tokens", "7")


def test_two_clicks_at_once_leave_one_axis(small: AppTest) -> None:
    press(small, "add_axis")
    small.button(key=key_of(small, "delete_axis", 1)).click()
    press(small, key_of(small, "delete_axis", 2))
    assert len(typed(small)) == 1


def test_a_missing_sweep_is_reported(lanes: Lanes) -> None:
    page = new_page()
    page.query_params["sweep"] = "f" * 32
    page.switch_page("sweep.py").run()
    assert not page.exception
    assert [info.value for info in page.info] == ["This sweep is not in the log."]
    assert not cannot_run(page)


def test_an_invalid_address_shows_no_sweep_and_is_removed(lanes: Lanes) -> None:
    page = new_page()
    page.query_params["sweep"] = "../<b>no id"
    page.query_params["plan"] = "' or 1=1"
    page.switch_page("sweep.py").run()
    assert not page.exception
    assert not page.info
    assert "sweep" not in page.query_params
    run_sweep(number(page, "repeats", 1))
    assert len(cells(page)) == 6


def test_a_comparison_is_not_opened_as_a_sweep(small: AppTest, tmp_path: Path) -> None:
    run_sweep(small)
    wait_for(lambda: find_experiment(service().log.database, small.session_state[state.SWEEP]))
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute("update experiments set kind = 'comparison'")
    assert [info.value for info in reloaded(small).info] == ["This sweep is not in the log."]


def test_a_sweep_of_a_later_version_is_not_opened(small: AppTest, tmp_path: Path) -> None:
    run_sweep(small)
    wait_for(lambda: find_experiment(service().log.database, small.session_state[state.SWEEP]))
    for content in ('{"setup": {"kind": "spiral"}}', "{}", '{"draft": 5, "setup": [], "rows": {}}'):
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
            connection.execute("update experiments set content = ?", [content])
        other = reloaded(small, "sweep")
        assert not other.exception, content
        assert [info.value for info in other.info] == ["This sweep is not in the log."], content


def test_four_repeats_show_the_effect_of_an_axis(lanes: Lanes) -> None:
    page = run_sweep(opened(("temperature", "0.5, 1"), repeats=4))
    shown = texts(findings(page))
    assert plain_words("temperature changes length by more than the base's own variation at 1 (k = 4).") in shown
    assert page.get("vega_lite_chart")
    page.selectbox(key="sweep_measure").set_value("similarity to the base").run()
    assert "temperature changes similarity to the base" in texts(page)


def test_an_axis_without_an_effect_is_stated(lanes: Lanes) -> None:
    page = run_sweep(opened(("temperature", "0.4, 0.5"), repeats=4))
    assert "temperature does not change length" in texts(findings(page))


def test_too_few_repeats_are_reported(small: AppTest) -> None:
    run_sweep(small)
    assert "4 repeats of each are needed." in texts(findings(small))


def test_a_plan_without_a_base_row_has_no_findings(lanes: Lanes) -> None:
    shown = texts(findings(run_sweep(opened(kind=PlanKind.PRODUCT))))
    assert "The plan has no base row" in shown
    assert "repeats are needed" not in shown


@pytest.mark.parametrize("table", ["experiments", "runs"])
def test_an_unreadable_log_is_reported_and_no_cell_is_called_missing(
    small: AppTest, chat: Chat, tmp_path: Path, table: str
) -> None:
    run_sweep(small)
    reloaded(small)
    hide_table(tmp_path, table)
    other = reloaded(small) if table == "runs" else new_page()
    other.query_params["sweep"] = small.session_state[state.SWEEP]
    other.switch_page("sweep.py").run()
    assert not other.exception
    assert [error.value.startswith("The log cannot be read") for error in other.error] == [True]
    assert not other.info
    assert "run_missing" not in [button.key for button in other.button]
    assert len(chat.bodies) == 3


def test_a_sweep_can_be_stopped_with_an_unreadable_log(
    small: AppTest, lanes: Lanes, chat: Chat, tmp_path: Path
) -> None:
    run_held_back(small, lanes, chat)
    hide_table(tmp_path, "runs")
    press(small.run(), "stop_sweep")
    wait_for(lambda: not experiment(small).active)
    assert len(chat.bodies) == 1


def test_markup_in_an_answer_is_text(small: AppTest, lanes: Lanes) -> None:
    lanes.answers[0.0] = "![x](http://127.0.0.1/x.png) <b>bold"
    run_sweep(small)
    assert cells(small)[1][3] == "![x](http://127.0.0.1/x.png) <b>bold"
    assert "127.0.0.1/x.png" not in texts(small)


def test_a_run_links_to_its_sweep_which_opens_with_its_settings(small: AppTest, chat: Chat) -> None:
    small.text_area(key="message_1").set_value("A question of the sweep").run()
    run_sweep(small)
    sweep_id = small.session_state[state.SWEEP]
    runs_page = new_page()
    with service().log.database.reader.begin() as connection:
        runs_page.query_params["run"] = connection.exec_driver_sql("select id from runs limit 1").scalar()
    runs_page.switch_page("runs.py").run()
    labels = [link.proto.label for link in runs_page.get("page_link")]
    assert "Open its sweep" in labels
    assert "Open its comparison" not in labels
    other = opened()
    run_sweep(other)
    assert other.session_state[state.SWEEP] != sweep_id
    other.query_params["open"] = sweep_id
    other.run()
    assert other.session_state[state.SWEEP] == sweep_id
    assert other.text_area[0].value == "A question of the sweep"


TOPICS = "topic,lang\nthe sea,en\nthe moon,en\nein Baum,de\n"


def ask(page: AppTest, text: str) -> AppTest:
    return page.text_area[0].set_value(text).run()


def pasted(page: AppTest, text: str) -> AppTest:
    return page.text_area(key=keys.DATA_TEXT).set_value(text).run()


def asked_of(chat: Chat) -> list[str]:
    return [body["messages"][-1]["content"] for body in chat.bodies]


def test_each_row_of_a_data_set_is_combined_with_each_row_of_the_plan(small: AppTest, chat: Chat) -> None:
    ask(small, "Say {{topic}} in {{lang}}")
    assert "set a value for" in texts(small)
    page = pasted(small, TOPICS)
    assert "set a value for" not in texts(page)
    assert "9 requests" in texts(page)
    press(page, keys.SWEEP_RUN).run()
    sweep_id = page.session_state[state.SWEEP]
    wait_for(lambda: len(chat.bodies) == 9 and not service().experiments.find(sweep_id).active)
    assert Counter(asked_of(chat)) == {"Say the sea in en": 3, "Say the moon in en": 3, "Say ein Baum in de": 3}
    records = runs_of(service().log.database, sweep_id)
    assert sorted(run.position for run in records) == list(range(9))
    assert {run.lane for run in records if run.position == 5} == {"row 2 input 3"}


def test_a_data_set_survives_a_reload_and_can_be_sampled(small: AppTest) -> None:
    ask(small, "Say {{topic}}")
    page = pasted(small, TOPICS)
    page.number_input(key="sample_rows").set_value(2).run()
    assert "6 requests" in texts(page)
    again = reloaded(page)
    assert again.session_state[keys.SWEEP_SETUP].sample_rows == 2
    assert again.session_state[keys.SWEEP_SETUP].data == TOPICS
    page.button(key="drop_data").click().run()
    assert page.session_state[keys.SWEEP_SETUP].data == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("topic,lang\nthe sea\n", "Line 2 of the data set has 1 column, and its first line names 2."),
        ("subject\nthe sea\n", "The prompt has {{topic}}, and the data set has only subject."),
        ("topic,number\nthe sea,1\n,2\n", "Row 2 of the data set has no value for {{topic}}."),
        ("topic,temperature\n", "The data set has no rows."),
    ],
)
def test_an_unusable_data_set_shows_the_reason_and_nothing_is_run(small: AppTest, text: str, why: str) -> None:
    ask(small, "Say {{topic}}")
    page = pasted(small, text)
    assert plain_words(why) in " ".join(error.value for error in page.error)
    assert page.button(key=keys.SWEEP_RUN).disabled


def test_a_column_that_is_also_an_axis_is_reported(lanes: Lanes) -> None:
    page = opened(("{{topic}}", "the sea\nthe moon"))
    ask(page, "Say {{topic}}")
    page = pasted(page, TOPICS)
    assert plain_words("{{topic}} has an axis, too.") in " ".join(error.value for error in page.error)


def test_an_edited_plan_survives_a_reload(small: AppTest) -> None:
    page = edit(small, edited_rows={2: {"temperature": "0.5"}}, added_rows=[{"temperature": "0.25"}])
    rows = [{}, {"temperature": "0"}, {"temperature": "0.5"}, {"temperature": "0.25"}]
    assert list(page.session_state[keys.SWEEP_SETUP].rows) == rows
    again = reloaded(page)
    assert "4 requests" in texts(again)
    again.button(key="reset_plan").click().run()
    assert "3 requests" in texts(again)
    assert again.session_state[keys.SWEEP_SETUP].rows is None


def test_edits_of_a_plan_can_be_restored_after_its_axes_change(small: AppTest) -> None:
    edit(small, edited_rows={2: {"temperature": "0.5"}})
    page = an_axis(small, 1, "temperature", "0, 0.1, 0.2")
    assert "4 requests" in texts(page)
    page.button(key="edited_back").click().run()
    assert page.session_state[keys.SWEEP_SETUP].kind is PlanKind.LIST
    assert list(page.session_state[keys.SWEEP_SETUP].rows) == [{}, {"temperature": "0"}, {"temperature": "0.5"}]
    assert "3 requests" in texts(page)


def test_many_requests_need_a_confirmation(small: AppTest, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_SWEEP_CONFIRM_REQUESTS", "3")
    page = press(small, keys.SWEEP_RUN).run()
    assert "This is 3 requests." in [warning.value for warning in page.warning]
    page.button(key="refuse_sweep").click().run()
    assert not page.warning
    assert chat.bodies == []
    press(page, keys.SWEEP_RUN).run()
    page.button(key="confirm_sweep").click().run()
    wait_for(lambda: len(chat.bodies) == 3)
    assert not page.warning


def test_the_price_is_estimated_from_earlier_runs(small: AppTest, lanes: Lanes) -> None:
    assert "expected" not in texts(small.run())
    page = press(small, keys.SWEEP_RUN).run()
    until_ended(page)
    endpoint, model = page.selectbox(key="endpoint").value, page.selectbox(key="model").value
    # The log is written a little later.
    wait_for(lambda: recent_measures(service().log.database, endpoint, model, 1))
    streamlit.cache_data.clear()
    assert " expected · about " in texts(page.run())


def test_an_earlier_sweep_opens_with_its_plan(small: AppTest, chat: Chat) -> None:
    page = press(small, keys.SWEEP_RUN).run()
    sweep_id = page.session_state[state.SWEEP]
    wait_for(lambda: find_experiment(service().log.database, sweep_id))
    other = opened(("top_p", "0.5"))
    other.session_state[EARLIER] = True
    other.run()
    other.button(key=f"earlier_{sweep_id}").click().run()
    assert other.button(key="fold_setup").label == "Edit set-up"
    assert not other.exception
    assert other.session_state[state.SWEEP] == sweep_id
    assert typed(other) == [("temperature", "0, 1")]


def test_edits_can_be_restored_when_their_field_is_no_longer_swept(small: AppTest) -> None:
    edit(small, edited_rows={2: {"temperature": "0.5"}})
    page = an_axis(small, 1, "top_p", "0.1")
    assert plan_rows(page) == [{"top_p": "base"}, {"top_p": "0.1"}]
    page.button(key="edited_back").click().run()
    assert list(page.session_state[keys.SWEEP_SETUP].rows) == [{}, {"temperature": "0"}, {"temperature": "0.5"}]
    assert [field for field, _ in typed(page)] == ["top_p", "temperature"]


def test_edits_can_be_restored_after_an_axis_is_deleted(lanes: Lanes) -> None:
    page = opened(("temperature", "0"), ("top_p", "0.1"))
    edit(page, edited_rows={2: {"top_p": "0.2"}})
    press(page, key_of(page, "delete_axis", 2))
    assert plan_rows(page) == [{"temperature": "base"}, {"temperature": "0"}]
    page.button(key="edited_back").click().run()
    assert list(page.session_state[keys.SWEEP_SETUP].rows) == [{}, {"temperature": "0"}, {"top_p": "0.2"}]


def test_a_list_loses_no_value_silently_when_an_axis_gets_another_field(lanes: Lanes) -> None:
    page = opened(("temperature", ""), kind=PlanKind.LIST)
    edit(page, added_rows=[{"temperature": "0.2"}])
    an_axis(page, 1, "top_p", "")
    page.button(key="edited_back").click().run()
    assert list(page.session_state[keys.SWEEP_SETUP].rows) == [{}, {"temperature": "0.2"}]


def test_objections_use_the_row_numbers_of_the_table(small: AppTest) -> None:
    page = edit(small, added_rows=[{"temperature": "0"}, {"temperature": ""}, {"temperature": "9"}])
    assert "Row 6: temperature must be at most 1; 9 is more." in texts(page)


def test_inputs_longer_in_their_stored_form_are_all_used(lanes: Lanes) -> None:
    name = "a_topic_" * 8
    data = as_json_lines({name: f"topic {number} {'x' * 2_000}"} for number in range(500))
    assert len(data) > MAX_CHARACTERS
    page = ask(opened(data=data), f"Say {{{{{name}}}}}")
    assert not page.error
    assert "1,500 requests" in texts(page)
