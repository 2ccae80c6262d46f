"""Two drafts side by side: lane A is the base, lane B sends the request of the other."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.contract.messages import Role
from components.contract.profile import BEEZY
from components.contract.request import to_bytes
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, DraftProblem, FieldState, Setting
from components.drafts.in_words import OMITTED, SYSTEM, in_words
from components.drafts.side_by_side import side_by_side
from tests.drafts.test_comparison import all_settings, plain_parts
from tests.drafts.test_draft import a_draft, with_settings

texts = st.lists(st.sampled_from(["Be brief.", "{{a}}", "{{b}}", " ", "\n", "{{", "}}"]), min_size=1, max_size=4).map(
    "".join
)
variables = st.fixed_dictionaries({name: st.sampled_from(["red", "{{b}}", "{{", "}}"]) for name in ("a", "b")})
system_turns = st.builds(Turn, id=st.just("8"), role=st.just(Role.SYSTEM), content=texts, literal=st.booleans())


@st.composite
def drafts(draw: st.DrawFn, system: st.SearchStrategy[list[Turn]]) -> Draft:
    parts = draw(st.fixed_dictionaries({**plain_parts, "settings": all_settings, "variables": variables}))
    return a_draft(turns=(*draw(system), Turn(id="1", role=Role.USER, content="Hi")), **parts)


@st.composite
def written_drafts(draw: st.DrawFn) -> Draft:
    """Drafts with at most one system message, as in a lane."""
    draft = draw(drafts(st.lists(system_turns, max_size=1)))
    # An empty system message of a lane means none.
    assume(all(draft.text_of(turn).strip() for turn in draft.turns))
    return draft


def request_of(draft: Draft) -> tuple[str | None, bytes | str]:
    try:
        return draft.endpoint, to_bytes(draft.to_request(BEEZY), BEEZY)
    except DraftProblem as problem:
        return draft.endpoint, str(problem)


@given(drafts(st.lists(system_turns, max_size=2)), written_drafts())
def test_lane_b_sends_the_request_of_the_other_draft(base, now):
    both = side_by_side(base, now)
    first, second = both.comparison.lanes
    assert first == Lane(id="1")
    assert first.apply(both).model_copy(update={"comparison": base.comparison}) == base
    assert request_of(second.apply(both)) == request_of(now)


@given(drafts(st.lists(system_turns, max_size=2)))
def test_a_draft_compared_with_itself_has_no_changes(draft):
    assert side_by_side(draft, draft).comparison.lanes == (Lane(id="1"), Lane(id="2"))


def test_lane_b_has_only_the_differences():
    base = a_draft(endpoint="here", model="small")
    now = with_settings(base, top_p=Setting(state=FieldState.NULL, value=1.0)).model_copy(update={"stream": False})
    assert side_by_side(base, now).comparison.lanes[1] == Lane(
        id="2", settings={"top_p": Setting(state=FieldState.NULL, value=1.0)}, stream=False
    )


def test_numbers_of_omitted_fields_do_not_differ():
    base = with_settings(a_draft(), temperature=Setting(value=0.1), top_p=Setting(state=FieldState.NULL, value=0.1))
    now = with_settings(a_draft(), temperature=Setting(value=0.9), top_p=Setting(state=FieldState.NULL, value=0.9))
    assert side_by_side(base, now).comparison.lanes[1] == Lane(id="2")


def test_fields_of_the_base_can_be_removed():
    base = a_draft(
        turns=(Turn(id="2", role=Role.SYSTEM, content="Be brief."), Turn(id="1", role=Role.USER, content="Hi")),
        extra_body='{"n": 1}',
    )
    both = side_by_side(base, a_draft())
    lane = both.comparison.lanes[1]
    assert (lane.system, lane.extra_body) == ("", "")
    assert request_of(lane.apply(both)) == request_of(a_draft())


def test_a_users_message_stays_as_the_base_has_it():
    both = side_by_side(a_draft("base"), a_draft("now"))
    assert [turn.content for turn in both.comparison.lanes[1].apply(both).turns] == ["base"]


def test_several_system_messages_become_one():
    system = [Turn(id=str(number), role=Role.SYSTEM, content=text) for number, text in enumerate("ab", 5)]
    none, two = a_draft(), a_draft(turns=(*system, *a_draft().turns))
    assert side_by_side(none, two).comparison.lanes[1].system == "a\nb"


def test_two_system_messages_differ_from_one_with_the_same_text():
    system = [Turn(id=str(number), role=Role.SYSTEM, content=text) for number, text in enumerate(["a", "b", "a\nb"], 5)]
    two, one = a_draft(turns=(*system[:2], *a_draft().turns)), a_draft(turns=(system[2], *a_draft().turns))
    both = side_by_side(two, one)
    assert request_of(both.comparison.lanes[1].apply(both)) == request_of(one) != request_of(two)


@pytest.mark.parametrize("value", ["", "red"])
def test_a_variable_without_a_value_stays_a_variable(value):
    """The base may have the value that is missing in the other draft."""
    now = a_draft(turns=(Turn(id="2", role=Role.SYSTEM, content="{{a}}"), *a_draft().turns))
    both = side_by_side(a_draft(variables={"a": value}), now)
    lane = both.comparison.lanes[1].apply(both)
    assert lane.variable_names == ["a"]
    assert in_words(lane)[SYSTEM] == (value or OMITTED)


def test_a_comparison_of_two_drafts_has_the_default_repeats_and_timing():
    many = Comparison(repeats=9, timing=Timing.INTERLEAVED)
    assert side_by_side(a_draft(comparison=many), a_draft()).comparison.repeats == 1
    assert side_by_side(a_draft(comparison=many), a_draft()).comparison.timing is Timing.PARALLEL
