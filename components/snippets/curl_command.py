"""Finds the request in curl commands, such as those that browsers copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from components.contract.credentials import WHERE_KEYS_BELONG, is_credential_name
from components.snippets import sentences
from components.snippets.problem import ImportProblem, NothingSent
from components.snippets.raw_request import RawRequest, read_body, request_in
from components.snippets.shell_words import Command, Word, bash_commands

KEY_LEFT_OUT = f"The key in the command was left out. {WHERE_KEYS_BELONG}"
COOKIES_LEFT_OUT = "The cookies in the command were left out."
HEADERS_LEFT_OUT = "The other headers in the command were left out."
ADDRESS_LEFT_OUT = "The address in the command was left out; the request goes to the endpoint that is chosen here."
_SHELL_TEXT_NOTE = "The body holds a $ or a backtick that a shell would replace; it was kept as it stands."

# curl's one-letter options with a value.
_WITH_VALUE = frozenset("AbcCdDeEFHKmoPQrtTuUwxXyYz")
_LONG_WITH_VALUE = {"header", "request", "url", "user", "cookie", "oauth2-bearer", "user-agent", "referer", "output"}
_LONG_WITH_VALUE |= {"cert", "key", "pass", "proxy", "proxy-user"}
_BODY = {"d", "data", "data-raw", "data-binary", "data-ascii", "json"}
_KEYS = {"E", "U", "cert", "key", "oauth2-bearer", "pass", "proxy-user", "u", "user"}
_COOKIES = {"b", "cookie"}
# Tempera sets these headers itself.
_OWN_HEADERS = {"accept", "content-type", "accept-encoding", "user-agent"}

# A prompt and variables may precede the command: "$ API_KEY=… curl …".
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_PROMPT = re.compile(r"[^\s'\"{]*[$%>#!]")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
# The beginnings of commands in other text.
_BEGINS = re.compile(
    r"^[ \t]*+curl(?:\.exe)?(?=[ \t])|(?<![\w./-])curl(?:\.exe)?(?=[ \t]++(?:-|https?:|['\"$\\^]))", re.MULTILINE
)
_MAX_BEGINNINGS = 4
_MAX_VALUES = 100
_LONGEST_VALUE = 10_000


def curl_request(text: str, read: Callable[[str], Iterator[Command]] = bash_commands) -> RawRequest | None:
    """The request of the first curl command in ``text`` that sends messages, or None without curl commands.

    ``read`` splits the text by a shell's rules. Raises ImportProblem when no command has a readable body.
    """
    without_messages: RawRequest | None = None
    problem: ImportProblem | None = None
    # An apostrophe in prose would open a quote, so each beginning of a command is tried, too.
    for start in dict.fromkeys((0, *(match.start() for match in islice(_BEGINS.finditer(text), _MAX_BEGINNINGS)))):
        chosen: RawRequest | None = None
        number = taken_number = 0
        try:
            for number, command in enumerate(_curl_commands(read(text[start:])), 1):
                if chosen is not None:
                    break
                try:
                    raw = _raw_request(command)
                except ImportProblem as raised:
                    problem = problem or raised
                    continue
                if request_in(raw.fields) is not None:
                    chosen, taken_number = raw, number
                else:
                    without_messages = without_messages or raw
        except ImportProblem as raised:
            problem = problem or raised
        if chosen is not None:
            if number == 1:
                return chosen
            note = f"The text holds several commands; number {taken_number}, the first that sends messages, was taken."
            return replace(chosen, notes=(*chosen.notes, note))
    if without_messages is None and problem is not None:
        raise problem
    return without_messages


@dataclass
class _Curl:
    """A curl command, with the variables and files that the text defines before it."""

    options: list[tuple[str, Word]]
    standard_input: Word | None
    has_variables: bool
    variables: dict[str, Word]
    files: dict[str, Word]


def _curl_commands(commands: Iterator[Command]) -> Iterator[_Curl]:
    variables: dict[str, Word] = {}
    files: dict[str, Word] = {}
    for command in commands:
        words = command.words
        position = 0
        assigned: dict[str, Word] = {}
        while position < len(words):
            text = words[position].text
            if match := _ASSIGNED.fullmatch(text):
                assigned[match["name"]] = Word([match["value"]], words[position].replaced)
            elif not _PROMPT.fullmatch(text) and text != "export":
                break
            position += 1
        if position == len(words):
            variables |= assigned
        elif words[position].text.lstrip("!").rpartition("/")[2] in ("curl", "curl.exe"):
            options = list(_options(words[position + 1 :]))
            yield _Curl(options, command.standard_input, bool(assigned), variables, files)
        elif words[position].text == "read" and command.standard_input is not None:
            variables[words[-1].text] = command.standard_input
        elif command.standard_input is not None and (command.after == ">" or words[position].text == "tee"):
            files[words[-1].text] = command.standard_input


def _options(words: list[Word]) -> Iterator[tuple[str, Word]]:
    """Each option's name with its value; the name of a positional address is url."""
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
            # Options without a value may be joined with one that has a value: -sSd '{…}'.
            index = next((index for index, letter in enumerate(text) if letter in _WITH_VALUE), None)
            if index is not None:
                value = text[index + 1 :]
                yield text[index], Word([value], word.replaced) if value else next(remaining, Word())
        else:
            yield "url", word


def _raw_request(command: _Curl) -> RawRequest:
    options = command.options
    bodies = [(name, word) for name, word in options if name in _BODY]
    headers = [word.text.partition(":")[0].strip().lower() for name, word in options if name in ("H", "header")]
    names = {name for name, _ in options}
    has_key = bool(names & _KEYS) or command.has_variables or any(map(_names_a_key, headers))
    if not bodies or not any(word.text for _, word in bodies):
        raise NothingSent(sentences.COMMAND_WITHOUT_BODY)
    if len(bodies) > 1:
        raise ImportProblem(sentences.COMMAND_WITH_SEVERAL_BODIES)
    name, word = bodies[0]
    if word.text.startswith("@") and name != "data-raw":
        file = word.text[1:]
        written = command.standard_input if file == "-" else command.files.get(file)
        if written is None:
            raise ImportProblem(sentences.BODY_IN_A_FILE)
        word = written
    if word.replaced:
        word = _with_variables(word, command.variables)
    if word.replaced and not word.text.lstrip().startswith("{"):
        raise ImportProblem(sentences.BODY_IN_A_VARIABLE)
    others = [name for name in headers if name not in (*_OWN_HEADERS, "cookie") and not _names_a_key(name)]
    left_out = [
        (has_key, KEY_LEFT_OUT),
        (bool(names & _COOKIES) or "cookie" in headers, COOKIES_LEFT_OUT),
        (bool(others), HEADERS_LEFT_OUT),
        ("url" in names, ADDRESS_LEFT_OUT),
        (word.replaced, _SHELL_TEXT_NOTE),
    ]
    return RawRequest(read_body(word.text), tuple(note for applies, note in left_out if applies))


def _with_variables(word: Word, variables: dict[str, Word]) -> Word:
    """A word with the variables replaced that the paste defines."""
    if variable := _VARIABLE.fullmatch(word.text):
        return variables.get(variable[1], word)
    short = {name: value.text for name, value in variables.items() if len(value.text) <= _LONGEST_VALUE}
    text = _VARIABLE.sub(lambda match: short.get(match[1], match[0]), word.text, count=_MAX_VALUES)
    return Word([text], replaced="$" in text or "`" in text)


def _names_a_key(header: str) -> bool:
    return (is_credential_name(header) or header.endswith("key")) and header != "cookie"
