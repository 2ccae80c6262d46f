from __future__ import annotations

import json
import logging
from contextlib import closing

import pytest

from components.log.log import Log
from components.runs.runner import ENDED_RUNS, Runner
from components.server.structured_logs import JsonLines
from tests.orders import order
from tests.waiting import wait_for


def test_an_ended_run_is_logged_as_one_line_without_its_prompt(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Log(sqlite_url)) as log, caplog.at_level(logging.INFO, ENDED_RUNS.name):
        body = b'{"model": "m", "messages": [{"role": "user", "content": "a secret prompt"}]}'
        run = Runner(log).start(order(body=body))
        (record,) = wait_for(lambda: [each for each in caplog.records if each.name == ENDED_RUNS.name])
    line = json.loads(JsonLines().format(record))
    assert (line["run"], line["status"], line["endpoint"], line["logger"]) == (run.id, "error", "mine", "tempera.runs")
    assert "secret" not in json.dumps(line)


def test_an_error_is_logged_with_its_type_and_place_but_not_its_message(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("what a visitor wrote")
    except ValueError:
        logging.getLogger("somewhere").exception("a page failed")
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert (line["message"], line["level"], line["error"]) == ("a page failed", "error", "ValueError")
    assert line["frames"][0].endswith("test_an_error_is_logged_with_its_type_and_place_but_not_its_message")
    assert "visitor" not in json.dumps(line)
