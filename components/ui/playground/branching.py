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
from components.ui.user_errors import shown_next


def branching(record: RunRecord | None, endpoint: AnyEndpoint | None) -> Branching | None:
    """What a click on an alternative of the shown answer does. ``endpoint`` is the run's own, if it still exists."""
    if record is None or record.running:
        return None
    if endpoint is None:
        return Branching("The endpoint of this run is not there any more.")
    if not endpoint.profile.prefix:
        return Branching(f"The {endpoint.profile.name} dialect cannot begin an answer with given text.")
    return Branching(act=lambda told: _branch(record, endpoint, told))


def _branch(record: RunRecord, endpoint: AnyEndpoint, told: Mapping[str, Any]) -> None:
    asked = told.get("branch")
    if not isinstance(asked, Mapping) or asked.get("run") != record.id:
        return  # the page shows another run by now
    pieces: list[TokenPiece] = []
    with shown_next(state.RUN_PROBLEM, "Not continued: "):
        pieces = tokens_of(events_reader(record)(), record.text).pieces
    begun = text_before(pieces, asked.get("token"), asked.get("alternative"))
    draft, request = draft_form.draft_of(record, draft_form.read()), request_of(record)
    if begun is None or draft is None or request is None:
        return
    last = request.messages[-1]
    prefix = last.content if last.role is Role.ASSISTANT and last.prefix else ""
    turns = draft.turns[:-1] if prefix else draft.turns
    # Most endpoints repeat the prefix at the beginning of the answer; some send only the continuation.
    content = begun if begun.startswith(prefix) else prefix + begun
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
