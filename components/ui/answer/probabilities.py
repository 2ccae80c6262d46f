"""The view of an answer as tokens with their probabilities: which answers have it, and its switch."""

from __future__ import annotations

import json
from typing import Literal

import streamlit as st

from components.log.record import RunRecord
from components.sharing.shared_run import SharedRun
from components.ui.answer import keys


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
