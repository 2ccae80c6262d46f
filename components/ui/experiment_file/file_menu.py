"""Saves the experiment of a page as a file, and opens one on its page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.experiments.file_format import ExperimentFile
from components.experiments.file_reading import read_experiment_file
from components.experiments.file_writing import write_experiment_file
from components.experiments.problem import SweepProblem
from components.experiments.yaml_text import MAX_BYTES
from components.ui import presses
from components.ui.available_endpoints import available_endpoints
from components.ui.experiment_file import keys, rules_form
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.uploads import draw_uploader
from components.ui.user_errors import draw_error, show_errors_later


def draw_file_menu(experiment: Callable[[], ExperimentFile]) -> None:
    """Draw the menu; ``experiment`` is that of the page, with its rules."""
    menu = st.popover("File", key=keys.FILE_MENU, type="tertiary", icon=":material/description:", on_change="rerun")
    if not menu.open:
        return
    with menu:
        try:
            st.download_button(
                "Save as YAML",
                write_experiment_file(experiment()),
                "experiment.yaml",
                "application/yaml",
                key="save_experiment_file",
                icon=":material/download:",
                on_click="ignore",
                help="A file to edit and to run with `tempera experiment run`. It holds no key and no address.",
            )
        except SweepProblem as problem:
            st.error(plain_words(problem.sentence))
        draw_uploader(
            "Open a file",
            type=["yaml", "yml"],
            key=keys.FILE,
            on_change=presses.soon(_read_file),
            max_upload_size=MAX_BYTES // 1_000_000,
        )
        draw_error(keys.FILE_PROBLEM)


def opened_file(*, sweep: bool) -> ExperimentFile | None:
    """The file that was just opened, if its experiment belongs on this page; call it before the form is drawn.

    The form and the rules are those of the file then. The file of another page leads to that page.
    """
    opened: ExperimentFile | None = st.session_state.get(keys.OPENED_FILE)
    if opened is None:
        return None
    if (opened.setup is not None) != sweep:
        st.switch_page("compare.py" if sweep else "sweep.py")
    del st.session_state[keys.OPENED_FILE]
    draft_form.fill(opened.draft, "file opened")
    rules_form.put(opened.rules)
    return opened


def _read_file() -> None:
    uploaded = st.session_state[keys.FILE]
    if uploaded is None:
        return
    with show_errors_later(keys.FILE_PROBLEM):
        text = uploaded.read(MAX_BYTES + 1).decode("utf-8-sig", "replace")
        further = [name for endpoint in available_endpoints().values() for name in endpoint.profile.fields]
        st.session_state[keys.OPENED_FILE] = read_experiment_file(text, further_fields=further)
        st.session_state[keys.FILE_MENU] = False
