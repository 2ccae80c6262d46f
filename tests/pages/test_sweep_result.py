"""The results of a sweep: groups, differences, repeated and compared cells, charts."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas
import streamlit
from streamlit.testing.v1 import AppTest

from components.drafts.comparison import Lane
from components.experiments.store import find_experiment
from components.experiments.stored_sweep import read_sweep
from components.experiments.sweep_plan import PlanKind
from components.experiments.sweep_results import records_by_row
from components.server.process import service
from components.ui import state
from components.ui.sweep import downloads, keys
from tests.pages.conftest import Chat, texts
from tests.pages.test_compare import Lanes, lanes, press
from tests.pages.test_sweep import experiment, findings, in_the_log, number, opened
from tests.waiting import wait_for

__all__ = ["lanes"]


def ended(*axes: tuple[str, str], **parts: Any) -> AppTest:
    """The page of a sweep that has ended."""
    page = press(opened(*axes, **parts), keys.SWEEP_RUN).run()
    wait_for(lambda: not experiment(page).active)
    return page.run()


def table(page: AppTest) -> pandas.DataFrame:
    assert not page.exception
    return next(found.value for found in page.dataframe if found.editing_mode == "read_only")


def choose(page: AppTest, *rows: int) -> AppTest:
    page.session_state[keys.SWEEP_GRID] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return page.run()


def test_cells_are_grouped_by_an_axis(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"), repeats=2)
    page.selectbox(key=keys.SWEEP_GROUP).set_value("temperature").run()
    found = table(page)
    assert found[["temperature", "cells", "well", "finish reasons"]].to_numpy().tolist() == [
        ["base", 2, 2, "stop 2"],
        ["0", 2, 2, "stop 2"],
        ["1", 2, 2, "stop 2"],
    ]


def test_groups_have_a_goodput_if_a_limit_is_set(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"), repeats=2)
    page.selectbox(key=keys.SWEEP_GROUP).set_value("temperature").run()
    assert "goodput" not in table(page)
    assert "Closed loop" in texts(page)
    page.number_input(key=keys.SWEEP_TTFT_LIMIT).set_value(0.0).run()
    assert table(page)["goodput"].tolist() == [0.0, 0.0, 0.0]


def test_equal_answers_are_grouped_and_differences_filtered(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"), repeats=2)
    whole = table(page)
    assert len(whole) == 6
    page.toggle(key=keys.SWEEP_ONCE).set_value(True).run()
    once = table(page)
    assert once["times"].sum() == 6
    page.toggle(key=keys.SWEEP_DIFFERENT).set_value(True).run()
    assert "at once" not in table(page)


def test_a_cell_that_failed_is_run_again_alone(lanes: Lanes) -> None:
    page = ended(("random_seed", "1, 429, 2"))
    assert table(page)["status"].tolist() == ["ok", "ok", "error", "ok"]
    chosen = choose(page, 2)
    assert "Run 1 again" in [button.label for button in chosen.button]
    press(chosen, "again_cells").run()
    wait_for(lambda: len(in_the_log(page)) == 5 and not experiment(page).active)
    assert sorted(run.position for run in in_the_log(page)) == [0, 1, 2, 2, 3]
    assert len(table(page.run())) == 4


def test_two_cells_are_compared_word_by_word_and_in_numbers(lanes: Lanes) -> None:
    page = choose(ended(("temperature", "0, 1")), 0, 2)
    assert "base · 1" in texts(page)
    assert "temperature 1 · 1" in texts(page)
    assert page.table


def test_two_cells_open_as_lanes_of_a_comparison(lanes: Lanes) -> None:
    page = choose(ended(("temperature", "0, 1")), 0, 2)
    page.button(key="compare_cells").click().run()
    assert not page.exception
    first, second = page.session_state["comparison"].lanes
    assert first == Lane(id=first.id)
    assert second.settings["temperature"].value == 1.0


def test_a_sweep_is_run_again_as_a_whole(lanes: Lanes, chat: Chat) -> None:
    page = ended(("temperature", "0, 1"))
    before = page.session_state[state.SWEEP]
    press(page, "run_again").run()
    assert page.session_state[state.SWEEP] != before
    wait_for(lambda: not experiment(page).active)
    assert [run.position for run in in_the_log(page)] == [0, 1, 2]


def test_logged_answers_are_reused_on_request(lanes: Lanes, chat: Chat) -> None:
    page = ended(("temperature", "0, 1"))
    streamlit.cache_data.clear()
    page.run()
    assert page.toggle(key=keys.SWEEP_REUSE).label == "Reuse 3 logged runs"
    number(page, "repeats", 2)
    page.toggle(key=keys.SWEEP_REUSE).set_value(True).run()
    assert "3 requests" in texts(page)
    press(page, keys.SWEEP_RUN).run()
    wait_for(lambda: not experiment(page).active)
    assert sorted((run.position, run.repeat) for run in in_the_log(page)) == [(0, 2), (1, 2), (2, 2)]
    found = table(page.run())
    assert found["repeat"].tolist() == [1, 2, 1, 2, 1, 2]
    assert found["TTFT ms"].isna().tolist() == [True, False] * 3
    assert len(chat.bodies) == 6
    assert "Run the missing" not in " ".join(button.label for button in page.button)


def test_an_automatic_pause_has_a_reason(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"))
    active = service().experiments.find(page.session_state[state.SWEEP])
    active.pause("Paused. The disk is full.")
    assert "Paused. The disk is full." in [warning.value for warning in page.run().warning]


def test_each_measure_has_its_chart_and_its_table(lanes: Lanes) -> None:
    page = findings(ended(("temperature", "0, 1"), repeats=2))
    for measure in ("length", "similarity to the base", "determinism", "finish reasons"):
        page.selectbox(key=keys.SWEEP_MEASURE).set_value(measure).run()
        assert not page.exception, measure
        assert page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart"), measure
        assert len(table(page)) == 3, measure


def test_two_axes_make_a_heat_map_with_the_spread_of_each_field(lanes: Lanes) -> None:
    page = findings(ended(("temperature", "0, 1"), ("top_p", "0.5, 1"), kind=PlanKind.PRODUCT, repeats=2))
    found = table(page)
    assert found[["temperature", "top_p", "count"]].to_numpy().tolist() == [
        ["0", "0.5", 2],
        ["0", "1", 2],
        ["1", "0.5", 2],
        ["1", "1", 2],
    ]
    page.selectbox(key=keys.SWEEP_DOWN).set_value("one axis").run()
    assert table(page)["count"].tolist() == [4, 4]


def test_two_axes_make_a_small_chart_for_each_value_of_one(lanes: Lanes) -> None:
    page = findings(ended(("temperature", "0, 1"), ("top_p", "0.5, 1"), kind=PlanKind.PRODUCT, repeats=2))
    page.selectbox(key=keys.SWEEP_CHART).set_value("small multiples").run()
    assert not page.exception
    (chart,) = page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")
    spec = json.loads(chart.proto.spec)
    assert spec["facet"]["field"] == "down"
    assert len(table(page)) == 4


def test_the_similarity_to_the_base_is_computed_once(lanes: Lanes) -> None:
    page = findings(ended(("temperature", "0, 1"), repeats=2))
    assert keys.SWEEP_SIMILARITIES not in page.session_state
    page.selectbox(key=keys.SWEEP_MEASURE).set_value("similarity to the base").run()
    found = table(page)
    assert found["median"].tolist()[0] == 1.0
    assert all(0 < value < 1 for value in found["median"][1:])
    assert len(page.session_state[keys.SWEEP_SIMILARITIES][1]) == 6
    assert not [bar for bar in page.get("progress") if bar.proto.text == "Comparing answers"]


def test_answers_are_in_the_long_file_and_not_in_the_session(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"))
    sweep_id = page.session_state[state.SWEEP]
    wait_for(lambda: find_experiment(service().log.database, sweep_id))
    kept = read_sweep(find_experiment(service().log.database, sweep_id))
    wait_for(lambda: all(run.status == "ok" for run in in_the_log(page)))
    results = page.run().session_state[keys.SWEEP_RESULTS][1].values()
    assert not [result for result in results if hasattr(result, "text")]
    content = downloads.long_file("long", kept, records_by_row(list(results), kept.positions)).decode()
    lines = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [line["answer"] for line in lines] == ["Hello plain world", "Hello cold world", "Hello hot world"]
    assert "digest" not in lines[0]


def test_a_sweep_can_be_downloaded_as_files(lanes: Lanes) -> None:
    page = ended(("temperature", "0, 1"))
    assert [button.proto.label for button in page.get("download_button")] == [
        "CSV (long)",
        "JSON Lines",
        "Parquet",
    ]
    assert "CSV (wide)" in [button.proto.label for button in findings(page).get("download_button")]
