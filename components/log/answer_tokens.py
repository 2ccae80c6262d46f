"""The tokens of an answer with their probabilities, from the stored events, in their places in the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from components.contract.chunk import UnreadableEvent, read_chunk
from components.contract.token_probabilities import Token, octets, read_tokens
from components.log.events import StoredEvent
from components.streaming.answer import Answer
from components.streaming.faults import StreamFault
from components.streaming.limits import Limits

_LONGEST_CHARACTER = 4
"""Bytes in UTF-8."""


class TokenPiece(NamedTuple):
    """A piece of an answer's text: one token, several tokens of one character, or text without probabilities."""

    text: str
    tokens: tuple[Token, ...] = ()


class AnswerTokens:
    """The first choice's text in pieces, from its events in their order.

    ``not_in_text`` counts tokens that are not part of the text, such as the end of the answer, and ``of_reasoning``
    those of the reasoning. ``is_cut``: an event was not stored whole, so the events after it have no tokens.
    """

    def __init__(self) -> None:
        self.pieces: list[TokenPiece] = []
        self.not_in_text = self.of_reasoning = 0
        self.is_cut = False
        self._answer = Answer(Limits())
        self._waiting: list[TokenPiece] = []
        """Tokens whose text has not come yet."""
        self.rest = ""
        """Text whose tokens have not come yet."""
        self._open: list[Token] = []
        """The first tokens of a character."""

    def take(self, event: StoredEvent) -> None:
        """Add the next event."""
        if self.is_cut:
            return
        if event.size > len(event.data):
            self.is_cut = True
            self._settle()
            return
        try:
            chunk = read_chunk(event.data)
            deltas = self._answer.add(chunk)
        except (UnreadableEvent, StreamFault):
            return
        for delta in deltas:
            if delta.index == 0:
                self.rest += delta.text
        for choice in chunk.choices:
            if choice.index == 0 and choice.logprobs:
                tokens = read_tokens(choice.logprobs)
                self.of_reasoning += len(tokens.of_reasoning)
                if choice.reasoning:
                    self.of_reasoning += len(tokens.of_text)
                elif choice.tool_calls:
                    self.not_in_text += len(tokens.of_text)
                else:
                    self._add(tokens.of_text)
        self._match()

    def finish(self) -> None:
        """Note that no event follows."""
        self.rest += "".join(delta.text for delta in self._answer.flush() if delta.index == 0)
        self._match()
        self._settle()

    def _add(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            if token.raw is None and not self._open:
                self._waiting.append(TokenPiece(token.text, (token,)))
                continue
            self._open.append(token)
            raw = b"".join(map(octets, self._open))
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                if len(raw) - error.start < _LONGEST_CHARACTER and error.end == len(raw):
                    continue  # the rest of the character comes with the next token
                text = raw.decode(errors="replace")
            self._waiting.append(TokenPiece(text, tuple(self._open)))
            self._open.clear()

    def _match(self) -> None:
        while self._waiting:
            piece = self._waiting[0]
            if not piece.text:
                self.not_in_text += len(piece.tokens)
            elif self.rest.startswith(piece.text):
                self._place(piece, 0)
            elif piece.text.startswith(self.rest):
                return  # its text is yet to come
            elif not self.pieces and self.rest.startswith(piece.text.lstrip(" ")) and piece.text.strip(" "):
                # Some tokenizers begin a text with a blank that is not part of it.
                self._place(piece._replace(text=piece.text.lstrip(" ")), 0)
            elif (at := self.rest.find(piece.text)) > 0:
                self._place(piece, at)
            else:
                self.not_in_text += len(piece.tokens)
            del self._waiting[0]
        if not self._open:
            self._settle_text()

    def _place(self, piece: TokenPiece, at: int) -> None:
        if at:
            self.pieces.append(TokenPiece(self.rest[:at]))
        self.pieces.append(piece)
        self.rest = self.rest[at + len(piece.text) :]

    def _settle_text(self) -> None:
        if self.rest:
            self.pieces.append(TokenPiece(self.rest))
            self.rest = ""

    def _settle(self) -> None:
        self.not_in_text += sum(len(piece.tokens) for piece in self._waiting) + len(self._open)
        self._waiting.clear()
        self._open.clear()
        self._settle_text()


def tokens_of(events: Iterable[StoredEvent], text: str) -> AnswerTokens:
    """The tokens of a whole answer. Text that the events do not hold is the last piece, without tokens.

    When the events hold another text, the whole text is one piece without tokens.
    """
    tokens = AnswerTokens()
    for event in events:
        tokens.take(event)
    tokens.finish()
    joined = "".join(piece.text for piece in tokens.pieces)
    if not text.startswith(joined):
        tokens.pieces = [TokenPiece(text)] if text else []
    elif len(joined) < len(text):
        tokens.pieces.append(TokenPiece(text[len(joined) :]))
    return tokens
