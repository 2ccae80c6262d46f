"""A key is removed from texts and events in any escaping and at any cut."""

from __future__ import annotations

import json
import time
from itertools import count, pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.streaming.answer import Delta, TimedEvent
from components.streaming.masked_events import MaskedEvents
from components.streaming.masking import MASK, Mask, MaskedText

KEY = "sk-canary/0123+4567"
KEYS = [KEY, "sk-100%7abcdefghijk", "abababab", 'q"u\\o/te', "none", "x"]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04X}" for character in text)


SPELLED = {
    "verbatim": KEY,
    "as PHP writes JSON": KEY.replace("/", "\\/"),
    "in JSON within JSON": KEY.replace("/", "\\\\\\/"),
    "all escaped": escaped(KEY),
    "one escaped": escaped(KEY[0]) + KEY[1:],
    "one escaped twice": KEY[:5] + escaped(KEY[5]).replace("\\", "\\\\") + KEY[6:],
    "in a URL": quote(KEY, safe=""),
}


def masked(pieces: list[str], secret: str = KEY) -> list[str]:
    text = MaskedText(Mask(secret))
    return [text.feed(piece) for piece in pieces] + [text.flush()]


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_a_text_never_shows_the_key_wherever_it_is_cut(spelled: str) -> None:
    whole = f"before {spelled} after"
    for at in range(len(whole) + 1):
        assert "".join(masked([whole[:at], whole[at:]])) == f"before {MASK} after"
    assert "".join(masked(list(whole))) == f"before {MASK} after"
    assert Mask(KEY).out_of(whole) == f"before {MASK} after"


@given(secret=st.sampled_from(KEYS), data=st.data())
def test_masking_does_not_depend_on_the_cut(secret: str, data: st.DataObject) -> None:
    part = st.sampled_from([secret, secret[:2], secret[1:], "s", "\\", "%", "\\u00", "C:\\none", "100% ", "é\n"])
    whole = "".join(data.draw(st.lists(part, max_size=8)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[begin:end] for begin, end in pairwise([0, *cuts, len(whole)])]
    released = masked(pieces, secret)
    if secret not in MASK:
        assert secret not in "".join(released)
    # At most the length of the key is held back, and nothing is lost.
    if secret not in whole and not any(mark in whole for mark in "\\%"):
        for number in range(1, len(pieces) + 1):
            late = len("".join(pieces[:number])) - len("".join(released[:number]))
            assert 0 <= late < len(secret)
        assert "".join(released[:-1]) == whole[: len("".join(released[:-1]))]


def test_text_that_begins_like_the_key_is_released_at_the_end() -> None:
    assert masked(["It is s"]) == ["It is ", "s"]
    assert masked([KEY[:7]]) == ["", KEY[:7]]
    assert masked([KEY[:8]]) == ["", MASK]


def passed_on(events: list[TimedEvent], secret: str = KEY) -> list[TimedEvent]:
    """The passed-on events except those with text only."""
    masked_events = MaskedEvents(Mask(secret))
    passed = [one for event in events for one in masked_events.feed(event)]
    return [event for event in [*passed, *masked_events.flush()] if event.event != "flush"]


def event(data: object, name: str = "message") -> TimedEvent:
    return TimedEvent(name, data if isinstance(data, str) else json.dumps(data), 1.0)


def choice(**fields: object) -> dict[str, object]:
    return {"id": "chunk-s", "object": "sk", "choices": [{"index": 0, **fields}]}


_counted = count()
PLACES = {
    "content": lambda piece: choice(delta={"content": piece}),
    "reasoning": lambda piece: choice(delta={"reasoning_content": piece}),
    "refusal": lambda piece: choice(delta={"refusal": piece, "content": None}),
    "arguments": lambda piece: choice(delta={"tool_calls": [{"index": 1, "function": {"arguments": piece}}]}),
    "logprobs": lambda piece: choice(logprobs={"content": [{"token": piece, "bytes": list(piece.encode())}]}),
    "another place": lambda piece: {"p": [{"q": piece}]},
    "not JSON": lambda piece: piece or "-",
    "JSON's text": lambda piece: f'"{piece}"',
    "an index that counts": lambda piece: {"choices": [{"index": next(_counted), "delta": {"content": piece}}]},
}


def is_part(text: str) -> bool:
    """Whether the text contains a revealing part of the key."""
    return any(KEY[begin : begin + 4] in text for begin in range(len(KEY) - 3))


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_events_never_show_the_key_wherever_it_is_cut(make) -> None:
    for at in range(1, len(KEY)):
        events = passed_on([event(make(piece)) for piece in ("x", f"say {KEY[:at]}", f"{KEY[at:]} it", "y")])
        assert len(events) == 4
        assert not is_part("".join(one.data for one in events))
    letters = passed_on([event(make(letter)) for letter in f"say {KEY} it"])
    assert len(letters) == len(f"say {KEY} it")
    assert not any(f'"{letter}"' in one.data for one in letters for letter in KEY[10:])


def test_masked_events_join_to_the_masked_text() -> None:
    pieces = ["I say ", KEY[:5], "", KEY[5:9], KEY[9:] + " and so", f" on {KEY[:3]}", "f"]
    events = passed_on([event(choice(delta={"content": piece})) for piece in pieces])
    contents = [json.loads(one.data)["choices"][0]["delta"]["content"] for one in events]
    assert contents == ["I say ", "", "", "", f"{MASK} and so", f" on {KEY[:3]}", "f"]
    assert "".join(contents) == "".join(masked(pieces))


def test_pieces_of_several_choices_and_calls_are_distinguished() -> None:
    def both(piece: str, index: int) -> TimedEvent:
        return event({"choices": [{"index": index, "delta": {"content": piece}}]})

    events = passed_on([both("sk-ca", 0), both("other", 1), both("sk-ca", 1), both(KEY[5:], 0), both(" end", 1)])
    contents = [json.loads(one.data)["choices"][0]["delta"]["content"] for one in events]
    assert contents == ["", "other", "sk-ca", MASK, " end"]


def test_the_probabilities_of_masked_tokens_are_removed() -> None:
    spelled = {"content": [{"token": letter, "bytes": [ord(letter)], "top_logprobs": []} for letter in KEY]}
    for content in (KEY, f"{KEY} and more"):
        [only] = passed_on([event(choice(message={"content": content}, logprobs=spelled))])
        assert json.loads(only.data)["choices"][0]["logprobs"] is None
    before, after = passed_on(
        [event(choice(delta={"content": piece}, logprobs=spelled)) for piece in (KEY[:9], KEY[9:])]
    )
    assert str(ord(KEY[0])) not in before.data + after.data


def test_an_event_without_part_of_the_key_passes_at_once_and_unchanged() -> None:
    masked_events = MaskedEvents(Mask(KEY))
    for data in ('{"content":  "tasks", "n": 1.0}', "yes", "", '{"sk": 1E5}', "[DONE]", '{"a": "\\u006b\\n"}', "50%"):
        came = TimedEvent("ping", data, 1.0)
        assert list(masked_events.feed(came)) == [came]


def test_the_text_of_a_held_event_is_passed_on_at_once() -> None:
    masked_events = MaskedEvents(Mask(KEY))
    came = TimedEvent("message", json.dumps({"content": "I ask"}), 1.0, (Delta(0, "I a"),))
    assert list(masked_events.feed(came)) == [TimedEvent("flush", "", 1.0, (Delta(0, "I a"),))]
    next_one = TimedEvent("message", json.dumps({"content": "you"}), 2.0, (Delta(0, "skyou"),))
    events = list(masked_events.feed(next_one))
    assert [one.data for one in events if one.data] == [came.data, next_one.data]
    assert [one.deltas for one in events if one.deltas] == [(Delta(0, "skyou"),)]


def test_events_wait_for_a_limited_time_and_a_long_part_is_then_masked() -> None:
    def among(piece: str) -> list[TimedEvent]:
        others = [event({"other": str(number)}) for number in range(1_000)]
        return [event({"text": f"say {piece}"}), *others, event({"text": KEY[len(piece) :]})]

    masked_events = MaskedEvents(Mask(KEY))
    waiting = 0
    for one in among(KEY[:10]):
        waiting += 1 - len(list(masked_events.feed(one)))
        assert waiting < 200
    long, short = passed_on(among(KEY[:10])), passed_on(among(KEY[:5]))
    assert json.loads(long[0].data) == {"text": f"say {MASK}"}
    assert json.loads(short[0].data) == {"text": f"say {KEY[:5]}"}
    assert json.loads(long[-1].data) == json.loads(short[-1].data) == {"text": MASK}


def test_names_of_events_are_masked() -> None:
    assert [one.event for one in passed_on([event("{}", KEY), event("{}", KEY[:6]), event("{}", KEY[6:])])] == [
        MASK,
        "",
        MASK,
    ]


_text = st.sampled_from(["{0}", "{1}", "{2}", "{3}", "", "s", "\\", "\\u00", "%7", "é"])
_named = st.dictionaries(st.sampled_from(["index", "choices", "logprobs", "a"]), _text, max_size=2)


@given(secret=st.sampled_from(KEYS), values=st.lists(_text | _named | st.lists(_named | _text, max_size=2), max_size=9))
def test_events_keep_their_order_and_none_is_lost(secret: str, values: list[object]) -> None:
    def whole(text: str) -> str:
        for number, part in enumerate((secret, secret[:3], secret[1:], secret[3:])):
            text = text.replace(f"{{{number}}}", json.dumps(part)[1:-1])
        return text

    came = [TimedEvent("message", whole(json.dumps(one)), float(number)) for number, one in enumerate(values)]
    seen = passed_on(came, secret)
    assert [one.at_ms for one in seen] == [one.at_ms for one in came]
    if len(secret) > 4:
        assert not any(secret in one.data for one in seen)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: [event({"content": KEY[:3]})] * size,
        lambda size: [event({f"k{number}": KEY[:12]}) for number in range(size)],
        lambda size: [event([KEY[:2]] * size)],
        lambda size: [event("[" * size + "]" * size)],
        lambda size: [event('{"a":' * size)],
        lambda size: [event("\\" * size), event("%" * size), event(KEY[:-1] * size)],
    ],
)
def test_the_cost_of_hostile_events_is_linear(make) -> None:
    def cost(size: int) -> float:
        events = make(size)
        began = time.thread_time()
        passed_on(events)
        return time.thread_time() - began

    small = min(cost(1_000) for _ in range(3))
    assert min(cost(4_000) for _ in range(3)) < 10 * max(small, 0.002)
