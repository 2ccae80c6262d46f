"""Known keys of an extra body become settings, and no request changes by a byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.profile import BEEZY, MISTRAL, OPENAI, PROFILES
from components.contract.request import to_bytes
from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import DraftProblem
from components.drafts.known_keys import with_known_keys
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting
from tests.drafts.test_draft import a_draft, with_settings


def value(of):
    return Setting(state=FieldState.VALUE, value=of)


def bytes_of(draft, profile):
    sent = []
    for each in (draft, *(lane.apply(draft) for lane in draft.comparison.lanes)):
        try:
            sent.append(to_bytes(each.to_request(profile), profile))
        except DraftProblem as problem:
            sent.append(str(problem))
    return sent


def further(draft):
    return {field: setting for field, setting in draft.settings.items() if field not in a_draft().settings}


def test_known_keys_become_settings_in_their_order():
    draft = a_draft(extra_body='{"n": 2, "stop": "x", "logit_bias": null, "metadata": {"b": 1, "a": 2}}')
    known = with_known_keys(draft, OPENAI)
    assert known.extra_body == ""
    assert list(further(known)) == ["n", "stop", "logit_bias", "metadata"]
    assert further(known)["stop"] == value("x")
    assert further(known)["logit_bias"].state is FieldState.NULL
    assert bytes_of(known, OPENAI) == bytes_of(draft, OPENAI)


@pytest.mark.parametrize(
    "extra_body",
    [
        '{"mine": 1, "n": 2}',
        '{"n": "two"}',
        '{"n": null}',
        f'{{"n": {LARGEST_WHOLE + 1}}}',
        '{"stop": ["\\ud800"]}',
        '{"temperature": 1}',
        '{"n": 2, ',
        "",
    ],
)
def test_values_without_a_widget_stay_as_typed(extra_body):
    draft = a_draft(extra_body=extra_body)
    assert with_known_keys(draft, OPENAI) == draft


def test_keys_after_an_unknown_one_become_fields_only_on_request():
    draft = a_draft(extra_body='{"stop": ["x"], "mine": 1, "n": 2}')
    known = with_known_keys(draft, BEEZY)
    assert (list(further(known)), json.loads(known.extra_body)) == (["stop"], {"mine": 1, "n": 2})
    moved = with_known_keys(known, BEEZY, in_any_order=True)
    assert (list(further(moved)), json.loads(moved.extra_body)) == (["stop", "n"], {"mine": 1})


def test_a_key_stays_if_its_field_is_sent_already():
    draft = with_settings(a_draft(extra_body='{"n": 2}'), n=value(1))
    assert with_known_keys(draft, OPENAI) == draft
    with pytest.raises(DraftProblem, match="n has its own field, which is sent"):
        draft.to_request(OPENAI)


def test_a_lane_with_its_own_extra_body_omits_the_missing_keys():
    lanes = (Lane(id="1"), Lane(id="2", extra_body='{"stop": ["x"], "mine": 2}'), Lane(id="3", extra_body=""))
    draft = a_draft(extra_body='{"n": 2}', comparison=Comparison(lanes=lanes))
    known = with_known_keys(draft, MISTRAL)
    assert known.comparison.lanes[1].settings == {"n": Setting(value=2), "stop": value(["x"])}
    assert known.comparison.lanes[2].extra_body is None
    assert bytes_of(known, MISTRAL) == bytes_of(draft, MISTRAL)


def test_a_lane_with_keys_in_another_order_keeps_all_keys_as_typed():
    lanes = (Lane(id="1"), Lane(id="2", extra_body='{"stop": ["x"], "n": 2}'))
    draft = a_draft(extra_body='{"n": 2}', comparison=Comparison(lanes=lanes))
    assert with_known_keys(draft, MISTRAL) == draft


values = {
    "n": st.integers(0, 3) | st.just("two"),
    "stop": st.text(max_size=2) | st.lists(st.text(max_size=2), max_size=2) | st.none(),
    "presence_penalty": st.integers(-2, 2) | st.floats(-2, 2) | st.none(),
    "tools": st.just([]) | st.none(),
    "mine": st.integers(),
}
bodies = st.lists(st.sampled_from(sorted(values)), unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: values[key] for key in keys}).map(json.dumps)
)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(base=bodies | st.just("{"), lanes=st.lists(st.none() | bodies | st.just("["), min_size=2, max_size=3))
def test_no_request_changes_by_a_byte(profile, base, lanes):
    own = tuple(Lane(id=str(number), extra_body=body) for number, body in enumerate(lanes))
    draft = a_draft(extra_body=base, comparison=Comparison(lanes=own))
    known = with_known_keys(draft, profile)
    assert bytes_of(known, profile) == bytes_of(draft, profile)
    assert with_known_keys(known, profile) == known
