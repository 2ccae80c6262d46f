"""The results of checks on answers, and checks on answers that the log has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from components.checks.judge import Judge
from components.checks.results import stored_results
from components.experiments.judges import Judges
from components.experiments.logged_cases import reused_answers
from components.experiments.logged_checks import Checking, check_logged
from components.experiments.store import answered_run_ids
from components.log.record import RunRecord
from components.server.process import service
from components.ui import presses
from components.ui.answer.check_results import draw_results
from components.ui.available_endpoints import available_endpoints
from components.ui.choices import draw_popover
from components.ui.experiment_file import keys, rules_form
from components.ui.form.endpoint_choice import model_cards
from components.ui.user_errors import draw_error, show_errors_later
from components.ui.visitor import own_log

_REFRESH_S = 1.0
_ICONS = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/help:"}


def draw_answer_checks(record: RunRecord) -> None:
    """Draw the menu with the checks of a run's answer; its name says how many pass."""
    results = stored_results(record.check_results)
    name = f"Checks: {sum(result.passed is True for result in results)} of {len(results)}" if results else "Checks"

    def draw() -> None:
        draw_results(record)
        draw_checking([record.id])
        st.caption("The next runs are checked, too.")

    draw_popover(name, keys.ANSWER_CHECKS, _ICONS[record.passed] if results else ":material/rule:", draw)


def draw_checking(run_ids: Sequence[str]) -> None:
    """Draw the rules, the button that checks the answers of these runs, and the progress of one that asks judges."""
    rules_form.draw_text()
    rules_form.draw_rules_problem()
    checks = rules_form.read().checks
    judges = sum(isinstance(check, Judge) for check in checks)
    asks = " The judge is asked about each answer." if judges else " Nothing is asked again."
    st.button(
        f"Check {len(run_ids):,} answers" if len(run_ids) > 1 else "Check this answer",
        key="check_answers",
        icon=":material/rule:",
        disabled=not checks or _under_way() is not None,
        help="Write a check first." if not checks else f"Keeps the results with the runs.{asks}",
        on_click=presses.soon(_check, list(run_ids)),
    )
    draw_progress()


def draw_judging(experiment_id: str | None, cache: str) -> None:
    """Draw the button that asks the judges about the answers of an experiment; nothing without a judge.

    ``cache`` is the session key of the results that the page keeps.
    """
    if not experiment_id or not any(isinstance(check, Judge) for check in rules_form.read().checks):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="judging"):
        st.button(
            "Ask the judge",
            key="ask_judge",
            icon=":material/gavel:",
            disabled=_under_way() is not None,
            help="Asks about each answer once; answers that it has judged are not asked about again.",
            on_click=presses.soon(_judge, experiment_id),
        )
        draw_progress(cache)


def draw_progress(*caches: str) -> None:
    """Draw the progress of checks that ask judges, and why the last ones ended early."""
    checking = _under_way()
    if checking:
        st.fragment(_draw_progress, run_every=_REFRESH_S)(checking, caches)
    draw_error(keys.CHECKS_PROBLEM)


def _draw_progress(checking: Checking, caches: tuple[str, ...]) -> None:
    presses.act()
    if not checking.active:
        if st.session_state.pop(keys.CHECKING, None) is checking and checking.problem:
            st.session_state[keys.CHECKS_PROBLEM] = checking.problem
        for name in caches:
            st.session_state.pop(name, None)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[Judged {checking.done:,} of {checking.count:,}]", width="content")
        st.button("Stop", key="stop_checking", type="tertiary", icon=":material/stop:", on_click=checking.stop)


def _under_way() -> Checking | None:
    checking: Checking | None = st.session_state.get(keys.CHECKING)
    return checking


def _judge(experiment_id: str) -> None:
    with show_errors_later(keys.CHECKS_PROBLEM):
        if database := own_log().database:
            reused = reused_answers(own_log(), experiment_id)
            _check([*answered_run_ids(database, experiment_id), *reused], reused)


def _check(run_ids: Sequence[str], reused: Mapping[str, Mapping[str, str]] | None = None) -> None:
    checks = rules_form.read().checks
    judges = [check for check in checks if isinstance(check, Judge)]
    with show_errors_later(keys.CHECKS_PROBLEM):
        if not judges:
            check_logged(own_log(), run_ids, checks)
            return
        endpoints = available_endpoints()
        # Read here: the thread of the judges has no page.
        used = [endpoints[judge.endpoint] for judge in judges if judge.endpoint and judge.endpoint in endpoints]
        cards = {endpoint.name: model_cards(endpoint) for endpoint in used}
        asker = Judges(service().runner, own_log(), endpoints, lambda endpoint: cards.get(endpoint.name, []))
        st.session_state[keys.CHECKING] = Checking(own_log(), run_ids, checks, asker, reused)
