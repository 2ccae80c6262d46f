"""Presets: the fields that they set, and those that they keep."""

import pytest

from components.contract.profile import BEEZY
from components.drafts.comparison import Comparison, Lane
from components.drafts.presets import BUILT_IN, PresetProblem, change_of, preset_text
from components.drafts.setting import FieldState, Setting
from tests.drafts.test_draft import a_draft, body_of, with_settings


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Precise", {"temperature": 0.2}),
        ("Balanced", {}),
        ("Creative", {"temperature": 0.9}),
        ("Reproducible", {"temperature": 0.0, "random_seed": 1337}),
        ("Safe prompt on", {"temperature": 0.4, "top_p": 0.5, "safe_prompt": True}),
        ("Safe prompt off", {"temperature": 0.4, "top_p": 0.5, "safe_prompt": False}),
    ],
)
def test_a_built_in_preset_sets_its_fields_and_leaves_the_others(name, sent):
    before = with_settings(
        a_draft(),
        temperature=Setting(state=FieldState.VALUE, value=0.4),
        top_p=Setting(state=FieldState.VALUE, value=0.5),
        max_tokens=Setting(state=FieldState.VALUE, value=9),
    )
    body = body_of(BUILT_IN[name].change.apply(before))
    assert {key: value for key, value in body.items() if key not in ("model", "messages", "stream")} == {
        "max_tokens": 9,
        **sent,
    }


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_preset_stays_within_the_contracts_ranges(name):
    request = BUILT_IN[name].change.apply(a_draft()).to_request(BEEZY)
    assert BEEZY.range_problems(request.sent_values()) == {}


def test_a_preset_without_messages_has_settings_only():
    kept = with_settings(
        a_draft("{{a}}", variables={"a": "1"}, endpoint="e", extra_body='{"n": 1}', stream=False),
        top_p=Setting(state=FieldState.NULL, value=0.5),
    )
    mine = a_draft("mine", endpoint="here", model="other")
    taken = change_of(preset_text(kept, with_messages=False)).apply(mine)
    assert (taken.turns, taken.endpoint, taken.model) == (mine.turns, "here", "other")
    assert (taken.settings, taken.extra_body, taken.stream) == (kept.settings, kept.extra_body, False)


def test_a_preset_with_messages_includes_their_variables():
    kept = a_draft("{{a}}", variables={"a": "1", "removed": "secret"})
    assert "secret" not in preset_text(kept, with_messages=True)
    taken = change_of(preset_text(kept, with_messages=True)).apply(a_draft("mine"))
    assert (taken.turns, taken.variables) == (kept.turns, {"a": "1"})


def test_an_unreadable_preset_is_reported():
    with pytest.raises(PresetProblem, match="another version of Tempera"):
        change_of("{")


@pytest.mark.parametrize("with_messages", [True, False])
def test_a_preset_has_no_lanes_and_keeps_those_of_the_draft(with_messages):
    theirs = Comparison(lanes=(Lane(id="1", name="theirs"), Lane(id="2")))
    mine = a_draft("mine", comparison=Comparison(lanes=(Lane(id="1", name="mine"), Lane(id="2")), repeats=4))
    text = preset_text(a_draft("{{a}}", variables={"a": "1"}, comparison=theirs), with_messages=with_messages)
    assert "theirs" not in text
    assert change_of(text).apply(mine).comparison == mine.comparison
    assert BUILT_IN["Precise"].change.apply(mine).comparison == mine.comparison
