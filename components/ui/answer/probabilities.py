"""Probabilities of tokens: which answers have them, the switch of their view, and a repeat without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

import streamlit as st

from components.contract.errors import read_error
from components.contract.fields import PROBABILITY_FIELDS
from components.log.record import RunRecord
from components.sharing.shared_run import SharedRun
from components.streaming.faults import ErrorKind
from components.ui import presses
from components.ui.answer import keys
from components.ui.answer.place import ALONE, Place


def view_of(record: RunRecord | None) -> Literal["tokens"] | None:
    """The view as tokens where it is chosen, and the answer has it."""
    chosen = record and has_probabilities(record) and st.session_state.get(keys.PROBABILITIES, True)
    return "tokens" if chosen else None


def draw_probability_view_switch(record: RunRecord) -> None:
    """Draw the switch of the view; nothing for an answer without probabilities."""
    if has_probabilities(record) and not st.session_state.get(keys.NATIVE):
        st.toggle(
            "Probabilities",
            value=st.session_state.get(keys.PROBABILITIES, True),
            key=keys.PROBABILITIES,
            persist_state="session",
            help="Colours each token by its probability. Point at one, tap it or use the arrow keys for its "
            "alternatives.",
        )


def draw_run_without_probabilities(
    record: RunRecord | None, run: Callable[[], None], place: Place = ALONE, *, requested: bool
) -> None:
    """Draw the button below a refusal that probably concerns the probabilities, while they are ``requested``.

    ``run`` omits them and runs.
    """
    if requested and record and _refused_probabilities(record):
        st.button(
            "Run without token probabilities",
            key=place.key("run_without_probabilities"),
            icon=":material/play_arrow:",
            help="Omits logprobs and top_logprobs, keeps everything else, and runs. Undo brings them back.",
            on_click=presses.soon(run),
        )


def _refused_probabilities(record: RunRecord) -> bool:
    """Whether the error names one of their fields, or is a refusal that names no field."""
    if record.running or not record.raw_error or not has_probabilities(record):
        return False
    fields = read_error(record.raw_error).fields
    names_a_field = any(name in record.raw_error for name in PROBABILITY_FIELDS)
    return names_a_field or (record.error_kind == ErrorKind.INVALID_REQUEST and not fields)


def has_probabilities(record: RunRecord) -> bool:
    """Whether the run has probabilities of tokens, or has asked for them; of a shared run, whether they are shared."""
    if isinstance(record, SharedRun):
        return record.has_probabilities
    if record.mean_logprob is not None:
        return True
    if '"logprobs"' not in record.request_body:
        return False
    try:
        return bool(json.loads(record.request_body).get("logprobs"))
    except (ValueError, RecursionError, AttributeError):
        return False
