"""Blocks and frames: from any state, frames bring a reader to the current answer."""

from __future__ import annotations

import html
import json

from hypothesis import given
from hypothesis import strategies as st

from components.live.frames import Reader
from components.markdown.answer import AnswerBlocks, PlainBlocks, View, pretty_json
from tests.live.conftest import applied

TEXTS = st.text(st.sampled_from(list("ab <>&\n\r\"'`*#-|$é漢😀")), max_size=3_000)
LISTS = st.lists(st.text(st.sampled_from(list("ab<&é😀")), max_size=8), max_size=6)


@given(st.lists(LISTS, max_size=8))
def test_a_reader_that_applies_all_frames_has_the_blocks(states: list[list[str]]) -> None:
    reader, seen = Reader(), []
    for blocks in states:
        frame = reader.frame(blocks)
        if frame is None:
            assert seen == blocks or not blocks
            continue
        seen = applied(seen, frame)
        # An answer without blocks is one empty block on the page.
        assert seen == (blocks or [""])


@given(TEXTS, st.lists(st.integers(0, 3_000)))
def test_plain_blocks_contain_the_exact_text_for_any_chunks(text: str, cuts: list[int]) -> None:
    blocks = PlainBlocks()
    final: list[str] = []
    for cut in [*sorted(cut for cut in cuts if cut < len(text)), len(text)]:
        blocks.update(text[:cut], ended=cut == len(text))
        assert blocks.blocks[: len(final)] == final
        final = blocks.blocks[: blocks.settled]
        assert html.unescape("".join(blocks.blocks)) == text[:cut]
        assert "\r" not in "".join(blocks.blocks)
    assert blocks.settled == len(blocks.blocks)


@given(TEXTS, st.sampled_from(["markdown", "plain"]))
def test_a_repeated_end_changes_nothing(text: str, view: View) -> None:
    blocks = AnswerBlocks(view)
    blocks.update(text, ended=True)
    before = list(blocks.blocks)
    blocks.update(text, ended=True)
    assert blocks.blocks == before


@given(TEXTS, st.sampled_from(["markdown", "plain"]), st.integers(0, 3_000))
def test_an_older_text_removes_no_block(text: str, view: View, cut: int) -> None:
    blocks = AnswerBlocks(view)
    blocks.update(text)
    before = list(blocks.blocks)
    blocks.update(text[:cut])
    assert blocks.blocks == before


@given(TEXTS, st.integers(0, 3_000))
def test_a_returning_reader_gets_only_the_missing_blocks(text: str, cut: int) -> None:
    before, after = AnswerBlocks("markdown"), AnswerBlocks("markdown")
    before.update(text[:cut])
    after.update(text, ended=True)
    known = before.blocks[:-1]
    reader = Reader()
    reader.resume(after.blocks, len(known), sum(len(block.encode("utf-16-le")) // 2 for block in known))
    frame = reader.frame(after.blocks)
    assert (applied(known, frame) if frame else known) == after.blocks


def test_a_reader_with_other_blocks_gets_all_of_them() -> None:
    reader = Reader()
    reader.resume(["<p>one</p>", "<p>two</p>"], 1, 3)
    assert reader.frame(["<p>one</p>", "<p>two</p>"]) == [0, 0, "<p>one</p>", "<p>two</p>"]


def test_only_new_text_is_sent_in_utf16_units() -> None:
    reader = Reader()
    assert reader.frame(["<p>😀</p>"]) == [0, 0, "<p>😀</p>"]
    assert reader.frame(["<p>😀 and</p>"]) == [0, 5, " and</p>"]
    assert reader.frame(["<p>😀 and</p>"]) is None
    assert reader.frame(["<p>😀 and</p>", "<p>more</p>"]) == [1, 0, "<p>more</p>"]


def test_complete_json_is_indented_at_the_end() -> None:
    blocks = AnswerBlocks("markdown")
    blocks.update('{"a": [1, 2]}')
    assert "<pre>" not in "".join(blocks.blocks)
    blocks.update('{"a": [1, 2]}', ended=True)
    assert len(blocks.blocks) == 1
    assert blocks.blocks[0].count("\n") > 4
    assert pretty_json('{"a": 1} and more') is None
    assert pretty_json("plain") is None
    assert pretty_json("[" * 100_000) is None
    plain = AnswerBlocks("plain")
    plain.update('{"a": [1, 2]}', ended=True)
    assert html.unescape("".join(plain.blocks)) == '{"a": [1, 2]}'


def test_numbers_in_json_are_shown_as_received() -> None:
    written = (
        '{"price": 1.10, "long": 0.12345678901234567890123, "e": 1E5, "zero": -0, "empty": [{}, []], "s": "\\u00e9{", '
        '"huge": 1e400, "zero": 0.0}'
    )
    assert pretty_json(written) == (
        '{\n  "price": 1.10,\n  "long": 0.12345678901234567890123,\n  "e": 1E5,\n  "zero": -0,\n'
        '  "empty": [\n    {},\n    []\n  ],\n  "s": "é{",\n  "huge": 1e400,\n  "zero": 0.0\n}'
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_is_indented_as_python_indents_it(value: object) -> None:
    text = json.dumps([value], ensure_ascii=False)
    assert pretty_json(text) == json.dumps([value], ensure_ascii=False, indent=2)


def test_json_that_grows_too_much_is_not_indented() -> None:
    deep = "[" * 300 + "1," * 1_000 + "1" + "]" * 300
    assert pretty_json(deep) is None
    assert pretty_json("[" * 30 + "1," * 1_000 + "1" + "]" * 30) is not None
