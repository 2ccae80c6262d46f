"""A text that arrives in pieces, safe to show and store; handles endpoints whose pieces repeat the text so far."""

from __future__ import annotations

import io

from components.streaming.guard import SafeText, safe_text
from components.streaming.masking import Mask, MaskedText

_SURELY_REPEATED = 6
_FEWEST_CHARACTERS = 4
"""Distinct characters of a repeated text: growing rules and indents have fewer."""
_GIVEN_UP_AT = 256


class GrowingText:
    """The text or reasoning of a choice. ``str`` returns what can be shown so far, without the key of ``mask``."""

    def __init__(self, mask: Mask | None = None) -> None:
        # A buffer, not a list of pieces: a million pieces of one character each would need a hundred times their size.
        self._whole = io.StringIO()
        self._safe = SafeText()
        self._mask = mask
        self._masked = MaskedText(mask)
        self._repeats: _Repeats | None = _Repeats()

    def __str__(self) -> str:
        return self._whole.getvalue()

    def feed(self, piece: str, *, whole: bool = False) -> str:
        """The new text that can be shown now. ``whole``: the piece is the full text so far."""
        if not piece:
            return ""
        if whole:
            piece = self._beyond(safe_text(piece))
        elif self._repeats:
            piece = self._repeats.added(piece)
            if self._repeats.excluded:
                self._repeats = None
        return self._write(self._safe.feed(piece))

    def flush(self) -> str:
        """The text that was held back until the end."""
        held = self._repeats.held() if self._repeats else ""
        return self._write(self._safe.feed(held) + self._safe.flush()) + self._keep(self._masked.flush())

    def _beyond(self, whole: str) -> str:
        """The part of the full text that is new; all of it when it is a different text."""
        held = self._repeats.held() if self._repeats else ""
        if self._mask:
            whole = self._mask.out_of(whole)
        if not whole.startswith(str(self)):
            return held + whole
        self._masked = MaskedText(self._mask)  # the rest includes the text that was held back
        return whole.removeprefix(str(self))

    def _write(self, text: str) -> str:
        return self._keep(self._masked.feed(text))

    def _keep(self, text: str) -> str:
        self._whole.write(text)
        return text


class _Repeats:
    """Detects texts of which each piece repeats the text so far.

    Two pieces prove nothing: a text may begin with "1" and "10". A possible repetition is held until enough is repeated
    to exclude chance, or until a piece is new: then the held pieces are returned as received. ``excluded`` is True once
    all pieces are known to be new.
    """

    def __init__(self) -> None:
        self.excluded = False
        self._text = ""
        self._given = 0
        self._held: list[str] = []
        self._repeated = 0
        self._proven = False

    def added(self, piece: str) -> str:
        """The new part of ``piece`` and of the held pieces."""
        before = self._text
        repeats = piece.startswith(before)
        if self._proven:
            self._text = piece if repeats else before + piece
            return piece[len(before) :] if repeats else piece
        if before and (not repeats or (len(piece) == len(before) and not self._held)):
            return self._exclude(piece)
        self._text = piece
        if not before:
            self._given = len(piece)
            return piece
        self._held.append(piece)
        self._repeated += len(before)
        if len(self._held) > 1 and self._repeated >= _SURELY_REPEATED and len(set(before)) >= _FEWEST_CHARACTERS:
            self._proven = True
            self._held.clear()
            return piece[self._given :]
        return self._exclude("") if self._repeated > _GIVEN_UP_AT else ""

    def held(self) -> str:
        """The held text as received."""
        held = "".join(self._held)
        self._held.clear()
        return held

    def _exclude(self, piece: str) -> str:
        self.excluded = True
        return self.held() + piece
