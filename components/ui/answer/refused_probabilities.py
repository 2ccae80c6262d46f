"""One press that repeats a run without token probabilities, after an endpoint refused to return them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.contract.errors import read_error
from components.contract.fields import PROBABILITY_FIELDS
from components.log.record import RunRecord
from components.streaming.faults import ErrorKind
from components.ui import presses
from components.ui.answer.place import ALONE, Place
from components.ui.answer.probabilities import has_probabilities


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
