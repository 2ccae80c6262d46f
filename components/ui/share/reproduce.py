"""Sends the requests of a capsule again, and says whether the answers are the same, within noise, or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from components.counted import counted
from components.experiments.experiment import Experiment
from components.experiments.reproduction import Reproduced, Reproduction
from components.log.record import RunRecord
from components.server.process import service
from components.sharing.capsule import Capsule
from components.sharing.capsules import can_be_opened
from components.sharing.reproducing import compared, new_runs, requests_of, send_again
from components.sharing.reproductions import stored_verdicts
from components.sharing.shared_run import SharedRun
from components.streaming.outcome import Status
from components.ui.answer.answer_differences import answer_text, draw_word_differences
from components.ui.answer.place import Place
from components.ui.answer.run_lookup import find
from components.ui.answer.run_view import draw_run
from components.ui.available_endpoints import available_endpoints
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors
from components.ui.visitor import is_known, links, own_log, owner

_REPEATS = (1, 4, 8, 20)
_REFRESH_S = 1.0
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
    Reproduced.INCOMPARABLE: (":gray-badge[not comparable]", "The original answer is not complete."),
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


def draw_reproduce(records: Mapping[str, SharedRun], capsule: Capsule, capsule_id: str | None, name: str = "") -> None:
    """Draw the button that sends the requests again, and the number of times.

    ``name`` distinguishes the capsules of one page.
    """
    if not is_known() or not records:
        return
    problem = why_not(list(records.values()), capsule)
    repeats = st.selectbox(
        "Answers to each request",
        _REPEATS,
        index=1,
        format_func=lambda count: counted(count, "answer"),
        key=f"{keys.REPRODUCE_REPEATS}{name}",
        label_visibility="collapsed",
        width=150,
        disabled=problem is not None,
    )
    count = len(requests_of(records)) * repeats
    st.button(
        "Reproduce",
        key=f"{keys.REPRODUCE}{name}",
        icon=":material/verified:",
        disabled=problem is not None,
        help=problem
        or f"Sends exactly the same bytes again, one request at a time, {count:,} in all, and compares the answers. "
        "With four or more answers on both sides, a difference is tested against chance.",
        on_click=_start,
        args=(records, repeats, capsule_id),
    )


def draw_reproduction(records: Mapping[str, SharedRun], capsule_id: str | None, name: str = "") -> None:
    """Draw the progress and the result of the last reproduction of this capsule."""
    experiment_id: str | None = st.session_state.get(keys.REPRODUCTIONS, {}).get(_ids(records))
    if experiment_id is None:
        return
    experiment = service().experiments.find(experiment_id, owner())
    place = Place(f"again{name}", "New answer", len(records) + 1)
    with st.container(key=f"reproduction{name}", border=True):
        if experiment.active:
            _draw_progress(experiment, place)
        else:
            _draw_result(records, experiment, capsule_id, place)


def verdicts_in_words(capsule_id: str) -> str:
    """The verdicts of visitors on a link, in a sentence; empty without any. Raises QueryFailed."""
    database = links()
    verdicts = stored_verdicts(database, capsule_id) if database else None
    if verdicts is None:
        return ""
    counts = ", ".join(
        f"{verdict} {'once' if count == 1 else f'{count:,} times'}" for verdict, count in verdicts.counts.items()
    )
    return f"Reproduced by visitors: {counts}; last on {local_time(verdicts.last_at):%-d %B %Y}."


def _start(records: Mapping[str, SharedRun], repeats: int, capsule_id: str | None) -> None:
    experiment = send_again(
        records,
        repeats,
        endpoints=available_endpoints(),
        experiments=service().experiments,
        log=own_log(),
        capsule_id=capsule_id,
    )
    st.session_state.setdefault(keys.REPRODUCTIONS, {})[_ids(records)] = experiment.id


@st.fragment(run_every=_REFRESH_S)
def _draw_progress(experiment: Experiment, place: Place) -> None:
    if not experiment.active:
        st.rerun()
    run_ids = experiment.run_ids()
    ended, total = max(len(run_ids) - 1, 0), len(run_ids) + experiment.waiting
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(ended / total if total else 0.0, f"{ended:,} of {total:,} answers")
        st.button("Stop", key=place.key("stop"), on_click=experiment.stop, icon=":material/stop:")
    if run_ids:
        draw_run(find(run_ids[-1]), actions=lambda: None, place=place)


@show_errors()
def _draw_result(
    records: Mapping[str, SharedRun], experiment: Experiment, capsule_id: str | None, place: Place
) -> None:
    # Once: long answers take seconds to compare.
    cache_key = place.key("compared")
    cached = st.session_state.get(cache_key)
    if cached is None or cached[0] != experiment.id:
        new = new_runs(own_log(), experiment.id, records)
        if not new:
            st.markdown("Nothing was sent.")
            return
        cached = st.session_state[cache_key] = experiment.id, new, *compared(records, new)
    _id, again, verdict, results = cached
    badge, sentence = _WORDS[verdict]
    st.markdown(f"**Reproduced** {badge} {sentence}")
    if refused := next((run.error_message for runs in again.values() for run in runs if run.error_message), None):
        st.caption(plain_words(refused))
    st.table(
        pd.DataFrame({plain_words(title, 120): _column(result) for title, result in results.items()})
        .fillna("–")
        .rename_axis("measure"),
        border="horizontal",
    )
    _draw_served(results)
    _draw_new_answers(requests_of(records), again, place)
    database = links()
    if capsule_id and database and not can_be_opened(database, capsule_id):
        st.caption(
            "The link was revoked or has expired meanwhile. Its verdicts are deleted; your runs stay in your log."
        )


def _draw_served(results: Mapping[str, Reproduction]) -> None:
    """Draw the models and versions that answered before and now, once for all requests with the same ones."""
    by_words: dict[str, list[str]] = {}
    for title, result in results.items():
        words = " · ".join(
            f"{label}: {plain_words(before)} → {plain_words(now)}" for label, before, now in result.served
        )
        by_words.setdefault(words, []).append(plain_words(title, 120))
    for words, titles in by_words.items():
        if words:
            st.caption(words if len(by_words) == 1 else f"{', '.join(titles)} · {words}")


def _draw_new_answers(
    originals: Mapping[str, Sequence[SharedRun]], again: Mapping[str, Sequence[RunRecord]], place: Place
) -> None:
    """Draw one of the new answers with its differences from the original: at first one that differs."""
    answers = {
        f"New answer {number}" if len(originals) == 1 else f"{title}, new answer {number}": (
            title,
            originals[title][0],
            run,
        )
        for title, runs in again.items()
        for number, run in enumerate(runs, 1)
        if run.status == Status.OK
    }
    if not answers:
        return
    others = [answer_text(run) != answer_text(original) for _title, original, run in answers.values()]
    name = st.selectbox(
        "New answer",
        list(answers),
        index=others.index(True) if True in others else 0,
        format_func=plain_words,
        key=place.key("shown"),
        label_visibility="collapsed",
        width=320,
    )
    title, original, run = answers[name]
    draw_run(run, actions=lambda: None, place=place)
    draw_word_differences({title: original, name: run}, title)


def _column(result: Reproduction) -> dict[str, str]:
    words = {
        "verdict": _WORDS[result.verdict][0],
        "complete answers": f"{result.complete:,} of {result.requested:,}",
        "against the original": plain_words(result.parts) or "–",
    }
    if checks := result.checks:
        (before, before_of), (now, now_of) = checks.before, checks.now
        words["checks passed"] = f"{before} of {before_of} → {now} of {now_of} · {checks.verdict.value}"
    for number in result.numbers:
        if number.before and number.now:
            mark = f" · {number.verdict.value}" if number.verdict in _CLEAR_VERDICTS else ""
            words[number.name] = (
                f"{number.before.median:,.4g} → {number.now.median:,.4g} "
                f":small[:gray[{number.now.low:,.4g} to {number.now.high:,.4g}{mark}]]"
            )
    return words


def _ids(records: Mapping[str, SharedRun]) -> tuple[str, ...]:
    return tuple(record.id for record in records.values())
