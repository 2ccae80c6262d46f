"""An answer as rows of tokens for the browser, which colours them by their probability.

A row is a line of JSON: a text without probabilities as a string; a piece of the text with its tokens as

    [text, [[token or 0 for the same text, logprob, rank, entropy, alternatives, bytes in hex, 1 if a rest], …]]

each alternative ``[text, logprob, bytes in hex]``, without unknown values at the end; or a sentence as
``{"note": …}``. The text of rows is never HTML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from components.contract.token_probabilities import Alternative, Token
from components.log.answer_tokens import AnswerTokens, TokenPiece
from components.log.events import StoredEvent
from components.log.query import QueryFailed

_ROWS = 16
"""Rows of a block: the open block is compared for each message."""
_PLAIN = 1_000
"""Characters of a row without probabilities."""

NO_TOKENS = (
    "n/a: the events hold no probabilities of the answer's tokens. Switch on Token probabilities before the run; "
    "not every endpoint returns them."
)
OTHER_TEXT = "n/a: the tokens with probabilities do not spell the text of the answer, so no token is coloured."
OTHER_PROCESS = "This run belongs to another process: its probabilities appear when it has ended."
CUT = "The log kept no more of the events from here on, so the rest has no probabilities."
OF_REASONING = "{count:,} tokens of the reasoning have probabilities, too; they are in the events and not shown here."
NOT_IN_TEXT = "{count:,} tokens are not part of the text, such as the end of the answer; they are not shown here."

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class TokenRows:
    """A growing answer as blocks of rows. ``blocks`` are like those of ``AnswerBlocks``."""

    def __init__(self, read: Callable[[int], list[StoredEvent]] | None = None, *, grows: bool = False) -> None:
        """``read`` returns the events from an index on, and may be slow unless the run ``grows`` in this process.

        Without it, the events come by ``take``.
        """
        self.blocks: list[str] = []
        self._read = read
        self._grows = grows
        self._taken = 0
        self._tokens = AnswerTokens()
        self._written = 0
        self._rows: list[str] = []
        """Those of the open block."""
        self._settled: list[str] = []
        self._length = 0
        self._ended = False

    @property
    def reads_log(self) -> bool:
        """Whether the next update may read the log."""
        return self._read is not None and not self._grows and not self._ended

    def take(self, events: Iterable[StoredEvent]) -> None:
        """Add the next events."""
        for event in events:
            self._taken += 1
            self._tokens.take(event)

    def update(self, text: str, *, ended: bool = False) -> None:
        """Set the whole text so far. After the end it does not change."""
        if self._ended:
            return
        problem, is_cut = "", False
        if self._read and (self._grows or ended):
            try:
                self.take(self._read(self._taken))
            except QueryFailed as failure:
                problem = f"n/a: {failure}"
        self._ended = ended
        if ended:
            self._tokens.finish()
        for piece in self._tokens.pieces[self._written :]:
            self._write(piece)
        self._written = len(self._tokens.pieces)
        rows = list(self._rows)
        if ended:
            if not text.startswith("".join(piece.text for piece in self._tokens.pieces)):
                self._settled, rows, problem = [], _plain(text), problem or OTHER_TEXT
            else:
                # Events beyond the limit of a run's events are not kept at all.
                rest = text[self._length :]
                is_cut = self._tokens.is_cut or bool(rest and self._tokens.pieces)
                rows += _plain(rest)
            rows += [_encode({"note": note}) for note in self._note_sentences(problem, is_cut=is_cut)]
        elif self._read and not self._grows:
            rows = [*_plain(text), _encode({"note": OTHER_PROCESS})]
        elif self._tokens.rest:
            rows.append(_encode(self._tokens.rest))
        self.blocks = [*self._settled, "\n".join(rows)] if rows else list(self._settled)

    def _note_sentences(self, problem: str, *, is_cut: bool) -> list[str]:
        tokens = self._tokens
        if problem:
            return [problem]
        has_tokens = any(piece.tokens for piece in tokens.pieces)
        return [
            *([CUT] if is_cut else [] if has_tokens else [OTHER_TEXT if tokens.not_in_text else NO_TOKENS]),
            *([OF_REASONING.format(count=tokens.of_reasoning)] if tokens.of_reasoning else []),
            *([NOT_IN_TEXT.format(count=tokens.not_in_text)] if tokens.not_in_text else []),
        ]

    def _write(self, piece: TokenPiece) -> None:
        self._length += len(piece.text)
        if piece.tokens:
            self._rows.append(_encode([piece.text, [_token(token, piece.text) for token in piece.tokens]]))
        else:
            self._rows += _plain(piece.text)
        # A browser lays out a line that has ended once, so that it ends with its block.
        if len(self._rows) >= _ROWS or piece.text.endswith("\n"):
            self._settled.append("\n".join(self._rows))
            self._rows = []


def _plain(text: str) -> list[str]:
    return [_encode(text[begin : begin + _PLAIN]) for begin in range(0, len(text), _PLAIN)]


def _token(token: Token, text: str) -> list[Any]:
    row: list[Any] = [
        0 if token.text == text else token.text,
        _rounded(token.logprob),
        token.rank,
        _rounded(token.entropy),
        [_alternative(alternative) for alternative in token.alternatives],
        _hex(token),
        1 if token.is_rest else None,
    ]
    while row[-1] is None:
        row.pop()
    return row


def _alternative(alternative: Alternative) -> list[Any]:
    hexadecimal = _hex(alternative)
    row = [alternative.text, _rounded(alternative.logprob)]
    return row if hexadecimal is None else [*row, hexadecimal]


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def _hex(token: Token | Alternative) -> str | None:
    """The bytes where they are not those of the text."""
    return None if token.raw is None or token.raw == token.text.encode("utf-8", "replace") else token.raw.hex(" ")
