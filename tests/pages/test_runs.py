from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Chat, new_page, run_to_the_end, texts
from tests.waiting import wait_for


def test_an_empty_log_says_what_to_do(page: AppTest) -> None:
    page.switch_page("runs.py").run()
    assert page.info[0].value.startswith("No runs yet.")


def test_every_run_stands_in_the_table_newest_first(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    page.text_area(key="prompt").set_value("Second").run()
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
