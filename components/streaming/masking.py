"""Removes a key from everything that an endpoint sends, also when it is escaped or split into pieces.

A key in another encoding, such as base64, cannot be recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MASK = "***"

_MAX_SHOWN = 7
"""The leading characters of a key that may remain at the end of a text: many answers end in an s."""
_LONGEST_ESCAPE = 13


class Mask:
    """Finds one key in texts: plain, JSON-escaped at any depth, or URL-encoded."""

    __slots__ = (
        "_escape",
        "_escape_in_event",
        "_half_escape",
        "_part_of_event",
        "_second",
        "_second_in_event",
        "_secret",
        "first",
        "pair",
    )

    def __init__(self, secret: str) -> None:
        escaped = "".join(sorted({"/", '"'}.intersection(secret)))
        further = [rf"\\{{1,7}}(?P<one>[{escaped}])"] if escaped else []
        further += [r"(?P<backslash>\\){2,8}"] if "\\" in secret else []
        # A key that contains an escape sign must not be unescaped.
        url = "(?!)" if "%" in secret else "%"
        self._escape = re.compile(
            "|".join([r"\\{1,7}u00(?P<json>[2-7][0-9a-fA-F])", rf"{url}(?P<url>[2-7][0-9a-fA-F])", *further])
        )
        self._half_escape = re.compile(r"(?:\\{1,7}(?:u(?:0(?:0[2-7]?)?)?)?|%[2-7]?)\Z")
        self._secret = self._read(secret)[0]
        self.first, self.pair = self._secret[:1], self._secret[:2]
        self._second = self._secret[1:2]
        self._second_in_event = f'"{self._second}'
        self._escape_in_event = "\\" if {'"', "/", "\\"}.intersection(self._secret[:4]) else "\\u00"
        # In the JSON of an event: the key from its first or second character on, to the end of a string that is not a
        # key of an object, or for some characters.
        steps = ""
        for character in reversed(self._secret[1:4]):
            pattern = re.escape(character) if character.isalnum() else rf"\\*{re.escape(character)}"
            steps = pattern + (rf"(?:\"(?!\s*:)|\Z|{steps})" if steps else "")
        steps = steps or "(?!)"  # a single character has no parts
        self._part_of_event = re.compile(
            rf'(?:{re.escape(self.first)}|"|\A){steps}|\\u00[2-7]|\\\\(?:u(?:0(?:0[2-7]?)?)?)?"|%(?:[2-7]|"|\Z)'
        )

    def __len__(self) -> int:
        return len(self._secret)

    def out_of(self, text: str, *, cut: bool = False) -> str:
        """The text with each occurrence of the key masked.

        ``cut``: a limit ended the text, so its end may be the beginning of the key and is masked as well.
        """
        if not self._secret:
            return text
        text = text.replace(self._secret, MASK)
        if ("\\" in text or "%" in text) and self._escape.search(text):
            pieces, done = [], 0
            for begin, end in self.places_in(text):
                pieces += [text[done:begin], MASK]
                done = end
            text = "".join([*pieces, text[done:]])
        if cut and (at := self.opens_at(text)) < len(text):
            text = text[:at] + MASK
        return text

    def places_in(self, text: str) -> Iterator[tuple[int, int]]:
        """The start and end of each occurrence of the key in the text."""
        plain, begins = self._read(text)
        at = plain.find(self._secret)
        while at >= 0:
            yield begins[at], begins[at + len(self._secret)]
            at = plain.find(self._secret, at + len(self._secret))

    def opens_at(self, text: str) -> int:
        """The position from which on the text may be the beginning of the key; its length if there is none."""
        before = max(len(text) - _LONGEST_ESCAPE * len(self), 0)
        tail = text[before:]
        half = self._half_escape.search(tail, max(len(tail) - _LONGEST_ESCAPE, 0))
        plain, begins = self._read(tail[: half.start()] if half else tail)
        at = plain.find(self.first, max(len(plain) - len(self) + 1, 0))
        while at >= 0 and not self._secret.startswith(plain[at:]):
            at = plain.find(self.first, at + 1)
        return before + begins[at if at >= 0 else len(plain)]

    def shows_too_much(self, beginning: str) -> bool:
        """Whether a possible beginning of the key is too long to be shown without the rest."""
        return len(self._read(beginning)[0]) > _MAX_SHOWN

    def may_begin_in_event(self, data: str) -> bool:
        """Whether a text in an event's data may end with a beginning of the key, or begin with its continuation.

        The first character alone proves nothing, so a continuation may begin with the second one.
        """
        likely = (
            self.pair in data
            or self._second_in_event in data
            or self._escape_in_event in data
            or "\\\\" in data
            or "%" in data
            or data.startswith(self._second)
        )
        return likely and self._part_of_event.search(data) is not None

    def may_begin_in(self, text: str) -> bool:
        """The same for a text outside of JSON."""
        return text.startswith(self._second) or self.pair in text or "\\" in text or "%" in text

    def continues_in(self, text: str) -> bool:
        """Whether the text may follow the first character of the key."""
        joined = self.first + text
        return self.opens_at(joined) == 0 or any(begin == 0 for begin, _ in self.places_in(joined))

    def _read(self, text: str) -> tuple[str, Sequence[int]]:
        """The text without escapes, and the original positions of its characters and of its end."""
        if "\\" not in text and "%" not in text:
            return text, range(len(text) + 1)
        pieces: list[str] = []
        begins: list[int] = []
        done = 0
        for match in self._escape.finditer(text):
            digits = match["json"] or match["url"]
            pieces += [text[done : match.start()], chr(int(digits, 16)) if digits else match[match.lastgroup or ""]]
            begins += range(done, match.start() + 1)
            done = match.end()
        pieces.append(text[done:])
        begins += range(done, len(text) + 1)
        return "".join(pieces), begins


class MaskedText:
    """A text in pieces without the key; only a possible beginning of the key is held back."""

    __slots__ = ("_held", "_mask")

    def __init__(self, mask: Mask | None) -> None:
        self._mask = mask
        self._held = ""

    def feed(self, piece: str) -> str:
        """The part of the text that can be passed on now."""
        mask = self._mask
        if mask is None:
            return piece
        text = self._held + piece if self._held else piece
        if mask.pair in text or "\\" in text or "%" in text:
            text = mask.out_of(text)
            at = mask.opens_at(text)
        elif text.endswith(mask.first):
            at = len(text) - 1
        else:
            self._held = ""
            return text
        self._held = text[at:]
        return text[:at]

    def flush(self) -> str:
        """The remainder at the end of the text."""
        held, self._held = self._held, ""
        return MASK if self._mask and self._mask.shows_too_much(held) else held
