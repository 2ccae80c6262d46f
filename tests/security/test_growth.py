"""Work on untrusted text grows linearly: four times the text takes about four times as long, or is refused.

Linear work takes 4 times as long, quadratic work 16 times. Processor time of this thread is counted, so that other
load does not matter; work of less than a millisecond passes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from components.contract.errors import plain_text, read_error
from components.contract.lint import lint
from components.contract.profile import BEEZY
from components.contract.request import from_fields
from components.contract.strict_json import read_json
from components.drafts.draft import new_draft
from components.drafts.variables import filled, names_in
from components.experiments.axes import read_values
from components.experiments.data_set import read_data_set
from components.experiments.divergence import divergence
from components.experiments.noise import similarities_within
from components.experiments.sweep_plan import read_rows
from components.experiments.word_difference import word_differences
from components.live.channels import Channel
from components.live.frames import Reader
from components.live.replay import replay_frames
from components.log.database import Database
from components.log.importing import read_line
from components.log.view import View, conditions
from components.markdown.answer import pretty_json
from components.markdown.blocks import MarkdownBlocks
from components.markdown.code import code_html
from components.markdown.formulas import mathml
from components.sharing.hidden_characters import with_hidden_marked
from components.sharing.left_out import without_addresses
from components.sharing.settings_file import read_settings_file
from components.sharing.settings_link import read_settings_link
from components.snippets.importing import import_request
from components.snippets.reading import raw_request_as_json
from components.streaming.server_timing import queue_ms
from components.user_error import UserError
from tests.live.conftest import end, make_run, tell

FLOOR_S = 0.001
LESS_THAN = 8.0
Work = Callable[[str], object]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite3'}")
    yield opened
    opened.close()


def drawn(text: str) -> list[str]:
    blocks = MarkdownBlocks()
    blocks.update(text)
    blocks.update(text, ended=True)
    return blocks.blocks


def drawn_in_pieces(text: str) -> None:
    blocks, reader = MarkdownBlocks(), Reader()
    for end_of_piece in range(0, len(text), len(text) // 8):
        blocks.update(text[:end_of_piece])
        reader.frame(blocks.blocks)


def replayed(text: str) -> None:
    """In pieces of four characters, like tokens."""
    run = make_run()
    for place in range(0, len(text), 4):
        tell(run, text[place : place + 4], float(place))
    end(run)
    channel = Channel()
    channel.show(run, run.events)
    shown = channel.find(run.id)
    assert shown is not None
    for _ in replay_frames(shown, "markdown"):
        pass


def linted(text: str) -> None:
    """A key of the body for each piece of the text."""
    keys = {f"temperatures{number}": 1 for number in range(len(text.split()))}
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **keys}
    list(lint(from_fields(body, BEEZY), BEEZY))


def drafted(text: str) -> None:
    draft = new_draft()
    turn = draft.turns[-1].model_copy(update={"content": text})
    draft.model_copy(update={"turns": (turn,), "model": "m", "variables": {"a": text}}).to_request(BEEZY)


def imported(text: str) -> object:
    return import_request(text, BEEZY)


def data(name: str = "") -> Work:
    return lambda text: read_data_set(name, text.encode())


def with_name(name: str) -> object:
    return read_data_set(name, b"a\n1")


def highlighted(language: str) -> Work:
    return lambda text: code_html(text, language)


def axis(field: str) -> Work:
    return lambda text: read_values(field, text)


def compared(text: str) -> None:
    word_differences(text, text[::-1])
    similarities_within([text, text[::-1]])


def parted(text: str) -> object:
    return divergence({"one": text + "a", "other": text + "b"})


def frames(text: str) -> None:
    reader = Reader()
    for number in range(8):
        reader.frame([*text.split("\n"), str(number)])


# The work, the size of the smaller text, and pairs of a beginning and a repeated piece.
CASES: list[tuple[str, Work, int, list[tuple[str, str]]]] = [
    ("import", imported, 1_000, [
        ("", "{"), ("", "["), ("{", '"a":1,'), ("[", "[],"), ("[", "1,"), ('{"a":"', "\\u0041"), ("messages ", "a\n"),
        ("messages ", "f("), ("messages=", "-"), ("{", "'a':1,"), ("curl ", "a "), ("curl -d '", "'\\''"),
        ("curl ", "\\\n"),
        ("curl -d $'", "\\n"), ('curl -d "', "\\\\$"), ("", "A="), ("curl ", "#"),
    ]),
    ("long import", imported, 8_000, [("messages ", "a\n"), ("{", "'a':1,"), ("curl -d '", "\n")]),
    ("readers of a paste", raw_request_as_json, 2_500, [
        ("messages curl ", '"$(cat <<E\n'), ("messages curl ", "<<E\n"), ("curl a <<E\n", "a\n"), ("cat <<E|", "cat|"),
        ("", "curl 'a' \\\n"), ("", "curl -d '\n"), ("", "curl $'\n"), ("", "curl a\n"), ("", "curl -d {}\n"),
        ("curl ", '^"'), ("curl ", "^\n"), ("curl ^\n", '\\"'), ('curl ^\n"', '""'), ("curl ^\n", " 'a"),
        ("curl.exe messages ", "@'\n"), ("curl.exe messages ", "`\n"), ("curl.exe messages ", "<#"),
        ("$a=@{messages=", "@{a="), ("$a=@{messages=", "1,"), ("curl.exe messages ", "$a+=@(1)\n"),
        ("irm messages\n", "$messages=$messages+$messages\n"), ("$a = @{messages=1}\n", "-body $a\n"),
        ("irm messages\n", "$a="), ("irm messages\n", "-body "), ("irm messages\n", "$a.b.add(1)"), ("messages=", "a="),
        ("messages ", "/*"), ("messages ", '"\\'), ("messages `", "${"), ("messages ", "f({"), ("messages ", "{a:"),
        ("messages ", "{messages,"), ("messages ", "f({messages})\n"), ("messages ", "[..."), ("messages ", "a=+"),
        ("messages=[]\n", "messages.push(1)\n"), ("messages ", "a.trim()."), ("messages=", "a+"),
        ("messages=", "await "),
        ("messages curl ", "<<<a"), ("messages curl ", "`curl "), ("messages\n", "\\\n> "), ("messages ", 'a.set("a"'),
        ("messages", "```\n"), ("messages", "```a\nb\n```\n"), ("messages\n", ">>> a\n"), ("messages\n", "%%bash\n"),
        ("messages\n", "In [1]: a\n"), ("messages = 1\n", "a b\n"), ("messages\n", " a\n"), ("messages\n", "!a\n"),
        ("messages=[]\n", "messages += [1]\n"), ("messages=[]\n", "messages = messages + [1]\n"),
        ("messages=[]\n", "f(messages=messages)\n"), ("", "f(messages=x)\n"), ("a={}\n", "a = {'messages': a}\n"),
        ("", "for a in b: messages.append(a)\n"), ("", "def f(messages): g(messages=messages)\n"),
        ("messages=''\n", "messages += f'{messages}'\n"), ("f(messages=", "dict("), ("f(messages='", "{}"),
        ("", '{"messages":1}\n'), ("", '{"body":{}}\n'), ("[", '{"body":{}},'),
        ('{"log":{"entries":[', '{"request":{}},'),
    ]),
    ("json", read_json, 8_000, [("", "["), ("[", "{},"), ("[", "1,"), ('["', "\\n"), ("{", '"a":1,'), ("", " ")]),
    ("indented json", pretty_json, 2_000, [("[" * 200, "1,"), ("", "[")]),
    ("extra body", linted, 400, [("", "key ")]),
    ("run file", lambda text: read_line(1, text), 5_000, [("", "["), ("[", "{},"), ('{"text":"', "\\n")]),
    ("settings file", lambda text: read_settings_file(text.encode()), 20_000, [
        ("", "["), ('{"tempera":1,"a":[', "[],"),
    ]),
    ("settings link", read_settings_link, 10_000, [("1.", "a"), ("1.", "."), ("", "1"), ("1.", "a.")]),
    ("data set", data(), 8_000, [
        ("a\n", "\n"), ("", '"'), ('a\n"', '""'), ("", ","), ("", ";\t|,"), ("a,b\n", "1,2\n"), ("", "\r"),
        ("a\n", " \n"),
        ("", '{"a":1}\n'), ('{"a":1}\n', "\n"), ('{"a":[', "[],"),
    ]),
    ("file name", with_name, 8_000, [("", "<"), ("", "<!--"), ("", "<script>"), ("", "&#"), ("", "a"), ("", "\x00<a")]),
    ("values", axis("temperature"), 8_000, [("", "1,"), ("", "1 to 2,"), ("", " "), ("", "["), ("1", "0")]),
    ("values of a key", axis("stop"), 8_000, [("", '"'), ("", "["), ("", '"\\'), ("", "{}"), ("", ",")]),
    ("values of seeds", axis("random_seed"), 4_000, [("seeds ", "1"), ("", "seeds 1,"), ("", "1..2 step ")]),
    ("plan", lambda text: read_rows(["temperature"], [{"temperature": one} for one in text.split()]), 4_000, [
        ("", "0.1 "),
    ]),
    ("variables", lambda text: names_in([text]), 20_000, [
        ("", "{"), ("", "{{a"), ("", "{{ "), ("{{", "a"), ("", "{{a}}"),
    ]),
    ("filled", lambda text: filled(text, {"a": text}), 8_000, [("", "{{a}}"), ("", "{{a}} word")]),
    ("draft", drafted, 8_000, [("", "{{a}}"), ("", "word ")]),
    ("Markdown", drawn, 300, [
        ("", "!["), ("", "["), ("", "[a]("), ("", "*a "), ("", "**a"), ("", "`a``"), ("", "$a"), ("", "\\("),
        ("", "<a"),
        ("", "http://"), ("", "a@"), ("", "> "), ("", "- "), ("", "- a\n"), ("", "|a|\n|-|\n"), ("", "a|"),
        ("", "$$\n"),
        ("", "```c\n"), ("", "\n"), ("", "a\n- "), ("|a|b|\n|-|-|\n", "|a|b|\n"),
    ]),
    ("Markdown in pieces", drawn_in_pieces, 500, [("|a|b|\n|-|-|\n", "|a|b|\n"), ("", "- a\n"), ("", "word ")]),
    ("replay", replayed, 1_000, [("|a|b|\n|-|-|\n", "|a|b|\n")]),
    ("frames", frames, 8_000, [("", "a\n"), ("", "a")]),
    ("formula", lambda text: mathml(text, displayed=True), 400, [
        ("", "x^{2}"), ("", "{"), ("", "\\frac{a}{b}"), ("", "\\\\"), ("", "\\left("), ("", "&"), ("", "\\begin {"),
    ]),
    ("C", highlighted("c"), 20_000, [("a", "\n"), ("a ", " "), ("", "a *"), ("a", "//\n")]),
    ("C#", highlighted("csharp"), 20_000, [("", "a\n")]),
    ("ini", highlighted("ini"), 20_000, [("a", " "), ("", "a =")]),
    ("console", highlighted("console"), 20_000, [("", "a: ")]),
    ("two lexers", highlighted("css+genshitext"), 20_000, [("", "\n")]),
    ("words", compared, 60_000, [("", "a "), ("", "ab"), ("", ".")]),
    ("divergence", parted, 20_000, [("", "a"), ("", "é ")]),
    ("hidden characters", with_hidden_marked, 2_000, [("", "\u200b"), ("", "\u202ea"), ("", "\U0001f600\u200d")]),
    ("error", read_error, 8_000, [("", "<!--"), ("", "<style"), ("", "<"), ('{"detail":[', '{"msg":"a"},'), ("", "[")]),
    ("words of an error", lambda text: plain_text(text, 2_000), 8_000, [("", "<script "), ("", "<!-- -"), ("", "</a")]),
    ("server timing", queue_ms, 8_000, [
        ("", '"'), ("", "queue;dur="), ("queue;", " "), ("queue;dur=", "1"), ("", ","),
    ]),
    ("addresses", without_addresses, 8_000, [
        ("", "[0"), ("", "a."), ("", "://"), ("", "1."), ("", "a-"), ("", "/home/"),
    ]),
]  # fmt: skip
FILTERS = [
    *(("settings", piece) for piece in ("[", '"', "\\", ",", "a ", "a=", '["', "a 1,", " ")),
    *(("words", piece) for piece in ('"', "a ", '"a" ', "*")),
    ("tag", "%"),
    ("since", "1"),
    ("experiment", "a"),
]


def made_of(begin: str, piece: str, size: int) -> str:
    return begin + piece * (size // len(piece))


def seconds(work: Work, text: str, times: int) -> float:
    best = float("inf")
    gc.disable()  # as in timeit: the time of a garbage collection depends on other tests
    for _ in range(times):
        began = time.thread_time()
        with suppress(ValueError, UserError):
            work(text)
        best = min(best, time.thread_time() - began)
        if best < FLOOR_S:
            break
    gc.enable()
    return best


def growth(work: Work, begin: str, piece: str, size: int) -> float:
    """The ratio of the times for four times the text; 0 below a millisecond."""
    for times in (1, 3, 7):
        large = seconds(work, made_of(begin, piece, 4 * size), times)
        found = large / seconds(work, made_of(begin, piece, size), times) if large >= FLOOR_S else 0.0
        if found < LESS_THAN:
            break
    return found


@pytest.mark.parametrize(("work", "size", "pieces"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_work_grows_linearly_with_the_text(work: Work, size: int, pieces: list[tuple[str, str]]) -> None:
    grown = {begin + piece: growth(work, begin, piece, size) for begin, piece in pieces}
    assert {piece: times for piece, times in grown.items() if times >= LESS_THAN} == {}


def test_filters_of_runs_are_read_in_linear_time(database: Database) -> None:
    for field, piece in FILTERS:
        for size in (250, 5_000):
            found = growth(lambda words, field=field: conditions(database, View(**{field: words})), "", piece, size)
            assert found < LESS_THAN, (field, piece, size)


def test_quadratic_work_is_detected() -> None:
    assert growth(lambda text: [text.count("b") for _ in text], "", "a", 2_000) > LESS_THAN
