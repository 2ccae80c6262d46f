"""The history of comparisons or sweeps, each to be opened with its settings and answers."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.drafts.draft import Draft
from components.experiments.store import StoredExperiment, newest_experiments
from components.ui.plain_words import plain_words
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

EARLIER = "earlier"
"""Whether the popover of that name is open."""

_MAX = 12
_PROMPT_CHARACTERS = 60


def draw_earlier(
    kind: str, read: Callable[[StoredExperiment], tuple[Draft, str] | None], open_it: Callable[[str, Draft], None]
) -> None:
    """Draw the history in a popover; its content is made when it is opened.

    ``read`` returns the draft of an entry and its further description, or None when the entry is unreadable.
    """
    popover = st.popover("History", key=EARLIER, type="tertiary", icon=":material/history:", on_change="rerun")
    if not popover.open:
        return
    with popover, st.container(gap="xxsmall"):
        entries = [(stored.id, stored.created_at, *entry) for stored in _newest(kind) if (entry := read(stored))]
        if not entries:
            st.caption(f"No {kind} yet. Each one is listed here after it is run.")
        for experiment_id, created_at, draft, words in entries:
            st.button(
                _words(created_at, draft, words),
                key=f"earlier_{experiment_id}",
                type="tertiary",
                on_click=_open,
                args=(open_it, experiment_id, draft),
            )


def _newest(kind: str) -> list[StoredExperiment]:
    database = own_log().database
    with show_errors():
        return newest_experiments(database, _MAX, kind) if database else []
    return []


def _words(created_at: str, draft: Draft, description: str) -> str:
    moment = local_time(created_at)
    prompt = draft.text_of(draft.turns[-1]) if draft.turns else ""
    prompt_words = plain_words(prompt, _PROMPT_CHARACTERS)
    return f"{prompt_words} :small[:gray[{plain_words(description)} · {moment:%-d %b, %H:%M}]]"


def _open(open_it: Callable[[str, Draft], None], experiment_id: str, draft: Draft) -> None:
    st.session_state[EARLIER] = False
    open_it(experiment_id, draft)
