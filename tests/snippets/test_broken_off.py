"""A paste that is cut anywhere is refused or gives the same request, never another one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from components.contract.profile import BEEZY
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.snippets.test_envelopes import PASTES
from tests.snippets.test_javascript import CODE
from tests.snippets.test_python_order import FOLLOWED, filled
from tests.snippets.test_shells import COMMANDS, WORDS, around

TALK = ["Hello"]
TEXTS = {
    **{f"shell, {name}": text for name, text in COMMANDS.items()},
    **{f"JavaScript, {name}": text for name, text in CODE.items()},
    **{f"Python, {name}": filled(text) for name, text in FOLLOWED.items()},
    **{f"JSON, {name}": text for name, (text, _) in PASTES.items()},
    **{f"words, {name}": around(text) for name, text in WORDS.items()},
}


def outcome(text: str) -> list[str] | ImportProblem:
    """The contents of the messages found, or the error."""
    try:
        return [message.content for message in import_request(text, BEEZY).request.messages]
    except ImportProblem as problem:
        return problem


def whole_or_refused(text: str, step: int, begin: int = 1) -> None:
    for length in range(begin, len(text), step):
        seen = outcome(text[:length])
        assert seen == TALK or (str(seen).endswith(".") and len(str(seen)) < 250), text[:length]


@pytest.mark.parametrize("number", range(len(TEXTS)), ids=TEXTS)
def test_a_truncated_paste_is_refused_or_gives_the_same_request(number: int) -> None:
    """A quarter of the prefixes of each text; together, all places where code can end."""
    whole_or_refused(list(TEXTS.values())[number], 4, 1 + number % 4)


@pytest.mark.long
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_paste_truncated_anywhere_is_refused_or_gives_the_same_request(text: str) -> None:
    whole_or_refused(text, 1)


SIGNS = ["'", '"', "`", "\\", "{", ")", "\n", "^", "\x00", "\ud800", "<<", "@'\n", "/*", "${"]


def read_or_refused(sign: str, text: str, places: Iterable[int]) -> None:
    for place in places:
        seen = outcome(text[:place] + sign + text[place:])
        assert isinstance(seen, list) or str(seen).endswith("."), (sign, place, text)


@pytest.mark.parametrize("number", range(len(SIGNS)), ids=SIGNS)
def test_an_extra_character_is_refused_with_a_sentence_or_read(number: int) -> None:
    """At two places of each text, which differ by character."""
    for place, text in enumerate(TEXTS.values(), number):
        ninth = len(text) // 9
        read_or_refused(SIGNS[number], text, (place % 9 * ninth, (place + 4) % 9 * ninth))


@pytest.mark.long
@pytest.mark.parametrize("sign", SIGNS)
def test_an_extra_character_anywhere_is_refused_with_a_sentence_or_read(sign: str) -> None:
    for text in TEXTS.values():
        read_or_refused(sign, text, range(0, len(text), len(text) // 9))
