from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit
from sqlalchemy import delete, insert, update
from streamlit.testing.v1 import AppTest

from components.experiments.file_reading import read_experiment_file
from components.experiments.prepared import prepared
from components.experiments.repeatable import run
from components.log.annotations import Annotation, annotate, annotation_of
from components.log.compaction import size_bytes
from components.log.owned import OwnLog
from components.log.query import find_run
from components.log.record import LOCAL
from components.log.tables import runs, to_row
from components.server.process import service
from components.ui.plain_words import plain_words
from components.ui.runs import keys
from tests.log.exports import export_runs
from tests.orders import order
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.pages.content import listed
from tests.streaming.endpoint import DONE, chunk, head
from tests.waiting import wait_for


def test_an_empty_log_shows_a_next_step_and_imports_runs(page: AppTest) -> None:
    page.session_state[keys.UPKEEP] = True
    page.switch_page("runs.py").run()
    assert page.info[0].value.startswith("No runs yet.")
    assert page.file_uploader(key=f"{keys.IMPORT_RUNS}_0")


def test_every_run_is_in_the_table_newest_first(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    page.text_area(key="message_1").set_value("Second").run()
    run_to_the_end(page)
    page.switch_page("runs.py")
    wait_for(lambda: listed(page.run())["status"].tolist() == ["ok", "ok"])
    table = listed(page)
    assert table["answer"].tolist() == ["Hello you"] * 2
    assert table["completion tokens"].tolist() == ["2", "2"]
    assert table["started"].is_monotonic_decreasing


def test_an_opened_run_shows_its_text_and_its_request_and_survives_a_reload(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    opened = new_page()
    opened.query_params["run"] = page.query_params["run"]
    opened.switch_page("runs.py")
    wait_for(lambda: "Hello you" in texts(opened.run()))
    opened.segmented_control(key=keys.DRAWER_PART).set_value("Request").run()
    assert '"model": "alpha"' in opened.code[0].value
    assert "Endpoint's message: served model **m**" in texts(opened)
    assert len(chat.bodies) == 1


def test_a_missing_run_is_reported(page: AppTest) -> None:
    page.query_params["run"] = "nothing"
    page.switch_page("runs.py").run()
    assert "This run is not in the log." in [info.value for info in page.info]


def test_an_unreadable_log_is_reported_and_the_page_still_works(page: AppTest, chat: Chat, tmp_path: Path) -> None:
    run_to_the_end(page)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute("alter table runs rename to hidden")
    page.switch_page("runs.py").run()
    assert not page.exception
    assert page.error[0].value.startswith("The log cannot be read")


@pytest.fixture
def three_runs(page: AppTest, chat: Chat) -> AppTest:
    """The Runs page with three runs: temperature 0.7, temperature omitted, and max_tokens null."""
    for draft in ({"temperature": 0.7}, {}, {"max_tokens": None}):
        body = {"model": "alpha", "messages": [{"role": "user", "content": f"Say {len(chat.bodies)}"}], **draft}
        content = json.dumps({**body, "stream": True}).encode()
        endpoint = service().configuration().endpoints["environment"]
        run = service().runner.start(order(endpoint, content, model="alpha"))
        run.written.result()
    page.switch_page("runs.py").run()
    return page


def prompts(page: AppTest) -> list[str]:
    assert not page.exception
    return listed(page)["prompt"].tolist()


def test_a_run_is_found_by_its_words_and_settings(three_runs: AppTest) -> None:
    page = three_runs
    assert prompts(page) == ["Say 2", "Say 1", "Say 0"]
    page.text_input(key=keys.FIND_SETTINGS).set_value("temperature omitted, max_tokens null").run()
    assert prompts(page) == ["Say 2"]
    page.button(key="clear_filters").click().run()
    page.text_input(key=keys.FIND).set_value('"say 1"').run()
    assert prompts(page) == ["Say 1"]
    page.text_input(key=keys.FIND).set_value("nowhere").run()
    assert [info.value for info in page.info] == ["No matching runs. Clear a filter."]


def test_an_unreadable_filter_shows_the_syntax_and_is_kept(three_runs: AppTest) -> None:
    page = three_runs
    page.text_input(key=keys.FIND_SETTINGS).set_value("temperature").run()
    assert "Write temperature 0.7" in page.error[0].value
    assert page.text_input(key=keys.FIND_SETTINGS).value == "temperature"
    assert not page.exception


def test_runs_are_sorted_by_a_number_and_columns_are_automatic_or_chosen(three_runs: AppTest) -> None:
    page = three_runs
    usual = list(listed(page))
    assert usual == [
        *("started", "status", "model", "settings", "prompt", "answer", "TTFT", "tokens/s", "completion tokens")
    ]
    by_speed = order_of(page, "TTFT")
    page.toggle(key=keys.LOWEST_FIRST).set_value(True).run()
    assert listed(page)["prompt"].tolist() == by_speed[::-1]
    assert list(listed(page))[:2] == ["started", "TTFT"]
    page.multiselect(key=keys.COLUMNS).set_value(["model", "answer"]).run()
    assert list(listed(page)) == ["model", "answer"]


def order_of(page: AppTest, number: str) -> list[str]:
    """The prompts when the list is sorted by that number."""
    page.selectbox(key=keys.ORDER).set_value(number).run()
    return prompts(page)


def test_pages_can_be_turned_and_a_new_filter_shows_the_first(three_runs: AppTest) -> None:
    page = three_runs
    record = find_run(service().log.database, page.session_state[keys.LISTED_RUNS][1])
    rows = [to_row(replace(record, id=f"{number:032x}")) for number in range(49)]
    service().log.write(lambda connection: connection.execute(insert(runs), rows))
    assert prompts(page.run()) == ["Say 2", *["Say 1"] * 49]
    page.button(key="next_page").click().run()
    assert prompts(page) == ["Say 1", "Say 0"]
    assert page.button(key="next_page").disabled
    page.button(key="page_before").click().run()
    assert prompts(page) == ["Say 2", *["Say 1"] * 49]
    page.button(key="next_page").click().run()
    page.text_input(key=keys.FIND).set_value("say").run()
    assert prompts(page) == ["Say 2", *["Say 1"] * 49]


def opened(page: AppTest, place: int) -> AppTest:
    page.session_state[keys.OPENED_RUN] = page.session_state[keys.LISTED_RUNS][place]
    return page.run()


def test_annotations_survive_concurrent_changes(three_runs: AppTest) -> None:
    page = opened(three_runs, 1)
    run_id = page.session_state[keys.OPENED_RUN]
    log = service().log
    # AppTest can choose neither stars nor new tags; the browser test does.
    annotate(log, run_id, Annotation(4, ("keep",), ""))
    page.segmented_control(key=keys.DRAWER_PART).set_value("Notes").run()
    page.text_area(key=f"notes_{run_id[:8]}").set_value("Odd.").run()
    assert annotation_of(log.database, run_id) == Annotation(4, ("keep",), "Odd.")
    annotate(log, run_id, Annotation(4, ("keep",), "Theirs."))
    page.run()
    assert annotation_of(log.database, run_id).notes == "Theirs."
    page.text_input(key=keys.FIND_TAG).set_value("keep").run()
    assert prompts(page) == ["Say 1"]


def test_a_deleted_run_can_be_restored(three_runs: AppTest) -> None:
    page = opened(three_runs, 0)
    page.button(key="remove_run").click().run()
    assert prompts(page) == ["Say 1", "Say 0"]
    assert "1 run deleted." in texts(page)
    page.button(key="bring_back").click().run()
    assert prompts(page) == ["Say 2", "Say 1", "Say 0"]
    assert "deleted" not in texts(page)
    assert "close_run" not in [button.key for button in page.button]


def test_selected_runs_are_deleted_and_restored_together(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.CHOSEN_RUNS] = page.session_state[keys.LISTED_RUNS][:2]
    page.run()
    page.button(key="remove_selection").click().run()
    assert prompts(page.run()) == ["Say 0"]
    assert "2 runs deleted." in texts(page)
    page.button(key="bring_back").click().run()
    assert prompts(page) == ["Say 2", "Say 1", "Say 0"]


def test_the_next_run_of_the_list_opens_and_the_drawer_closes(three_runs: AppTest) -> None:
    page = opened(three_runs, 0)
    assert page.button(key="run_above_previous").disabled
    page.button(key="run_below_next").click().run()
    assert page.session_state[keys.OPENED_RUN] == page.session_state[keys.LISTED_RUNS][1]
    page.button(key="close_run").click().run()
    assert keys.OPENED_RUN not in page.session_state
    assert "run" not in page.query_params


def test_a_run_is_sent_again_byte_for_byte(three_runs: AppTest, chat: Chat) -> None:
    page = opened(three_runs, 0)
    page.button(key="run_again").click().run()
    wait_for(lambda: len(chat.bodies) == 4)
    assert chat.bodies[3] == chat.bodies[2]
    assert page.session_state[keys.OPENED_RUN] != page.session_state[keys.LISTED_RUNS][1]


def test_each_part_of_a_run_is_drawn(three_runs: AppTest) -> None:
    page = opened(three_runs, 0)
    for part in ("Request", "Times", "Events", "Code", "Notes", "Answer", "Code"):
        page.segmented_control(key=keys.DRAWER_PART).set_value(part).run()
        assert not page.exception, part
        if part == "Times":
            assert page.dataframe[0].value["phase"].tolist()[-2:] == ["first token", "decode"]
    assert "Say 2" in page.code[0].value


def test_several_runs_show_their_differences_and_open_as_a_comparison(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.CHOSEN_RUNS] = page.session_state[keys.LISTED_RUNS][:2]
    page.run()
    assert not page.exception
    settings = page.table[0].value
    assert settings[plain_words("max_tokens")].tolist() == ["null", "omitted"]
    assert settings["prompt"].tolist() == ["Say 2", "Say 1"]
    assert "temperature" not in settings
    assert page.table[1].value.loc["served model"].tolist() == ["m", "m"]
    page.button(key="compare_runs").click().run()
    assert not page.exception


def test_filtered_runs_are_deleted_after_a_confirmation(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.UPKEEP] = True
    page.run()
    assert "remove_found" not in [button.key for button in page.button]
    page.text_input(key=keys.FIND_SETTINGS).set_value("temperature omitted").run()
    assert page.button(key="remove_found").disabled
    page.checkbox(key=keys.SURE_TO_DELETE).check().run()
    page.button(key="remove_found").click().run()
    assert not page.exception
    page.button(key="clear_filters").click().run()
    assert prompts(page) == ["Say 0"]


def test_a_chart_of_filtered_runs_has_its_table(three_runs: AppTest) -> None:
    page = three_runs
    streamlit.cache_data.clear()
    page.run()
    assert len(page.get("vega_lite_chart")) == 2  # TTFT and tokens/s over time
    page.session_state[keys.CHARTS] = True
    page.run()
    for of, by in (
        ("TTFT, ms", "temperature"),
        ("TTFO, ms", "model"),
        ("characters", "model"),
        ("outcomes over time", ""),
    ):
        page.selectbox(key=keys.CHART_OF).set_value(of)
        if by:
            page.selectbox(key=keys.CHART_BY).set_value(by)
        page.run()
        assert not page.exception, of
        assert len(page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")) == 3, of
        table = page.dataframe[-1].value
        assert table["runs"].sum() == 3, of
        if by == "temperature":
            assert table["value"].tolist() == ["omitted", "0.7"]


def test_a_chart_counts_runs_with_an_older_definition(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.CHARTS] = True
    page.run()
    assert "Not comparable" not in texts(page)
    older = update(runs).where(runs.c.prompt.contains("Say 1")).values(rate_basis=None)
    service().log.write(lambda connection: connection.execute(older))
    page.run()
    assert "Not comparable with the others: 1 of these runs." in texts(page)
    page.selectbox(key=keys.CHART_OF).set_value("total, ms").run()
    assert "Not comparable" not in texts(page)


@pytest.mark.parametrize("damaged", [False, True])
def test_exported_runs_are_imported_under_new_ids(three_runs: AppTest, damaged: bool) -> None:
    page = three_runs
    page.session_state[keys.UPKEEP] = True
    page.run()
    lines = "".join(export_runs(service().log.database))
    content = lines.replace("Say 1", "Say 9") if damaged else lines
    page.file_uploader(key=f"{keys.IMPORT_RUNS}_0").set_value(
        ("runs.jsonl", content.encode(), "application/jsonl")
    ).run()
    page.button(key="import_runs").click().run()
    assert not page.exception
    if damaged:
        assert "was changed after it was exported" in page.error[0].value
        return
    assert page.toast[0].value == "3 runs imported."
    assert len(set(page.run().session_state[keys.LISTED_RUNS])) == 6
    page.text_input(key=keys.FIND).set_value('"say 1"').run()
    assert prompts(page) == ["Say 1", "Say 1"]


def test_a_file_is_imported_once(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.UPKEEP] = True
    page.run()
    lines = "".join(export_runs(service().log.database))
    page.file_uploader(key=f"{keys.IMPORT_RUNS}_0").set_value(("runs.jsonl", lines.encode(), "application/jsonl")).run()
    page.button(key="import_runs").click().run()
    assert [button.key for button in page.button if button.key == "import_runs"] == []
    assert page.file_uploader(key=f"{keys.IMPORT_RUNS}_1").value is None


def test_hidden_filters_are_named_and_an_unreadable_one_can_be_cleared(three_runs: AppTest) -> None:
    page = three_runs
    page.text_input(key=keys.FIND_TAG).set_value("no_such").run()
    assert r"Tag **no\_such**" in [caption.value for caption in page.caption]
    page.text_input(key=keys.FIND_SINCE).set_value("26.11.2026").run()
    assert page.error[0].value.startswith("From day: '26.11.2026' is not a day.")
    page.button(key="clear_filters").click().run()
    assert not page.error
    assert len(page.session_state[keys.LISTED_RUNS]) == 3


def test_compared_runs_are_closed_with_their_list(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.CHOSEN_RUNS] = page.session_state[keys.LISTED_RUNS][:2]
    page.run()
    assert "compare_runs" in [button.key for button in page.button]
    page.text_input(key=keys.FIND).set_value("say").run()
    assert page.session_state[keys.CHOSEN_RUNS] == []
    assert "compare_runs" not in [button.key for button in page.button]


def test_an_order_that_omits_runs_is_stated(three_runs: AppTest) -> None:
    page = three_runs
    page.selectbox(key=keys.ORDER).set_value("TTFT").run()
    assert any("Only those with TTFT are listed." in caption.value for caption in page.caption)
    page.selectbox(key=keys.FIND_STATUS).set_value("lost").run()
    assert page.info[0].value == "No run like that has TTFT. Sort by start time to see all."


def test_the_database_can_be_compacted_when_it_has_much_free_space(three_runs: AppTest) -> None:
    page = three_runs
    page.session_state[keys.UPKEEP] = True
    page.run()
    assert "compact" not in [button.key for button in page.button]
    record = find_run(service().log.database, page.session_state[keys.LISTED_RUNS][0])
    rows = [to_row(replace(record, id=f"{number:032x}", text="x" * 100_000)) for number in range(12)]
    service().log.write(lambda connection: connection.execute(insert(runs), rows))
    service().log.write(lambda connection: connection.execute(delete(runs).where(runs.c.text.like("xxx%"))))
    page.run()
    before = size_bytes(service().log.database)
    page.button(key="compact").click().run()
    assert not page.exception
    assert size_bytes(service().log.database) < before - 1_000_000


def test_a_repeated_experiment_shows_the_time_and_cause_of_a_change(page: AppTest, chat: Chat) -> None:
    file = read_experiment_file(
        "tempera: 1\nname: Nightly\nrepeats: 8\nbase:\n"
        "  endpoint: environment\n  model: alpha\n  messages: [user: Hi]\n"
    )
    made = prepared(file, service().configuration().endpoints, lambda _endpoint: [], OwnLog(service().log, LOCAL))
    for _ in range(3):
        run(made, service().experiments, OwnLog(service().log, LOCAL))
    assert chat.server
    chat.server.play = lambda connection, _request: connection.sendall(
        head() + chunk("Good day to you", "stop", model="m-2") + DONE
    )
    run(made, service().experiments, OwnLog(service().log, LOCAL))
    page.session_state[keys.DRIFT] = True
    page.switch_page("runs.py").run()
    measure = page.selectbox(key=keys.DRIFT_MEASURE)
    assert "length · changed" in measure.options
    measure.set_value("length").run()
    assert "length 9 characters → 15 characters" in texts(page)
    assert "With it changed: served model m → m-2." in texts(page)
