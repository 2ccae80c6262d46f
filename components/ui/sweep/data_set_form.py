"""The data set of a sweep: a file or pasted text whose columns fill the variables, and its row limit."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.drafts.draft import Draft
from components.drafts.variables import names_in
from components.experiments.data_set import MAX_BYTES, DataSet, DataSetProblem, problem_with, read_data_set
from components.experiments.sweep_setup import Setup
from components.ui import presses, state
from components.ui.choices import draw_action
from components.ui.plain_words import plain_words
from components.ui.sweep import keys, setup_form
from components.ui.uploads import draw_uploader
from components.ui.user_errors import show_errors_later

_ENDINGS = ["csv", "tsv", "jsonl", "ndjson", "json"]
_SHOWN_ROWS = 5
_HELP = (
    "CSV with a header line, or one JSON object per line. Each row of the plan is sent with each row of the data set."
)


def draw_data_set(setup: Setup, draft: Draft) -> tuple[list[dict[str, str]], str | None]:
    """Draw the data set, collapsed; returns the inputs, empty without a data set, and a problem that blocks them."""
    selected, problem = _selected(setup)
    if selected:
        problem = _problem(selected, setup, draft)
    label = f"Data set: {len(selected.rows):,} × {', '.join(selected.columns)}" if selected else "Data set"
    with st.expander(plain_words(label), key="data_set_box", expanded=bool(problem)):
        if selected:
            _draw_selected(selected, setup)
        else:
            _draw_input()
        sentence = problem or (None if selected else st.session_state.get(keys.DATA_PROBLEM))
        if sentence:
            st.error(plain_words(sentence))
    return [dict(row) for row in selected.rows] if selected else [], problem


def filled_variables(setup: Setup) -> list[str]:
    """The variables that get their values from the data set or an axis."""
    selected, _ = _selected(setup)
    return [*(selected.columns if selected else ()), *names_in(setup.fields)]


def _selected(setup: Setup) -> tuple[DataSet | None, str | None]:
    """The selected rows, or the reason for none; cached, because parsing a million characters per click is slow."""
    source = (setup.data, setup.data_name, setup.sample_rows, setup.sample_seed)
    return state.last_value(keys.DATA_SET, source, lambda: _read(setup))


def _read(setup: Setup) -> tuple[DataSet | None, str | None]:
    try:
        return setup.data_set(), None
    except DataSetProblem as problem:
        return None, str(problem)


def _problem(selected: DataSet, setup: Setup, draft: Draft) -> str | None:
    on_axis = [column for column in selected.columns if f"{{{{{column}}}}}" in setup.fields]
    if on_axis:
        return f"{{{{{on_axis[0]}}}}} has an axis, too. Remove the axis, or rename the column."
    return problem_with(selected, draft, setup.fields)


def _draw_input() -> None:
    draw_uploader(
        "File",
        type=_ENDINGS,
        key=keys.DATA_FILE,
        on_change=presses.soon(_apply_file),
        max_upload_size=MAX_BYTES // 1_000_000,
        help=_HELP,
    )
    st.text_area("Or paste it", key=keys.DATA_TEXT, on_change=presses.soon(_apply_text), height=120, help=_HELP)


def _draw_selected(selected: DataSet, setup: Setup) -> None:
    st.dataframe(pd.DataFrame(list(selected.rows[:_SHOWN_ROWS])), hide_index=True, height="content")
    if len(selected.rows) > _SHOWN_ROWS:
        st.caption(f"The first {_SHOWN_ROWS} of {len(selected.rows):,}.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "Sample size",
            1,
            None,
            setup.sample_rows,
            key=keys.SAMPLE_ROWS,
            placeholder="all",
            help="A random sample of this many rows; the same seed gives the same sample.",
            on_change=presses.soon(_apply_sample),
            width=150,
        )
        st.number_input(
            "Sample seed",
            0,
            None,
            setup.sample_seed,
            key=keys.SAMPLE_SEED,
            on_change=presses.soon(_apply_sample),
            width=150,
        )
        draw_action("Remove", "drop_data", ":material/delete:", _drop)


def _apply_file() -> None:
    uploaded = st.session_state[keys.DATA_FILE]
    if uploaded is not None:
        _use(uploaded.name, uploaded.read(MAX_BYTES + 1), uploaded.size)


def _apply_text() -> None:
    text = st.session_state[keys.DATA_TEXT]
    st.session_state.pop(keys.DATA_PROBLEM, None)
    if text.strip():
        _use("", text.encode(), None)


def _use(name: str, content: bytes, size: int | None) -> None:
    """Accept a valid data set; an invalid one stays in its input, with the reason."""
    st.session_state.pop(keys.DATA_PROBLEM, None)
    with show_errors_later(keys.DATA_PROBLEM):
        read_data_set(name, content, size)
        setup_form.change(data=content.decode("utf-8-sig"), data_name=name, sample_rows=None)


def _apply_sample() -> None:
    seed = st.session_state[keys.SAMPLE_SEED]
    setup_form.change(sample_rows=st.session_state[keys.SAMPLE_ROWS], sample_seed=1 if seed is None else seed)


def _drop() -> None:
    st.session_state.pop(keys.DATA_PROBLEM, None)
    setup_form.change(data="", data_name="", sample_rows=None)
