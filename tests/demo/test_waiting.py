"""The queue of two replicas."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from components.demo import waiting
from components.log.log import Log
from components.runs.gate import Refused
from tests.demo.conftest import SETTINGS


def test_replicas_together_have_one_queue(url: str) -> None:
    short = replace(SETTINGS, queue=3, queue_of_one=2)
    with closing(Log(url)) as one, closing(Log(url)) as other:
        waiting.join(one, short, "1" * 32, "anna", "here")
        waiting.join(other, short, "2" * 32, "anna", "there")
        with pytest.raises(Refused, match="2 runs of yours wait"):
            waiting.join(one, short, "3" * 32, "anna", "elsewhere")
        with pytest.raises(Refused, match="from your network"):
            waiting.join(one, short, "3" * 32, "berta", "here")
        waiting.join(one, short, "3" * 32, "berta", "elsewhere")
        with pytest.raises(Refused, match="3 runs wait"):
            waiting.join(other, short, "4" * 32, "clara", "far away")
        waiting.leave(one, "3" * 32)
        one.write(lambda _connection: None)
        waiting.join(other, short, "4" * 32, "clara", "far away")
        # The places of a killed process become free.
        age = "update waiting_runs set alive_at = '2020'"
        one.write(lambda connection: connection.exec_driver_sql(age))
        waiting.keep_alive(one, ["1" * 32])
        one.write(lambda _connection: None)
        for number in (5, 6):
            waiting.join(other, short, f"{number}" * 32, f"visitor {number}", f"network {number}")
