"""The comparisons of before, to be opened again with their settings and answers."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.drafts.draft import Draft, read_draft
from components.experiments.store import KeptExperiment, newest_experiments
from components.runs.query import QueryFailed
from components.service import service
from components.ui import draft_form, state
from components.ui.plain_words import plain_words

_MOST = 12
_PROMPT_CHARACTERS = 60


def draw_earlier() -> None:
    """Draw them in a popover; its content is made when it is opened."""
    popover = st.popover("Earlier", key=state.EARLIER, type="tertiary", icon=":material/history:", on_change="rerun")
    if not popover.open:
        return
    with popover, st.container(gap="xxsmall"):
        found = [(kept, draft) for kept in _newest() if (draft := read_draft(kept.content))]
        if not found:
            st.caption("No comparison yet. Each is kept here when it is run.")
        for kept, draft in found:
            st.button(
                _words(kept, draft),
                key=f"earlier_{kept.id}",
                type="tertiary",
                on_click=_open,
                args=(kept.id, draft),
            )


def _newest() -> list[KeptExperiment]:
    database = service().log.database
    try:
        return newest_experiments(database, _MOST) if database else []
    except QueryFailed as failure:
        st.error(str(failure))
        return []


def _words(kept: KeptExperiment, draft: Draft) -> str:
    moment = pd.Timestamp(kept.created_at).tz_convert(st.context.timezone or "UTC")
    prompt = draft.text_of(draft.turns[-1]) if draft.turns else ""
    asked = plain_words(prompt, _PROMPT_CHARACTERS)
    return f"{asked} :small[:gray[{len(draft.comparison.lanes)} lanes · {moment:%-d %b, %H:%M}]]"


def _open(experiment_id: str, draft: Draft) -> None:
    st.session_state[state.EARLIER] = False
    draft_form.fill(draft, "comparison opened")
    state.show_experiment(state.EXPERIMENT, experiment_id)
