"""Characters that a person does not see and a model reads: finds them in a text and makes them visible.

Hidden characters are those that the Unicode Standard calls default ignorable (DerivedCoreProperties.txt,
Default_Ignorable_Code_Point: zero width characters, soft hyphens, Hangul fillers, variation selectors, the tags at
U+E0000), all other format and control characters (UnicodeData.txt, categories Cf and Cc, among them marks of writing
direction), and lone surrogates. Exempt are spaces, tabs, line breaks, and the joiners and selectors that an emoji needs
(UTS #51). Joiners in scripts such as Persian or Hindi, and the tags in the flags of England, Scotland and Wales, count
as hidden: the same characters can carry invisible words.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import regex

_EMOJI = r"[\p{Emoji}--\p{ASCII}]"
_NEEDED_BY_EMOJI = rf"""
      (?<={_EMOJI}) [\ufe0e\ufe0f]                        # as text, or as an emoji
    | (?<=[0-9\#*]) [\ufe0e\ufe0f] (?=\u20e3)            # keycaps
    | (?<={_EMOJI} [\ufe0e\ufe0f]?) \u200d (?={_EMOJI})   # two emoji as one
"""
# Characters of Prepended_Concatenation_Mark are visible, drawn around or below numbers.
_HIDDEN = regex.compile(
    rf"""
      (?: {_NEEDED_BY_EMOJI} ) (*SKIP) (*FAIL)
    | [[\p{{Default_Ignorable_Code_Point}}\p{{Cc}}\p{{Cf}}\p{{Cs}}]--[\t\n\r\p{{Prepended_Concatenation_Mark}}]]
    """,
    regex.VERBOSE | regex.VERSION1,
)


@dataclass(frozen=True)
class Hidden:
    """One hidden character: its index in the text, in characters from 0, its code point and its name."""

    offset: int
    code_point: str
    """Such as ``U+202E``."""
    name: str
    """The Unicode name; empty for a character without one."""


def hidden_in(text: str) -> tuple[Hidden, ...]:
    """The hidden characters of a text, in order."""
    return tuple(
        Hidden(match.start(), _code_point(match[0]), unicodedata.name(match[0], "")) for match in _HIDDEN.finditer(text)
    )


def with_hidden_marked(text: str) -> str:
    """The text with its hidden characters replaced by names such as ``⟨U+202E⟩``."""
    return str(_HIDDEN.sub(lambda match: f"⟨{_code_point(match[0])}⟩", text))


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
