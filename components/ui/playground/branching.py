"""Continues an answer from another token: a run that begins with the text so far and one of the alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.contract.messages import Role
from components.drafts.composed import compose
from components.drafts.conversation import Turn
from components.drafts.variables import names_in
from components.endpoints.endpoint import AnyEndpoint
from components.log.answer_tokens import TokenPiece, tokens_of
from components.log.record import RunRecord
from components.runs.order import order_for
from components.ui import state
from components.ui.answer.place import Branching
from components.ui.answer.run_lookup import events_reader, request_of
from components.ui.answer.sending import start
from components.ui.form import draft_form
from components.ui.user_errors import show_errors_later


def branching(record: RunRecord | None, endpoint: AnyEndpoint | None) -> Branching | None:
    """The action of a click on an alternative of the answer. ``endpoint`` is the run's own, if it still exists."""
    if record is None or record.running:
        return None
    if endpoint is None:
        return Branching("The endpoint of this run is not there any more.")
    if not endpoint.profile.prefix:
        return Branching(f"The {endpoint.profile.name} dialect cannot begin an answer with given text.")
    return Branching(act=lambda choice: _branch(record, endpoint, choice))


def _branch(record: RunRecord, endpoint: AnyEndpoint, choice: Mapping[str, Any]) -> None:
    alternative = choice.get("branch")
    if not isinstance(alternative, Mapping) or alternative.get("run") != record.id:
        return  # the page shows another run by now
    pieces: list[TokenPiece] = []
    with show_errors_later(state.RUN_PROBLEM, "Not continued: "):
        pieces = tokens_of(events_reader(record)(), record.text).pieces
    text = text_before(pieces, alternative.get("token"), alternative.get("alternative"))
    draft, request = draft_form.draft_of(record, draft_form.read()), request_of(record)
    if text is None or draft is None or request is None:
        return
    turns = draft.turns[:-1] if request.answer_prefix else draft.turns
    content = request.with_prefix(text)
    turn = Turn(
        id=draft_form.next_turn_id(),
        role=Role.ASSISTANT,
        content=content,
        prefix=True,
        literal=bool(names_in([content])),
    )
    draft = draft.model_copy(update={"turns": (*turns, turn)})
    order = order_for(endpoint, compose(draft, endpoint.profile), draft)
    run = order and start(order)
    if run:
        draft_form.fill(draft, "answer continued from another token")
        state.show_run(run.id)


def text_before(pieces: list[TokenPiece], token: object, alternative: object) -> str | None:
    """The text before a token, counted from 0 among those with probabilities, and one of its alternatives.

    None where there is no such token, or where one of them is only a part of a character.
    """
    with_tokens = [place for place, piece in enumerate(pieces) if piece.tokens]
    if not isinstance(token, int) or not isinstance(alternative, int) or not 0 <= token < len(with_tokens):
        return None
    place = with_tokens[token]
    tokens = pieces[place].tokens
    if len(tokens) > 1 or tokens[0].is_rest or not 0 <= alternative < len(tokens[0].alternatives):
        return None
    chosen = tokens[0].alternatives[alternative]
    if chosen.raw is not None and chosen.raw != chosen.text.encode("utf-8", "replace"):
        return None
    return "".join(piece.text for piece in pieces[:place]) + chosen.text
