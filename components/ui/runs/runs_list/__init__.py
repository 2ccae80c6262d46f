"""The rows of the run log as a table, and as cards on a narrow page: a click opens a run, a tick selects it.

Clicks carry the run's id: a click that arrives after newer runs were added still means the run that was clicked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import streamlit as st

_FOLDER = Path(__file__).parent
_KEY = "runs_list"

_list = st.components.v2.component(
    "tempera_runs_list",
    html='<div class="runs-list"></div>',
    css=(_FOLDER / "runs_list.css").read_text(),
    js=(_FOLDER / "runs_list.js").read_text(),
    isolate_styles=False,
)


class Column(NamedTuple):
    """A column: its title, its definition, and its kind, which sets the width. The first column is the start time."""

    title: str
    kind: Literal["moment", "short", "medium", "text", "number"] = "text"
    help: str = ""


class Row(TypedDict):
    """A run: its id, status and cells, one for each column; times are in ISO format, in UTC."""

    id: str
    status: str
    cells: list[str | None]


def draw_runs_list(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    opened: str | None,
    ticked: Sequence[str],
    generation: int,
    on_open: Callable[[str], None],
    on_tick: Callable[[list[str]], None],
) -> None:
    """Draw the rows. The browser keeps its ticks until ``generation`` changes, and then takes ``ticked``."""
    _list(
        key=_KEY,
        data={
            "columns": [column._asdict() for column in columns],
            "rows": list(rows),
            "opened": opened,
            "ticked": list(ticked),
            "generation": generation,
        },
        on_opened_change=lambda: on_open(st.session_state[_KEY].opened),
        on_ticked_change=lambda: on_tick(st.session_state[_KEY].ticked),
    )
