"""The rules of an experiment as a text: both pages share it, and each run keeps its rules."""

from __future__ import annotations

import streamlit as st

from components.experiments.problem import SweepProblem
from components.experiments.rules import Rules, read_rules, write_rules
from components.ui import presses
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
    """Draw the rules, collapsed, with the problem of a text that cannot be read."""
    rules, problem = _current()
    count = len(rules.checks)
    with st.expander(f"Checks: {count}" if count else "Checks", key="rules_box", expanded=bool(problem)):
        st.text_area(
            "Checks, limits and tolerances",
            key=keys.RULES,
            placeholder=_EXAMPLE,
            height=140,
            help=_HELP,
            on_change=presses.soon(lambda: None),
            persist_state="session",
        )
        if problem:
            st.error(plain_words(problem))


def read() -> Rules:
    """The rules; none while the text cannot be read."""
    return _current()[0]


def put(rules: Rules) -> None:
    """Replace the text; call it before it is drawn."""
    widget_values.put({keys.RULES: write_rules(rules)})


def _current() -> tuple[Rules, str | None]:
    text: str = st.session_state.get(keys.RULES) or ""
    known: tuple[str, Rules, str | None] | None = st.session_state.get(keys.RULES_READ)
    if known is None or known[0] != text:
        rules, problem = Rules(), None
        try:
            rules = read_rules(text)
        except SweepProblem as found:
            problem = found.sentence
        known = st.session_state[keys.RULES_READ] = text, rules, problem
    return known[1], known[2]
