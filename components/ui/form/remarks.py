"""What there is to know before sending, each remark beside the field it concerns, with the fix it offers."""

from __future__ import annotations

import streamlit as st

from components.contract.fields import CONTRACT_FIELDS
from components.contract.lint import EXTRA_BODY, MESSAGES, Fix, Severity
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.composed import Composed
from components.drafts.draft import NothingWritten, extra_body_text, turns_of
from components.ui import presses
from components.ui.form import draft_form
from components.ui.form.request_form import Places
from components.ui.plain_words import plain_words

_SIGNS = {
    Severity.HINT: (":material/info:", "gray"),
    Severity.MAY_BE_REFUSED: (":material/warning:", "orange"),
    Severity.CANNOT_BE_SENT: (":material/error:", "red"),
}


def draw_remarks(composed: Composed, profile: Profile, places: Places) -> None:
    """Draw each remark at its field's place, and why the form makes no request yet, once there is something to it."""
    problem = composed.problem
    if problem and not isinstance(problem, NothingWritten):
        with places.get(problem.field, places[MESSAGES]):
            _draw_sentence(str(problem), Severity.CANNOT_BE_SENT)
    for number, remark in enumerate(composed.remarks):
        with (
            # A field that the form does not show stands among the extra body fields.
            places.get(remark.field, places[EXTRA_BODY]),
            st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"),
        ):
            _draw_sentence(remark.sentence, remark.severity)
            if remark.fix:
                st.button(
                    plain_words(remark.fix.label),
                    key=f"fix_{number}",
                    type="tertiary",
                    icon=":material/build:",
                    on_click=presses.soon(_apply, remark.fix, composed.request, profile),
                )


def _draw_sentence(sentence: str, severity: Severity) -> None:
    icon, colour = _SIGNS[severity]
    st.markdown(f":{colour}[{icon} :small[{plain_words(sentence)}]]", width="stretch")


def _apply(fix: Fix, before: ChatCompletionStreamRequest, profile: Profile) -> None:
    """Change in the form what the fix changes in the request, and nothing else: variables stay variables."""
    draft, after = draft_form.read(), fix.request
    mended = draft.asking(after, profile, turns=draft.turns)
    settings = {
        field: mended.settings[field]
        if (before.state_of(field), getattr(before, field)) != (after.state_of(field), getattr(after, field))
        else draft.settings[field]
        for field in CONTRACT_FIELDS
    }
    turns = draft.turns
    if before.messages != after.messages:
        prefixes = [turn.prefix for turn in turns_of(after.messages)]
        turns = tuple(turn.model_copy(update={"prefix": prefix}) for turn, prefix in zip(turns, prefixes, strict=True))
    extra_body = draft.extra_body if before.extra_body == after.extra_body else extra_body_text(after.extra_body)
    draft_form.fill(
        draft.model_copy(update={"settings": settings, "turns": turns, "extra_body": extra_body}),
        plain_words(fix.label),
    )
