"""The table of events: the common part of all events is shown once."""

from __future__ import annotations

from components.ui.answer.events_view import folded


def test_the_common_part_of_events_is_shown_once() -> None:
    data = [
        '{"id": "a", "model": "m", "choices": [{"delta": {"content": "Hi"}}]}',
        '{"id": "a", "model": "m", "choices": [], "usage": {"total_tokens": 3}}',
        "[DONE]",
    ]
    short, common = folded(data)
    assert common == {"id": '"a"', "model": '"m"'}
    assert short == [
        '{"choices": [{"delta": {"content": "Hi"}}]}',
        '{"choices": [], "usage": {"total_tokens": 3}}',
        "[DONE]",
    ]


def test_a_single_event_and_equal_events_stay_whole() -> None:
    assert folded(['{"id": "a"}', "[DONE]"]) == (['{"id": "a"}', "[DONE]"], {})
    assert folded(['{"id": "a"}', '{"id": "a"}'])[0] == ['{"id": "a"}', '{"id": "a"}']
