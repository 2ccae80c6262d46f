from __future__ import annotations

import pytest

from components.demo.floods import Floods
from components.runs.gate import Refused
from tests.demo.conftest import SETTINGS


def test_a_network_may_not_fill_the_log_with_what_is_refused() -> None:
    now = 100.0
    floods = Floods(SETTINGS, lambda: now)
    for _ in range(100):
        floods.check("here", b"{}")
    with pytest.raises(Refused, match="far too many runs"):
        floods.check("here", b"{}")
    floods.check("there", b"{}")
    now += 60
    floods.check("here", b"{}")


def test_what_is_too_large_to_be_asked_is_not_kept() -> None:
    with pytest.raises(Refused, match="too large"):
        Floods(SETTINGS).check("here", b"x" * 1_000_000)
