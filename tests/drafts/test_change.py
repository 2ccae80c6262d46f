"""Changes of a draft: applying one, and finding the change between two drafts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.messages import Role
from components.drafts.change import Change, between, reset
from components.drafts.conversation import Turn
from components.drafts.draft import Draft
from components.drafts.setting import FieldState, Setting, sending
from tests.drafts.test_draft import a_draft, with_settings
from tests.drafts.test_side_by_side import drafts, system_turns

some_drafts = drafts(st.lists(system_turns, max_size=2))
OMITTED = Setting()


@given(some_drafts, some_drafts)
def test_the_change_between_two_drafts_turns_one_into_the_other(before: Draft, after: Draft) -> None:
    made = between(before, after, unsent=True).apply(before)
    assert made.model_copy(update={"variables": after.variables}) == after


@given(some_drafts)
def test_the_change_between_equal_drafts_is_empty(draft: Draft) -> None:
    assert between(draft, draft) == Change()
    assert Change().apply(draft) == draft


def test_omitted_fields_differ_only_on_request() -> None:
    before, after = (with_settings(a_draft(), temperature=Setting(value=value)) for value in (0.1, 0.9))
    assert between(before, after) == Change()
    assert between(before, after, unsent=True).settings == {"temperature": Setting(value=0.9)}


@pytest.mark.parametrize("setting", [OMITTED, sending(None)])
def test_an_omitted_or_null_field_keeps_its_value(setting: Setting) -> None:
    before = with_settings(a_draft(), top_p=sending(0.3))
    after = Change(settings={"top_p": setting}).apply(before)
    assert after.settings["top_p"] == Setting(state=setting.state, value=0.3)


def test_a_missing_field_is_added_unless_the_extra_body_has_its_key() -> None:
    draft = a_draft(extra_body='{"stop": ["a"], "n": 1}')
    change = Change(settings={"stop": OMITTED, "n": sending(2), "user": sending(None)})
    changed = change.apply(draft)
    assert json.loads(changed.extra_body) == {"n": 2}
    assert changed.settings["user"] == sending(None)
    assert Change(settings={"n": OMITTED, "stop": OMITTED}).apply(draft).extra_body == ""


def test_an_unreadable_extra_body_stays_as_typed() -> None:
    assert Change(settings={"n": sending(2)}).apply(a_draft(extra_body="{")).extra_body == "{"


def test_a_new_conversation_replaces_the_variables_and_a_single_variable_keeps_the_others() -> None:
    draft = a_draft("{{a}} {{b}}", variables={"a": "1", "b": "2"})
    assert Change(variables={"b": "3"}).apply(draft).variables == {"a": "1", "b": "3"}
    turns = (Turn(id="1", role=Role.USER, content="{{c}}"),)
    other = Change(turns=turns, variables={"c": "4"}).apply(draft)
    assert (other.turns, other.variables) == (turns, {"c": "4"})


def test_a_reset_restores_its_fields_only() -> None:
    draft = with_settings(a_draft(stream=False, extra_body='{"n": 1}'), temperature=sending(0.4), top_p=sending(0.3))
    assert reset(draft.changed_fields).apply(draft).changed_fields == []
    one = reset(["temperature"]).apply(draft)
    assert one.changed_fields == ["top_p", "stream", "extra_body"]
    assert one.settings["temperature"] == Setting(state=FieldState.OMIT, value=0.4)
