"""The differences of the lanes' answers: word by word against one lane, and the first divergence."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from itertools import pairwise

import streamlit as st

from components.drafts.comparison import MAX_LANES
from components.experiments.divergence import Branch, divergence, first_difference, token_at
from components.experiments.divergent_tokens import divergent_tokens
from components.experiments.word_difference import MAX_COMPARED, Kind, Piece, changed_share, word_differences
from components.live.replay import lengths_after
from components.log.answer_tokens import TokenPiece, tokens_of
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from components.log.record import RunRecord
from components.ui.answer.own_html import draw_marked
from components.ui.answer.run_lookup import events_reader
from components.ui.plain_words import plain_words

_SHOWN_OF_SHARED = 400
"""Characters; the middle of a longer common beginning is left out."""
_MAX_INDENT = 4

_MARKS = {
    Kind.SAME: "{}",
    Kind.ADDED: '<ins><i class="mark">[+</i>{}<i class="mark">+]</i></ins>',
    Kind.REMOVED: '<del><i class="mark">[−</i>{}<i class="mark">−]</i></del>',
}
"""Signs as well as colours, for colour-blind readers."""


_TOO_LONG = f"One of the answers has more than {MAX_COMPARED:,} words and signs, so they are not compared."


def answer_text(record: RunRecord) -> str:
    """The text of a run's answer, followed by its tool calls; empty without an answer."""
    calls = [f"{call['name']}({call['arguments']})" for call in json.loads(record.tool_calls)]
    return "\n".join([record.text, *calls] if record.text else calls)


def draw_word_differences(shown: Mapping[str, RunRecord], reference: str) -> None:
    """Draw each answer with its added and removed words against the answer of the lane ``reference``."""
    shown = _chosen_answers(shown)
    reference = reference if reference in shown else next(iter(shown), "")
    if not shown:
        return
    base = answer_text(shown[reference])
    identical = [title for title, record in shown.items() if title != reference and answer_text(record) == base]
    if identical:
        count = len(identical) + 1
        st.markdown(f"Identical: **{plain_words(', '.join([reference, *identical]))}** ({count} of {len(shown)})")
    others = [title for title in shown if title != reference and title not in identical]
    columns = st.columns(min(len(others), 2)) if others else []
    for number, title in enumerate(others):
        with columns[number % len(columns)]:
            _draw_one(title, shown[title], reference, shown[reference])


def changed_words(before: RunRecord, after: RunRecord) -> float | None:
    """The share of words that differ in two answers; None for answers too long to compare."""
    pieces = _pieces(answer_text(before), answer_text(after))
    return None if pieces is None else changed_share(pieces)


def draw_one_side(before: RunRecord, after: RunRecord, own: Kind) -> None:
    """Draw the earlier answer with its removed words, or the later with its added words: ``own`` is their kind."""
    pieces = _pieces(answer_text(before), answer_text(after))
    if pieces is None:
        pieces = [Piece(Kind.SAME, answer_text(after if own is Kind.ADDED else before))]
    draw_marked(_marked([piece for piece in pieces if piece.kind in (Kind.SAME, own)]))


def draw_first_divergence(shown: Mapping[str, RunRecord], *, with_chances: bool = True) -> None:
    """Draw the common beginning of the answers, the continuation of each, and how likely the tokens were there."""
    shown = _chosen_answers(shown)
    if shown:
        draw_marked(divergence_html(shown, with_chances=with_chances))


def divergence_html(shown: Mapping[str, RunRecord], *, with_chances: bool = False) -> str:
    """The common beginning of the answers and the continuation of each, as HTML with all text escaped."""
    tree = divergence({title: answer_text(record) for title, record in shown.items()})
    pieces: list[str] = []
    _write_branch(tree, shown, pieces, 0)
    if tree.branches and with_chances:
        pieces.append('<div class="branch-chances">How likely the tokens were where the answers part:')
        _write_chances(tree, shown, pieces)
        pieces.append("</div>")
    return "".join(pieces)


def marked_words(base: RunRecord, record: RunRecord) -> str:
    """The words that an answer adds and removes, as HTML with all text escaped."""
    pieces = _pieces(answer_text(base), answer_text(record))
    return _TOO_LONG if pieces is None else _marked(pieces)


def _chosen_answers(shown: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
    """The answers to compare: each run's first choice, or those that the reader selects where runs have several."""
    answers: dict[str, RunRecord] = {}
    for title, record in shown.items():
        answers[title] = record
        for number, choice in enumerate(record.choices_beyond_first(), 2):
            calls = json.dumps([asdict(call) for call in choice.tool_calls])
            # Without the id, so that the tokens of the first choice are not taken for those of this one.
            answers[f"{title}, choice {number}"] = replace(record, id="", text=choice.text, tool_calls=calls)
    if len(answers) == len(shown):
        return answers
    chosen = st.multiselect(
        "Answers",
        list(answers),
        default=list(shown if len(shown) > 1 else answers)[:MAX_LANES],
        max_selections=MAX_LANES,
        format_func=plain_words,
        key=f"answers_{'_'.join(record.id[:8] for record in shown.values())}",
    )
    return {title: answers[title] for title in answers if title in chosen}


def _draw_one(title: str, record: RunRecord, reference: str, base: RunRecord) -> None:
    before, after = answer_text(base), answer_text(record)
    index = first_difference(before, after)
    token = _token(record, index)
    words = f"parts at character {index + 1:,}" + (f", token {token:,}" if token else "") if index is not None else ""
    st.markdown(f"**{plain_words(title)}** :small[:gray[against {plain_words(reference)}: {words}]]")
    pieces = _pieces(before, after)
    if pieces is None:
        st.caption(_TOO_LONG)
        return
    removed = sum(len(piece.text.split()) for piece in pieces if piece.kind is Kind.REMOVED)
    added = sum(len(piece.text.split()) for piece in pieces if piece.kind is Kind.ADDED)
    st.caption(f"{added:,} words added, {removed:,} words removed")
    draw_marked(_marked(pieces))


def _marked(pieces: list[Piece]) -> str:
    marked = "".join(_MARKS[piece.kind].format(html.escape(piece.text)) for piece in pieces)
    return f'<div class="word-difference" tabindex="0">{marked}</div>'


@st.cache_data(max_entries=64, show_spinner=False)
def _pieces(before: str, after: str) -> list[Piece] | None:
    return word_differences(before, after)


def _write_branch(branch: Branch, shown: Mapping[str, RunRecord], pieces: list[str], depth: int) -> None:
    names = html.escape(", ".join(branch.names))
    several = len(branch.names) > 1
    if several and branch.branches:
        size = f"{len(branch.text):,} characters in common"
    elif several:
        size = f"identical ({len(branch.names)} answers)"
    else:
        token = _token(shown[branch.names[0]], branch.begins_at)
        size = f"from character {branch.begins_at + 1:,}" + (f", token {token:,}" if token else "")
        if not branch.text:
            size = f"ends after {branch.begins_at:,} characters"
    dimmed = " shared" if branch.branches else ""
    pieces.append(
        f'<div class="branch depth-{min(depth, _MAX_INDENT)}">'
        f'<div class="branch-head"><b>{names}</b> {size}</div>'
        f'<div class="branch-text{dimmed}">{html.escape(_shortened(branch.text))}</div></div>'
    )
    for child in branch.branches:
        _write_branch(child, shown, pieces, depth + 1)


def _write_chances(branch: Branch, shown: Mapping[str, RunRecord], pieces: list[str]) -> None:
    """Write for each answer how likely its own token and those of the others were where a branch parts."""
    position = branch.begins_at + len(branch.text)
    for child in branch.branches:
        name = child.names[0]
        others = {other.names[0]: shown[other.names[0]] for other in branch.branches if other is not child}
        pieces.append(f"<div>{html.escape(chances_in_words(name, shown[name], others, position))}</div>")
    for child in branch.branches:
        _write_chances(child, shown, pieces)


def chances_in_words(title: str, record: RunRecord, others: Mapping[str, RunRecord], place: int) -> str:
    """How likely an answer's own token and those of others were at the character where they part, as a sentence."""
    own_pieces = _pieces_of(record)
    if not any(piece.tokens for piece in own_pieces):
        return f"{title}: n/a, the run has no token probabilities. Switch them on before the run."
    tokens = {name: divergent_tokens(own_pieces, _pieces_of(other), place) for name, other in others.items()}
    views = {name: view for name, view in tokens.items() if view}
    if not views:
        return f"{title}: n/a, no token of another answer begins at the same character."
    own = next(iter(views.values()))
    words = [f"{title} parts at token {own.number:,}: its own “{own.own_text}” had {own.own_share}"]
    for name, view in views.items():
        words.append(f"“{view.other_text}” of {name} {view.other_share}{' (by a hair)' if view.is_close else ''}")
    return "; ".join(words)


def _pieces_of(record: RunRecord) -> list[TokenPiece]:
    try:
        return _cached_pieces(record.id, record.text, events_reader(record)) if record.id else []
    except QueryFailed:
        return []  # not cached: the next draw may find them


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_pieces(run_id: str, text: str, _read: Callable[[], list[StoredEvent]]) -> list[TokenPiece]:
    return tokens_of(_read(), text).pieces


def _shortened(text: str) -> str:
    if len(text) <= _SHOWN_OF_SHARED:
        return text
    half = _SHOWN_OF_SHARED // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters …\n{text[-half:]}"


def _token(record: RunRecord, character: int | None) -> int | None:
    """The number of the token with this character, if the endpoint sends one token per chunk."""
    if character is None or not record.id:
        return None
    try:
        return token_at(_tokens(record.id, record.text, events_reader(record)), character)
    except QueryFailed:
        return None  # not cached: the next draw may find them


@st.cache_data(max_entries=64, show_spinner=False)
def _tokens(run_id: str, text: str, _read: Callable[[], list[StoredEvent]]) -> list[str]:
    events = _read()
    ends = [length for length in dict.fromkeys(lengths_after(events, text)) if length]
    return [text[begin:end] for begin, end in pairwise([0, *ends])]
