"""Hidden characters are marked; those that an emoji needs are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sharing.hidden_characters import Hidden, hidden_in, with_hidden_marked


@pytest.mark.parametrize(
    ("character", "marked"),
    [
        ("\u202e", "⟨U+202E⟩"),  # right-to-left override
        ("\u2066", "⟨U+2066⟩"),  # left-to-right isolate
        ("\u200b", "⟨U+200B⟩"),  # zero width space
        ("\u200c", "⟨U+200C⟩"),
        ("\u200d", "⟨U+200D⟩"),
        ("\u2060", "⟨U+2060⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u00ad", "⟨U+00AD⟩"),  # soft hyphen
        ("\u034f", "⟨U+034F⟩"),
        ("\u115f", "⟨U+115F⟩"),
        ("\u1160", "⟨U+1160⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("\uffa0", "⟨U+FFA0⟩"),
        ("\ufe00", "⟨U+FE00⟩"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("\U000e0001", "⟨U+E0001⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),  # tag A
        ("\U000e0100", "⟨U+E0100⟩"),  # variation selector 17
        ("\U000e0fff", "⟨U+E0FFF⟩"),
        ("\0", "⟨U+0000⟩"),
        ("\x1b", "⟨U+001B⟩"),
        ("\x7f", "⟨U+007F⟩"),
        ("\x85", "⟨U+0085⟩"),
        ("\ud800", "⟨U+D800⟩"),
    ],
)
def test_a_hidden_character_is_marked_in_its_place(character, marked):
    assert with_hidden_marked(f"a{character}b") == f"a{marked}b"
    assert [hidden.offset for hidden in hidden_in(f"a{character}b")] == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain words, with numbers: 0.7 – and a dash.",
        "tab\tand\r\nline breaks\n",
        "\u00a0narrow\u202fand\u3000wide spaces",
        "é e\u0301 中文 العربية \u0600\u0661 हिन्दी 한국어",
        "☀\ufe0f ☀\ufe0e ❤\ufe0f ‼\ufe0f ℹ\ufe0f ↔\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3",
        "👨\u200d👩\u200d👧\u200d👦 🧑🏽\u200d🚀 🏳\ufe0f\u200d🌈 ❤\ufe0f\u200d🔥 🏃🏿\u200d♀\ufe0f 🙂\u200d↔\ufe0f",
        "🇪🇺 👋🏾 𝔘 \U00020000",
    ],
)
def test_visible_characters_are_unchanged(text):
    assert hidden_in(text) == ()
    assert with_hidden_marked(text) == text


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("\u200d🚀", [0]),
        ("🚀\u200d", [1]),
        ("a\u200db", [1]),
        ("🚀\u200d\u200d🚀", [1, 2]),
        ("1\ufe0f", [1]),
        ("a\ufe0f", [1]),
        ("☀\ufe0f\ufe0f", [2]),
        ("🚀\U000e0141\U000e0142", [1, 2]),
        ("\ufe0f\u200d🚀", [0, 1]),
    ],
)
def test_joiners_and_selectors_pass_only_within_an_emoji(text, offsets):
    assert [hidden.offset for hidden in hidden_in(text)] == offsets


def test_a_message_in_tag_characters_is_revealed_with_their_names():
    smuggled = "".join(chr(0xE0000 + ord(character)) for character in "no")
    assert hidden_in(f"Hi{smuggled}") == (
        Hidden(2, "U+E006E", "TAG LATIN SMALL LETTER N"),
        Hidden(3, "U+E006F", "TAG LATIN SMALL LETTER O"),
    )


def test_every_format_and_control_character_without_a_glyph_counts_as_hidden():
    # The planes between have ideographs or are unassigned; the last ones are private.
    everything = [*map(chr, range(0x20000)), *map(chr, range(0xE0000, 0xF0000))]
    found = {character for character in everything if hidden_in(character)}
    drawn = set("\t\n\r\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
    expected = {character for character in everything if unicodedata.category(character) in ("Cc", "Cf")}
    assert expected - found == drawn
    assert {unicodedata.category(character) for character in found - expected} == {"Cn", "Cs", "Lo", "Mn"}


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("\u200d\ufe0f🚀❤1\u20e3\u202e")))
def test_a_marked_text_has_no_hidden_character_and_is_otherwise_unchanged(text):
    marked = with_hidden_marked(text)
    hidden = hidden_in(text)
    assert len(marked) == len(text) + sum(len(each.code_point) + 1 for each in hidden)
    assert hidden_in(marked) == ()
