"""The data set of a sweep: a file or pasted text whose columns fill the variables, and its row limit."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.drafts.draft import Draft
from components.drafts.variables import names_in
from components.experiments.data_set import MOST_BYTES, DataSet, DataSetProblem, problem_with, read_data_set
from components.experiments.sweep_setup import Setup
from components.ui import presses
from components.ui.plain_words import plain_words
from components.ui.sweep import keys, setup_form
from components.ui.uploads import draw_uploader
from components.ui.user_errors import shown_next

_ENDINGS = ["csv", "tsv", "jsonl", "ndjson", "json"]
_MEGABYTES = MOST_BYTES // 1_000_000
_SHOWN_ROWS = 5
_HELP = (
    "CSV with a header line, or one JSON object per line. Each row of the plan is sent with each row of the data set."
)


def draw_data_set(setup: Setup, draft: Draft) -> tuple[list[dict[str, str]], str | None]:
    """Draw the data set, collapsed; returns the inputs, empty without a data set, and a problem that blocks them."""
    taken, problem = _taken(setup)
    if taken:
        problem = _problem(taken, setup, draft)
    label = f"Data set: {len(taken.rows):,} × {', '.join(taken.columns)}" if taken else "Data set"
    with st.expander(plain_words(label), key="data_set_box", expanded=bool(problem)):
        if taken:
            _draw_taken(taken, setup)
        else:
            _draw_giving()
        why = problem or (None if taken else st.session_state.get(keys.DATA_PROBLEM))
        if why:
            st.error(plain_words(why))
    return [dict(row) for row in taken.rows] if taken else [], problem


def filled_variables(setup: Setup) -> list[str]:
    """The variables that get their values from the data set or an axis."""
    taken, _why = _taken(setup)
    return [*(taken.columns if taken else ()), *names_in(setup.fields)]


def _taken(setup: Setup) -> tuple[DataSet | None, str | None]:
    """The selected rows, or the reason for none; cached, because parsing a million characters per click is slow."""
    asked = (setup.data, setup.data_name, setup.sample_rows, setup.sample_seed)
    known: tuple[object, DataSet | None, str | None] | None = st.session_state.get(keys.DATA_SET)
    if known and known[0] == asked:
        return known[1], known[2]
    taken, why = None, None
    try:
        taken = setup.data_set()
    except DataSetProblem as problem:
        why = str(problem)
    st.session_state[keys.DATA_SET] = asked, taken, why
    return taken, why


def _problem(taken: DataSet, setup: Setup, draft: Draft) -> str | None:
    twice = [column for column in taken.columns if f"{{{{{column}}}}}" in setup.fields]
    if twice:
        return f"{{{{{twice[0]}}}}} has an axis, too. Remove the axis, or rename the column."
    open_names = [
        name
        for name in draft.variable_names
        if name in taken.columns or not (draft.variables.get(name) or f"{{{{{name}}}}}" in setup.fields)
    ]
    return problem_with(taken, open_names)


def _draw_giving() -> None:
    draw_uploader(
        "File",
        type=_ENDINGS,
        key=keys.DATA_FILE,
        on_change=presses.soon(_take_file),
        max_upload_size=_MEGABYTES,
        help=_HELP,
    )
    st.text_area("Or paste it", key=keys.DATA_TEXT, on_change=presses.soon(_take_text), height=120, help=_HELP)


def _draw_taken(taken: DataSet, setup: Setup) -> None:
    st.dataframe(pd.DataFrame(list(taken.rows[:_SHOWN_ROWS])), hide_index=True, height="content")
    if len(taken.rows) > _SHOWN_ROWS:
        st.caption(f"The first {_SHOWN_ROWS} of {len(taken.rows):,}.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "Sample size",
            1,
            None,
            setup.sample_rows,
            key=keys.SAMPLE_ROWS,
            placeholder="all",
            help="A random sample of this many rows; the same seed gives the same sample.",
            on_change=presses.soon(_take_sample),
            width=150,
        )
        st.number_input(
            "Sample seed",
            0,
            None,
            setup.sample_seed,
            key=keys.SAMPLE_SEED,
            on_change=presses.soon(_take_sample),
            width=150,
        )
        st.button("Remove", key="drop_data", type="tertiary", icon=":material/delete:", on_click=presses.soon(_drop))


def _take_file() -> None:
    uploaded = st.session_state[keys.DATA_FILE]
    if uploaded is not None:
        _take(uploaded.name, uploaded.read(MOST_BYTES + 1), uploaded.size)


def _take_text() -> None:
    text = st.session_state[keys.DATA_TEXT]
    st.session_state.pop(keys.DATA_PROBLEM, None)
    if text.strip():
        _take("", text.encode(), None)


def _take(name: str, content: bytes, size: int | None) -> None:
    """Accept a valid data set; an invalid one stays in its input, with the reason."""
    st.session_state.pop(keys.DATA_PROBLEM, None)
    with shown_next(keys.DATA_PROBLEM):
        read_data_set(name, content, size)
        setup_form.change(data=content.decode("utf-8-sig"), data_name=name, sample_rows=None)


def _take_sample() -> None:
    seed = st.session_state[keys.SAMPLE_SEED]
    setup_form.change(sample_rows=st.session_state[keys.SAMPLE_ROWS], sample_seed=1 if seed is None else seed)


def _drop() -> None:
    st.session_state.pop(keys.DATA_PROBLEM, None)
    setup_form.change(data="", data_name="", sample_rows=None)
