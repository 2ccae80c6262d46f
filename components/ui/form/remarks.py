"""What there is to know before sending, each remark beside the field it concerns, with the fix it offers."""

from __future__ import annotations

import streamlit as st

from components.contract.lint import EXTRA_BODY, MESSAGES, Fix, Severity
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.change import between
from components.drafts.composed import Composed
from components.drafts.conversation import Turns
from components.drafts.draft import NothingWritten
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
    draft = draft_form.read()
    form_before, form_after = (
        draft.asking(request, profile, turns=_with_prefixes(draft.turns, request)) for request in (before, fix.request)
    )
    draft_form.change(between(form_before, form_after), plain_words(fix.label))


def _with_prefixes(turns: Turns, request: ChatCompletionStreamRequest) -> Turns:
    pairs = zip(turns, request.messages, strict=True)
    return tuple(turn.model_copy(update={"prefix": message.prefix}) for turn, message in pairs)
