from __future__ import annotations

import io
import logging
from collections.abc import Callable

import pytest

from components.server.traceback_limit import TracebackLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def terminal(clock: Clock) -> Callable[[str, Exception | None], str]:
    """Log an error by the logger of that name; return the new terminal output."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(TracebackLimit(3, clock))

    def log(name: str, error: Exception | None) -> str:
        logger = logging.Logger(name)
        logger.addHandler(handler)
        logger.error("Fault %s", "abc", exc_info=error)
        output = written.getvalue()
        written.seek(0)
        written.truncate()
        return output

    return log


def test_tracebacks_of_one_kind_are_limited_per_minute_and_the_rest_are_counted(
    clock: Clock, terminal: Callable[[str, Exception | None], str]
) -> None:
    output = "".join(terminal("a", ValueError(number)) for number in range(667))
    assert output.count("Fault abc") == output.count("ValueError") == 3
    clock.now = 60.0
    later = terminal("a", ValueError("later"))
    assert later.startswith("Fault abc\n(664 more of ValueError were left out before.)\n")
    assert terminal("a", ValueError("later")).startswith("Fault abc\nValueError: later")


def test_tracebacks_of_other_kinds_and_other_lines_are_written(
    terminal: Callable[[str, Exception | None], str],
) -> None:
    for number in range(9):
        terminal("a", ValueError(number))
    assert "KeyError" in terminal("a", KeyError("x"))
    assert "ValueError" in terminal("b", ValueError("x"))
    assert terminal("a", None) == "Fault abc\n"
