"""The body in a curl command, such as one that a browser copied. Everything else in it is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from components.snippets.credentials import WHERE_KEYS_BELONG, names_a_credential
from components.snippets.problem import ImportProblem
from components.snippets.shell_words import Word, commands

KEY_LEFT_OUT = f"The key in the command was left out. {WHERE_KEYS_BELONG}"
COOKIES_LEFT_OUT = "The cookies in the command were left out."
HEADERS_LEFT_OUT = "The other headers in the command were left out."
ADDRESS_LEFT_OUT = "The address in the command was left out; the request goes to the endpoint that is chosen here."
_KEPT_AS_IT_STANDS = "The body holds a $ or a backtick that a shell would replace; it was kept as it stands."

# curl's options of one letter that are followed by a value.
_WITH_VALUE = frozenset("AbcCdDeEFHKmoPQrtTuUwxXyYz")
_LONG_WITH_VALUE = {"header", "request", "url", "user", "cookie", "oauth2-bearer", "user-agent", "referer", "output"}
_LONG_WITH_VALUE |= {"cert", "key", "pass", "proxy", "proxy-user"}
_BODY = {"d", "data", "data-raw", "data-binary", "data-ascii", "json"}
_KEYS = {"E", "U", "cert", "key", "oauth2-bearer", "pass", "proxy-user", "u", "user"}
_COOKIES = {"b", "cookie"}
# What Tempera sends in its own way, so that nothing is lost by leaving it out.
_OWN_HEADERS = {"accept", "content-type", "accept-encoding", "user-agent"}

# A prompt and variables may stand before the command: "$ API_KEY=… curl …".
_BEFORE_A_COMMAND = re.compile(r"[$%>]|[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


@dataclass(frozen=True)
class CurlBody:
    """The body that a command would send, and sentences about what was left out."""

    text: str
    notes: tuple[str, ...]


def body_of_curl(text: str) -> CurlBody | None:
    """The body of the first curl command in ``text``, or None when there is none.

    Raises ImportProblem for a command without a body of its own, or with an open quote.
    """
    for words in commands(text.replace("\r\n", "\n")):
        position = 0
        while position < len(words) and _BEFORE_A_COMMAND.fullmatch(words[position].text):
            position += 1
        if position < len(words) and words[position].text.rpartition("/")[2] in ("curl", "curl.exe"):
            return _body(list(_options(words[position + 1 :])), any("=" in word.text for word in words[:position]))
    return None


def _options(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """Each option's name with its value; an address that stands alone is named url."""
    remaining = iter(words)
    for word in remaining:
        text = word.text
        if text.startswith("--"):
            name, equals, value = text[2:].partition("=")
            if equals:
                yield name, Word([value], word.replaced)
            elif name in _BODY or name in _LONG_WITH_VALUE:
                yield name, next(remaining, Word())
            else:
                yield name, Word()
        elif text.startswith("-"):
            # Letters without a value may stand before one that has one: -sSd '{…}'.
            place = next((place for place, letter in enumerate(text) if letter in _WITH_VALUE), None)
            if place is not None:
                value = text[place + 1 :]
                yield text[place], Word([value], word.replaced) if value else next(remaining, Word())
        else:
            yield "url", word


def _body(options: list[tuple[str, Word]], has_variables: bool) -> CurlBody:
    bodies = [(name, word) for name, word in options if name in _BODY]
    headers = [word.text.partition(":")[0].strip().lower() for name, word in options if name in ("H", "header")]
    names = {name for name, _ in options}
    has_key = bool(names & _KEYS) or has_variables or any(map(_names_a_key, headers))
    if not bodies or not any(word.text for _, word in bodies):
        raise ImportProblem("The command has no body. Copy the whole command, with what follows -d or --data.")
    if len(bodies) > 1:
        raise ImportProblem("The command has more than one body. Keep one of them.")
    name, word = bodies[0]
    if word.text.startswith("@") and name != "data-raw":
        raise ImportProblem("The command reads its body from a file. Paste what is in the file instead.")
    if word.replaced and not word.text.lstrip().startswith("{"):
        raise ImportProblem("The command takes its body from a variable. Paste the body itself instead.")
    left_out = [
        (has_key, KEY_LEFT_OUT),
        (bool(names & _COOKIES) or "cookie" in headers, COOKIES_LEFT_OUT),
        (any(not _is_own(header) for header in headers), HEADERS_LEFT_OUT),
        ("url" in names, ADDRESS_LEFT_OUT),
        (word.replaced, _KEPT_AS_IT_STANDS),
    ]
    return CurlBody(word.text, tuple(note for applies, note in left_out if applies))


def _is_own(header: str) -> bool:
    return header in _OWN_HEADERS or _names_a_key(header) or header == "cookie"


def _names_a_key(header: str) -> bool:
    return (names_a_credential(header) or header.endswith("key")) and header != "cookie"
