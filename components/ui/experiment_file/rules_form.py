"""The rules of an experiment as a text: both pages share it, and each run keeps its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from components.checks.results import AnswerChecks
from components.experiments.problem import SweepProblem
from components.experiments.rules import Rules, read_rules, write_rules
from components.ui import presses, state
from components.ui.choices import draw_popover
from components.ui.experiment_file import keys
from components.ui.form import widget_values
from components.ui.plain_words import plain_words

_EXAMPLE = """checks:
  - contains: Paris
  - length: {at_most: 80, unit: words}
limits:
  - ttft_ms: {at_most: 800}"""
_HELP = (
    "Checks say whether an answer is right; limits and tolerances count when the saved file is run. "
    "Kinds of checks: contains, not_contains, regex, equals, json, json_schema, length, finish_reason, tool_call, "
    "similarity, number, expression, judge."
)


def draw_rules() -> None:
    """Draw the button that opens the rules, with their number, or a mark while the text cannot be read."""
    rules, problem = _current()
    label = f"Checks: {len(rules.checks)}" if rules.checks else "Checks"
    icon = ":material/error:" if problem else ":material/rule:"
    draw_popover(label, keys.RULES_BOX, icon, draw_text, width="content")


def draw_text() -> None:
    """Draw the rules as a text."""
    st.text_area(
        "Checks, limits and tolerances",
        key=keys.RULES,
        placeholder=_EXAMPLE,
        height=160,
        width=460,
        help=_HELP,
        on_change=presses.soon(lambda: None),
        persist_state="session",
    )


def draw_rules_problem() -> None:
    """Draw the problem of rules that cannot be read, which also concerns the closed ones."""
    if problem := _current()[1]:
        st.error(f"Checks: {plain_words(problem)}")


def read() -> Rules:
    """The rules; none while the text cannot be read."""
    return _current()[0]


def checks_with(values: Mapping[str, str]) -> AnswerChecks | None:
    """The checks of an answer with these values of variables; None without any."""
    checks = read().checks
    return AnswerChecks(checks, values) if checks else None


def begin(rules: Callable[[], Rules | None]) -> None:
    """Put the rules of the shown experiment into a session that has none yet: it begins with a link, or a reload."""
    if keys.RULES not in st.session_state and (stored := rules()):
        put(stored)


def put(rules: Rules) -> None:
    """Replace the text; call it before it is drawn."""
    widget_values.put({keys.RULES: write_rules(rules)})


def _current() -> tuple[Rules, str | None]:
    text: str = st.session_state.get(keys.RULES) or ""
    return state.last_value(keys.RULES_READ, text, lambda: _read(text))


def _read(text: str) -> tuple[Rules, str | None]:
    try:
        return read_rules(text), None
    except SweepProblem as error:
        return Rules(), error.sentence
