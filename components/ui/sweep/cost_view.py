"""The cost of a sweep, next to its Run button, and the confirmation of a large sweep."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from components.contract.lint import estimated_tokens
from components.contract.request import from_bytes
from components.counted import counted
from components.experiments.cells import Reused, RowRequest
from components.experiments.price import Price, price, total_of
from components.experiments.sweep_setup import Setup
from components.log.owned import OwnLog
from components.log.query import Measured, QueryFailed, recent_measures
from components.server.process import service
from components.settings import read_settings
from components.ui import presses
from components.ui.sweep import keys, setup_form
from components.ui.sweep.running import request_run
from components.ui.visitor import BY_OWNER, own_log

_MEASURED_RUNS = 20


def draw_cost(requests: Sequence[RowRequest], setup: Setup, logged: Reused) -> int:
    """Draw the cost; returns the number of requests. ``logged`` are the cells with an answer in the log."""
    ready = [request for request in requests if not request.problem]
    reused = logged if setup.reuse else {}
    answered = Counter(position for position, _repeat in reused)
    times = {request.position: setup.repeats - answered[request.position] for request in ready}
    to_send = [request for request in ready if times[request.position]]
    count = sum(times.values())
    words = [counted(count, "request")]
    if to_send:
        cost = _price(to_send, times, setup.at_once)
        # Four characters per token is an estimate, so all of these are estimates.
        if cost.worst_tokens is not None:
            words.append(f"at most {cost.worst_tokens:,} tokens")
        if cost.expected_tokens is not None:
            words.append(f"about {cost.expected_tokens:,} tokens expected")
        if cost.expected_seconds is not None:
            words.append(f"about {time_in_words(cost.expected_seconds)}")
        currencies = {
            request.endpoint.prices.currency for request in to_send if request.endpoint and request.endpoint.prices
        }
        if cost.cost is not None and len(currencies) == 1:
            words.append(f"about {cost.cost:,.2f} {currencies.pop()}")
    st.markdown(f":small[{' · '.join(words)}]", width="content")
    if logged:
        st.toggle(
            f"Reuse {counted(len(logged), 'logged run')}",
            setup.reuse,
            key=keys.SWEEP_REUSE,
            help="Answers to exactly the same request from earlier runs. Their times are not used.",
            on_change=presses.soon(_apply_reuse),
        )
    return count


def time_in_words(seconds: float) -> str:
    """An estimated time, in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7_200 else f"{seconds / 3_600:,.1f} h"


def _apply_reuse() -> None:
    setup_form.change(reuse=st.session_state[keys.SWEEP_REUSE])


def confirmed(count: int) -> bool:
    """Whether this number of requests runs without a confirmation; otherwise the confirmation is shown from now on."""
    if count < read_settings().sweep_confirm_requests and not _is_beyond_demo(count):
        return True
    st.session_state[keys.SWEEP_UNCONFIRMED] = count
    return False


def draw_question(count: int) -> None:
    """Draw the confirmation when one is needed."""
    if st.session_state.get(keys.SWEEP_UNCONFIRMED) != count:
        return
    if _is_beyond_demo(count):
        st.error(f"This is {count:,} requests, more than this demo runs in one sweep. Shorten the plan.")
        return
    st.warning(f"This is {count:,} requests.", icon=":material/payments:")
    with st.container(horizontal=True, gap="small"):
        st.button(f"Run {count:,} requests", key="confirm_sweep", type="primary", on_click=presses.soon(_answer, count))
        st.button("Cancel", key="refuse_sweep", on_click=presses.soon(_answer, None))


def _answer(confirmed_count: int | None) -> None:
    st.session_state.pop(keys.SWEEP_UNCONFIRMED, None)
    if confirmed_count is not None:
        request_run(confirmed_count)


def _is_beyond_demo(count: int) -> bool:
    demo = service().demo
    return demo is not None and count > demo.sweep_runs


def _price(to_send: Sequence[RowRequest], times: Mapping[int, int], at_once: int) -> Price:
    """The price over all models, each with its own measures; ``times`` counts the requests of a position."""
    groups: dict[tuple[str, str], list[RowRequest]] = defaultdict(list)
    for request in to_send:
        if request.endpoint and request.composed.request:
            groups[request.endpoint.name, request.composed.request.model].append(request)
    return total_of([_price_of_group(*names, group, times, at_once) for names, group in groups.items()])


def _price_of_group(
    endpoint: str, model: str, group: Sequence[RowRequest], times: Mapping[int, int], at_once: int
) -> Price:
    measured = _measured(own_log(), endpoint, model)
    sent = [request.composed.request for request in group if request.composed.request]
    unseen = statistics.median(_unseen_tokens(measured) or [0])
    return price(
        [each.max_tokens for each in sent],
        [max(estimated_tokens(each.messages) + round(unseen), 1) for each in sent],
        [times[request.position] for request in group],
        concurrency=at_once,
        seconds_per_token=statistics.median(1 / each.tokens_per_second for each in measured) if measured else None,
        ttft_s=statistics.median(each.ttft_ms / 1000 for each in measured) if measured else None,
        expected_completion=statistics.fmean(each.completion_tokens for each in measured) if measured else None,
        prices=group[0].endpoint.prices if group[0].endpoint else None,
    )


def _unseen_tokens(measured: Sequence[Measured]) -> list[int]:
    """The prompt tokens above the estimate, such as those of a default system message in the model's template."""
    counts = []
    for run in measured:
        with suppress(ValueError):  # a body that no form makes
            counts.append(run.prompt_tokens - estimated_tokens(from_bytes(run.request_body).messages))
    return counts


@st.cache_data(ttl=30, show_spinner=False, max_entries=100, hash_funcs=BY_OWNER)
def _measured(log: OwnLog, endpoint: str, model: str) -> list[Measured]:
    try:
        return recent_measures(log.database, endpoint, model, _MEASURED_RUNS) if log.database else []
    except QueryFailed:
        return []  # the price then lacks these parts
