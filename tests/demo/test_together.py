from __future__ import annotations

import pytest

from components.demo.settings import DemoSettings
from components.demo.together import Together
from components.runs.gate import Refused


def take(together: Together, tokens: int, visitor: str = "anna", experiment: str | None = "e") -> None:
    with together.counted(visitor, experiment, tokens):
        pass


def test_a_sweep_has_twenty_runs() -> None:
    together = Together(DemoSettings())
    for _ in range(20):
        take(together, 100)
    with pytest.raises(Refused, match="has 20 runs"):
        take(together, 100)
    take(together, 100, visitor="berta")
    take(together, 100, experiment="another")


def test_a_sweep_asks_for_ten_thousand_tokens() -> None:
    together = Together(DemoSettings())
    for _ in range(19):
        take(together, 512)
    with pytest.raises(Refused, match="asks for 10,000 tokens"):
        take(together, 512)
    take(together, 10_000 - 19 * 512)


def test_what_was_refused_later_does_not_count() -> None:
    together = Together(DemoSettings(sweep_runs=1))
    for _ in range(3):
        with pytest.raises(Refused, match="full"), together.counted("anna", "e", 100):
            raise Refused("full")
    take(together, 100)


def test_a_run_of_its_own_belongs_to_nothing() -> None:
    together = Together(DemoSettings(sweep_runs=1))
    for _ in range(3):
        take(together, 512, experiment=None)
