from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.waiting import wait_for


def test_an_empty_log_says_what_to_do(page: AppTest) -> None:
    page.switch_page("runs.py").run()
    assert page.info[0].value.startswith("No runs yet.")


def test_every_run_stands_in_the_table_newest_first(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    page.text_area(key="message_1").set_value("Second").run()
    run_to_the_end(page)
    page.switch_page("runs.py")
    wait_for(lambda: page.run().dataframe[0].value["status"].tolist() == ["ok", "ok"])
    table = page.dataframe[0].value
    assert table["answer"].tolist() == ["Hello you"] * 2
    assert table["completion tokens"].tolist() == [2, 2]
    assert table["started"].is_monotonic_decreasing


def test_an_opened_run_shows_its_text_and_its_request_and_survives_a_reload(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    opened = new_page()
    opened.query_params["run"] = page.query_params["run"]
    opened.switch_page("runs.py")
    wait_for(lambda: "Hello you" in texts(opened.run()))
    assert '"model": "alpha"' in opened.code[0].value
    assert len(chat.bodies) == 1


def test_a_run_that_is_not_in_the_log_is_named(page: AppTest) -> None:
    page.query_params["run"] = "nothing"
    page.switch_page("runs.py").run()
    assert "This run is not in the log." in [info.value for info in page.info]


def test_a_log_that_cannot_be_read_is_named_and_the_page_stays_alive(page: AppTest, chat: Chat, tmp_path: Path) -> None:
    run_to_the_end(page)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as connection, connection:
        connection.execute("alter table runs rename to hidden")
    page.switch_page("runs.py").run()
    assert not page.exception
    assert page.error[0].value.startswith("The log cannot be read: ")
