"""The remarks before sending, each at its field, with its fix."""

from __future__ import annotations

import streamlit as st

from components.contract.fields import is_of_contract
from components.contract.lint import EXTRA_BODY, MESSAGES, Fix, Severity
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest
from components.drafts.change import between
from components.drafts.composed import Composed
from components.drafts.draft import Draft, NothingWritten
from components.drafts.known_keys import with_known_keys
from components.ui.choices import draw_action
from components.ui.form import draft_form
from components.ui.form.request_form import Places
from components.ui.plain_words import plain_words

_SIGNS = {
    Severity.HINT: (":material/info:", "gray"),
    Severity.MAY_BE_REFUSED: (":material/warning:", "orange"),
    Severity.CANNOT_BE_SENT: (":material/error:", "red"),
}


def draw_remarks(composed: Composed, profile: Profile, places: Places) -> None:
    """Draw each remark at its field, and the problem that prevents a request, once the form has content."""
    problem = composed.problem
    if problem and not isinstance(problem, NothingWritten):
        with places.get(problem.field, places[MESSAGES]):
            _draw_sentence(str(problem), Severity.CANNOT_BE_SENT)
    for number, remark in enumerate(composed.remarks):
        with (
            # A field outside the form is among the extra body fields.
            places.get(remark.field, places[EXTRA_BODY]),
            st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"),
        ):
            _draw_sentence(remark.sentence, remark.severity)
            if remark.fix:
                label, before = plain_words(remark.fix.label), composed.request
                draw_action(label, f"fix_{number}", ":material/build:", _apply, remark.fix, before, profile)


def _draw_sentence(sentence: str, severity: Severity) -> None:
    icon, colour = _SIGNS[severity]
    st.markdown(f":{colour}[{icon} :small[{plain_words(sentence)}]]", width="stretch")


def _apply(fix: Fix, before: ChatCompletionStreamRequest, profile: Profile) -> None:
    """Apply a fix of the request to the form and nothing else: variables stay variables."""
    draft = draft_form.read()
    form_before, form_after = (_asking(draft, request, profile) for request in (before, fix.request))
    change, sent = between(form_before, form_after), draft.further_values(profile)
    in_text = [field for field in change.settings if not is_of_contract(field) and field not in sent]
    if in_text or change.extra_body is not None:
        # The fixed fields are in the text: known ones become fields of the form.
        further = {field: setting for field, setting in form_after.settings.items() if not is_of_contract(field)}
        change = change.model_copy(update={"settings": change.settings | further, "extra_body": form_after.extra_body})
    draft_form.change(change, plain_words(fix.label))


def _asking(draft: Draft, request: ChatCompletionStreamRequest, profile: Profile) -> Draft:
    pairs = zip(draft.turns, request.messages, strict=True)
    turns = tuple(turn.model_copy(update={"prefix": message.prefix}) for turn, message in pairs)
    return with_known_keys(draft.with_request(request, profile, turns=turns), profile, in_any_order=True)
