"""Tool calls are joined from their pieces by the most reliable sign."""

from typing import Any

import pytest

from components.streaming.outcome import ToolCall
from components.streaming.tool_calls import ToolCalls


def piece(arguments: object = "", name: str | None = None, **more: object) -> dict[str, Any]:
    return {**more, "function": {"name": name, "arguments": arguments}}


def joined(*chunks: list[Any]) -> list[tuple[str, str, str]]:
    calls = ToolCalls()
    for pieces in chunks:
        calls.add(pieces)
    assert all(isinstance(call, ToolCall) for call in calls.joined())
    return [(call.id, call.name, call.arguments) for call in calls.joined()]


TWO = [("a", "look", '{"x":1}'), ("b", "find", '{"y":2}')]


@pytest.mark.parametrize(
    ("first", "second"), [(0, 1), ("0", "1"), (0, 0), (None, None), (-1, "x"), (7, 3), (True, 1.5)]
)
def test_a_new_id_begins_a_call_with_any_index(first: object, second: object) -> None:
    assert joined(
        [piece('{"x"', "look", id="a", index=first)],
        [piece(":1}", id="a", index=first)],
        [piece('{"y"', "find", id="b", index=second)],
        [piece(":2}", id="b", index=second)],
    ) == TWO  # fmt: skip


def test_a_known_id_continues_its_own_call_also_when_another_one_has_begun() -> None:
    begun = [piece('{"x"', "look", id="a")], [piece('{"y"', "find", id="b")]
    assert joined(*begun, [piece(":1}", id="a")], [piece(":2}", id="b")]) == TWO


@pytest.mark.parametrize(("first", "second"), [(0, 1), ("0", "1")])
def test_without_an_id_the_index_selects_the_call(first: object, second: object) -> None:
    begun = [piece('{"x"', "look", id="a", index=first)], [piece('{"y"', "find", id="b", index=second)]
    assert joined(*begun, [piece(":1}", index=first)], [piece(":2}", index=second)]) == TWO


@pytest.mark.parametrize(("second", "index"), [(0, 0), (0, 1), (0, 5), (0, None), (0, "x"), (1, 0)])
def test_a_piece_with_a_wrong_index_continues_the_last_call(second: object, index: object) -> None:
    begun = [piece('{"x":1}', "look", id="a", index=0)], [piece('{"y"', "find", id="b", index=second)]
    assert joined(*begun, [piece(":2}", index=index)]) == TWO


def test_whole_calls_without_ids_are_distinguished() -> None:
    whole = [piece('{"x":1}', "look"), piece('{"y":2}', "find"), piece('{"y":3}', "find")]
    calls = [("", "look", '{"x":1}'), ("", "find", '{"y":2}'), ("", "find", '{"y":3}')]
    assert joined(whole) == joined(*([one] for one in whole)) == calls
    assert joined([{**one, "index": place} for place, one in enumerate(whole)]) == calls
    assert joined(*([{**one, "index": 0}] for one in whole)) == calls


def test_pieces_of_several_calls_in_one_list_are_matched_by_position() -> None:
    assert joined([piece('{"x"', "look"), piece('{"y"', "find")], [piece(":1}"), piece(":2}")]) == [
        ("", *call[1:]) for call in TWO
    ]


def test_whole_calls_without_ids_and_arguments_in_one_list_are_distinguished() -> None:
    assert joined([piece("", "look", index=0), piece("", "find", index=0)]) == [("", "look", ""), ("", "find", "")]


def test_each_piece_of_a_call_may_have_another_id() -> None:
    pieces = [piece("", "look", id="a", index=0)], [piece('{"x"', id="b", index=0)], [piece(":1}", id="c", index=0)]
    assert joined(*pieces) == TWO[:1]


def test_an_id_may_come_after_the_first_piece() -> None:
    assert joined([piece("", "look", index=0)], [piece("{}", id="a", index=0)]) == [("a", "look", "{}")]


@pytest.mark.parametrize(
    "names", [("get_", "weather"), ("get_", "get_weather"), ("get_weather", "get_weather"), ("", "get_weather")]
)
def test_a_name_may_come_in_pieces_or_repeatedly(names: tuple[str, str]) -> None:
    pieces = [[piece("", name, index=0)] for name in names]
    assert joined(*pieces, [piece("{", index=0)], [piece("}", "get_weather", index=0)]) == [("", "get_weather", "{}")]


def test_a_custom_tool_has_text_input() -> None:
    begun = [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "shell", "input": "ls "}}]
    assert joined(begun, [{"index": 0, "id": None, "function": None, "custom": {"input": "-l"}}]) == [
        ("a", "shell", "ls -l")
    ]


@pytest.mark.parametrize(
    "empty",
    [
        {},
        {"index": 0},
        {"id": "", "function": {"name": "", "arguments": ""}},
        {"id": None, "function": {"name": None, "arguments": None}},
        {"function": {"name": None, "arguments": {}}},
        {"index": 0, "function": None, "custom": None},
    ],
)
def test_an_empty_piece_does_not_begin_a_call(empty: dict[str, object]) -> None:
    calls = ToolCalls()
    calls.add([empty])
    assert not calls
    assert joined([empty], [piece("{}", "look", id="a", index=0)], [empty | {"function": {}}]) == [("a", "look", "{}")]


@pytest.mark.parametrize(
    "pieces",
    [
        [piece('{"x"', id="a", index=0), piece(":1}", "look", index=0)],
        [piece('{"x":1}', id="a", index=0), piece(None, "look", id=None, index=0)],
        [piece('{"x"', "look", id="a"), piece('{"x":1', "look", id="a"), piece('{"x":1}', "look", id="a")],
        [piece('{"x"', "look", id="a", index=0), piece(":1}", index=0), piece('{"x":1}', "look", id="a", index=0)],
        [{"index": 0, "id": "a", "name": "look", "arguments": '{"x":1}'}],
    ],
    ids=["name behind", "name last", "arguments repeated", "whole at the end", "flat"],
)
def test_a_call_does_not_depend_on_its_pieces(pieces: list[dict[str, Any]]) -> None:
    assert joined(*([one] for one in pieces)) == TWO[:1]


def test_an_id_may_be_a_number() -> None:
    assert joined([piece("{}", "look", id=7)], [piece("{}", "find", id=8)]) == [
        ("7", "look", "{}"),
        ("8", "find", "{}"),
    ]


def test_ten_thousand_pieces_are_one_call() -> None:
    pieces = [[piece("1", index=0)] for _ in range(10_000)]
    assert joined([piece('{"x":"', "look", id="a", index=0)], *pieces, [piece('"}', index=0)]) == [
        ("a", "look", '{"x":"' + "1" * 10_000 + '"}')
    ]
