"""Sends the requests of a capsule again, and says whether the answers are the same, within noise, or changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from components.drafts.comparison import Timing
from components.experiments.experiment import Experiment
from components.experiments.reproduction import Reproduced, Reproduction, overall, reproduction
from components.experiments.run_order import Cell, Plan
from components.experiments.store import runs_of
from components.log.record import RunRecord
from components.runs.order import order_again
from components.server.process import service
from components.sharing.capsule import Capsule
from components.sharing.reproductions import keep_verdict
from components.sharing.shared_run import SharedRun
from components.ui.available_endpoints import available_endpoints
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.user_errors import shown
from components.ui.visitor import is_known, network, own_log, owner

_REPEATS = (1, 4, 8, 20)
_LOOK_AGAIN_S = 1.0
_WORDS = {
    Reproduced.IDENTICAL: (":green-badge[:material/check: identical]", "Every new answer equals an original one."),
    Reproduced.WITHIN_NOISE: (
        ":blue-badge[within noise]",
        "The answers differ from the original no more than they differ from each other.",
    ),
    Reproduced.CHANGED: (":orange-badge[changed]", "The answers differ from the original by more than chance."),
    Reproduced.TOO_FEW: (
        ":gray-badge[too few to tell]",
        "The original stands apart, but with so few answers that may be chance. Send 20, or share four originals.",
    ),
    Reproduced.FAILED: (":red-badge[failed]", "No new answer is complete."),
}
_CLEAR_VERDICTS = (Reproduced.WITHIN_NOISE, Reproduced.CHANGED)


def why_not(records: Sequence[SharedRun], capsule: Capsule) -> str | None:
    """Why the requests of a capsule cannot be sent again, as a sentence; None when they can."""
    if any(run.system_left_out for run in capsule.runs):
        return "The system message is not shared, so the requests cannot be sent again."
    missing = sorted({record.endpoint for record in records} - available_endpoints().keys())
    if missing:
        return f"There is no endpoint named {', '.join(missing)} here. Open a copy and choose another one."
    return None


def draw_reproduce(records: Mapping[str, SharedRun], capsule: Capsule) -> None:
    """Draw the button that sends the requests again, and the number of times."""
    if not is_known() or not records:
        return
    why = why_not(list(records.values()), capsule)
    repeats = st.selectbox(
        "Answers to each request",
        _REPEATS,
        index=1,
        format_func=lambda count: f"{count} {'answer' if count == 1 else 'answers'}",
        key=keys.REPRODUCE_REPEATS,
        label_visibility="collapsed",
        width=150,
        disabled=why is not None,
    )
    count = len(_requests(records)) * repeats
    st.button(
        "Reproduce",
        key=keys.REPRODUCE,
        icon=":material/verified:",
        disabled=why is not None,
        help=why
        or f"Sends exactly the same bytes again, one request at a time, {count:,} in all, and compares the answers. "
        "With four or more answers on both sides, a difference is tested against chance.",
        on_click=_start,
        args=(records, repeats),
    )


def draw_reproduction(records: Mapping[str, SharedRun], capsule_id: str | None) -> None:
    """Draw the progress and the result of the last reproduction of this capsule."""
    made: tuple[tuple[str, ...], str] | None = st.session_state.get(keys.REPRODUCTION)
    if made is None or made[0] != _ids(records):
        return
    experiment = service().experiments.find(made[1], owner())
    with st.container(key="reproduction", border=True):
        if experiment.going_on:
            _draw_progress(experiment, len(_requests(records)))
        else:
            _draw_result(records, experiment, capsule_id)


def _start(records: Mapping[str, SharedRun], repeats: int) -> None:
    endpoints = available_endpoints()
    cells = [
        Cell(str(place), place, number, order_again(endpoints[same[0].endpoint], same[0]))
        for number in range(1, repeats + 1)
        for place, same in enumerate(_requests(records).values())
    ]
    experiment_id = uuid.uuid4().hex
    st.session_state[keys.REPRODUCTION] = _ids(records), experiment_id
    st.session_state.pop(keys.LINK_IS_OPEN, None)
    service().experiments.find(experiment_id, owner()).start(Plan(tuple(cells), Timing.INTERLEAVED, 1), network())


@st.fragment(run_every=_LOOK_AGAIN_S)
def _draw_progress(experiment: Experiment, requests: int) -> None:
    if not experiment.going_on:
        st.rerun()
    begun = len(experiment.run_ids())
    ended, total = max(begun - 1, 0), begun + experiment.waiting
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(ended / total if total else 0.0, f"{ended:,} of {total:,} answers")
        st.button("Stop", key="stop_reproduction", on_click=experiment.stop, icon=":material/stop:")


@shown()
def _draw_result(records: Mapping[str, SharedRun], experiment: Experiment, capsule_id: str | None) -> None:
    database = own_log().database
    again = runs_of(database, experiment.id) if database else []
    results: dict[str, Reproduction] = {}
    for place, same in enumerate(_requests(records).values()):
        mine = [run for run in again if run.lane == str(place)]
        if mine:
            results[_titles(records, same)] = reproduction(same, mine)
    if not results:
        st.markdown("Nothing was sent.")
        return
    verdict = overall(list(results.values()))
    badge, sentence = _WORDS[verdict]
    st.markdown(f"**Reproduced** {badge} {sentence}")
    refused = next((run.error_message for run in again if run.error_message), None)
    if refused:
        st.caption(plain_words(refused))
    st.table(
        pd.DataFrame({plain_words(title, 120): _column(result) for title, result in results.items()})
        .fillna("–")
        .rename_axis("measure"),
        border="horizontal",
    )
    for title, result in results.items():
        changed = [f"{label}: {plain_words(before)} → {plain_words(now)}" for label, before, now in result.served]
        if changed:
            st.caption(f"{plain_words(title, 120)} · {' · '.join(changed)}")
    if capsule_id and keys.LINK_IS_OPEN not in st.session_state and verdict is not Reproduced.FAILED:
        st.session_state[keys.LINK_IS_OPEN] = keep_verdict(own_log(), capsule_id, verdict.value)
    if not st.session_state.get(keys.LINK_IS_OPEN, True):
        st.caption(
            "The link was revoked or has expired meanwhile. Its verdicts are deleted; your runs stay in your log."
        )


def _column(result: Reproduction) -> dict[str, str]:
    words = {
        "verdict": _WORDS[result.verdict][0],
        "complete answers": f"{result.complete:,} of {result.asked:,}",
        "against the original": plain_words(result.parts) or "–",
    }
    for number in result.numbers:
        if number.before and number.now:
            mark = f" · {number.verdict.value}" if number.verdict in _CLEAR_VERDICTS else ""
            words[number.name] = (
                f"{number.before.median:,.4g} → {number.now.median:,.4g} "
                f":small[:gray[{number.now.low:,.4g} to {number.now.high:,.4g}{mark}]]"
            )
    return words


def _requests(records: Mapping[str, SharedRun]) -> dict[tuple[str, str], list[RunRecord]]:
    """The runs of each request, by endpoint and body."""
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records.values():
        found.setdefault((record.endpoint, record.request_body), []).append(record)
    return found


def _titles(records: Mapping[str, SharedRun], same: Sequence[RunRecord]) -> str:
    ids = {record.id for record in same}
    return ", ".join(title for title, record in records.items() if record.id in ids)


def _ids(records: Mapping[str, SharedRun]) -> tuple[str, ...]:
    return tuple(record.id for record in records.values())
