"""Characters in a text that a person does not see and a model reads: where they are, and a text that shows them.

Hidden is what the Unicode Standard calls default ignorable (DerivedCoreProperties.txt, Default_Ignorable_Code_Point:
zero width characters, soft hyphens, Hangul fillers, variation selectors, the tags at U+E0000), every other format or
control character (UnicodeData.txt, categories Cf and Cc: marks that turn the direction of writing among them), and
half a surrogate pair. Spaces, tabs and line breaks are not. Nor are joiners and selectors where an emoji needs them
(UTS #51). Joiners in scripts such as Persian or Hindi are, and so are the tags in the flags of England, Scotland and
Wales: the same characters can carry words that nobody sees.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})

_SEEN = frozenset(
    "\t\n\r"
    # Signs that are drawn around or below numbers (PropList.txt, Prepended_Concatenation_Mark).
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)

_IGNORABLE = (
    range(0x034F, 0x0350),  # combining grapheme joiner
    range(0x115F, 0x1161),  # Hangul fillers
    range(0x17B4, 0x17B6),  # inherent Khmer vowels
    range(0x180B, 0x1810),  # Mongolian variation selectors
    range(0x2065, 0x2066),
    range(0x3164, 0x3165),  # Hangul filler
    range(0xFE00, 0xFE10),  # variation selectors
    range(0xFFA0, 0xFFA1),  # Hangul filler
    range(0xFFF0, 0xFFF9),
    range(0xE0000, 0xE1000),  # tags, and more variation selectors
)
"""What is default ignorable beyond the categories above, and what is reserved to become so."""

_ZERO_WIDTH_JOINER = "\u200d"
_STYLES = ("\ufe0e", "\ufe0f")
"""Variation selectors that ask for a sign as text, or as an emoji."""

_KEYCAP = "\u20e3"
_KEYCAP_BASES = frozenset("0123456789#*")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_EMOJI_ELSEWHERE = frozenset("\u203c\u2049\u2139\u3030")
"""Emoji whose categories are those of letters and punctuation."""


@dataclass(frozen=True)
class Hidden:
    """One hidden character: where it stands in the text, in characters from 0, its code point and its name."""

    offset: int
    code_point: str
    """Such as ``U+202E``."""
    name: str
    """As the Unicode Standard has it; empty for a character without one."""


def hidden_in(text: str) -> tuple[Hidden, ...]:
    """The hidden characters of a text, in its order."""
    hidden = {character for character in set(text) if _is_hidden(character)}
    if not hidden:
        return ()
    return tuple(
        Hidden(offset, _code_point(character), unicodedata.name(character, ""))
        for offset, character in enumerate(text)
        if character in hidden and not _is_part_of_emoji(text, offset)
    )


def with_hidden_marked(text: str) -> str:
    """The text with its hidden characters as words, such as ``⟨U+202E⟩``."""
    characters = list(text)
    for hidden in hidden_in(text):
        characters[hidden.offset] = f"⟨{hidden.code_point}⟩"
    return "".join(characters)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _is_hidden(character: str) -> bool:
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return character not in _SEEN
    number = ord(character)
    return any(number in numbers for numbers in _IGNORABLE)


def _is_part_of_emoji(text: str, offset: int) -> bool:
    """Whether a joiner stands between two emoji, or a selector right behind a sign that can be one."""
    character, before, behind = text[offset], text[max(offset - 1, 0) : offset], text[offset + 1 : offset + 2]
    if character in _STYLES:
        return _may_be_emoji(before) or (before in _KEYCAP_BASES and behind == _KEYCAP)
    if character != _ZERO_WIDTH_JOINER:
        return False
    if before in _STYLES or (before and ord(before) in _SKIN_TONES):
        before = text[max(offset - 2, 0) : offset - 1]
    return _may_be_emoji(before) and _may_be_emoji(behind)


def _may_be_emoji(character: str) -> bool:
    return bool(character) and (unicodedata.category(character) in ("So", "Sm") or character in _EMOJI_ELSEWHERE)
