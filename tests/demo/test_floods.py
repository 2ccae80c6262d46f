from __future__ import annotations

from contextlib import closing

import pytest

from components.demo.floods import Floods
from components.log.log import Log
from components.runs.gate import Refused
from tests.demo.conftest import SETTINGS


def test_a_network_cannot_fill_the_log_with_refused_runs() -> None:
    now = 100.0
    floods = Floods(SETTINGS, clock=lambda: now)
    for _ in range(100):
        floods.check("here", b"{}")
    with pytest.raises(Refused, match="too many runs"):
        floods.check("here", b"{}")
    floods.check("there", b"{}")
    now += 60
    floods.check("here", b"{}")


def test_replicas_together_let_a_network_try_as_often_as_one(url: str) -> None:
    with closing(Log(url)) as one, closing(Log(url)) as other:
        floods = Floods(SETTINGS, one), Floods(SETTINGS, other)
        for number in range(100):
            floods[number % 2].check("here", b"{}")
        for each in floods:
            with pytest.raises(Refused, match="too many runs"):
                each.check("here", b"{}")
            each.check("there", b"{}")
        age = "update attempts set minute_began = '2020'"
        one.write(lambda connection: connection.exec_driver_sql(age))
        floods[0].check("here", b"{}")


def test_too_large_requests_are_not_logged() -> None:
    with pytest.raises(Refused, match="too large"):
        Floods(SETTINGS).check("here", b"x" * 1_000_000)
