"""Lanes: there are always two to eight, and unchanged fields are those of the draft."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import ValidationError

from components.contract.fields import CONTRACT_FIELDS
from components.drafts.comparison import (
    FEWEST_LANES,
    LANE_SETS,
    MAX_LANES,
    MAX_REPEATS,
    Comparison,
    Lane,
    Timing,
    added,
    changed,
    moved,
    removed,
    with_lane_set,
    with_setting,
)
from components.drafts.draft import FieldState, Setting, read_draft
from tests.drafts.test_draft import a_draft, with_settings

values: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "max_tokens": st.integers(0, 5_000),
    "random_seed": st.integers(0, 5_000),
    "safe_prompt": st.booleans(),
}


def settings_of(field: str) -> st.SearchStrategy[Setting]:
    return st.builds(Setting, state=st.sampled_from(FieldState), value=values[field])


all_settings = st.fixed_dictionaries({field: settings_of(field) for field in CONTRACT_FIELDS})
some_settings = st.fixed_dictionaries({}, optional={field: settings_of(field) for field in CONTRACT_FIELDS})
plain_parts = {
    "endpoint": st.sampled_from(["here", "there"]),
    "model": st.sampled_from(["small", "large"]),
    "stream": st.booleans(),
    "extra_body": st.sampled_from(["", '{"n": 1}', '{"stop": ["a"]}', "{"]),
}
lanes = st.builds(
    Lane,
    id=st.just("9"),
    name=st.text(max_size=5),
    muted=st.booleans(),
    settings=some_settings,
    system=st.none() | st.sampled_from(["", "Be brief.", "Speak {{language}}."]),
    literal=st.booleans(),
    **{part: st.none() | values for part, values in plain_parts.items()},
)
drafts = st.builds(
    lambda settings, parts: a_draft(settings=settings, **parts), all_settings, st.fixed_dictionaries(plain_parts)
)


def ids(comparison: Comparison) -> list[str]:
    return [lane.id for lane in comparison.lanes]


def three_lanes() -> Comparison:
    return Comparison(lanes=(Lane(id="1"), Lane(id="2", model="large"), Lane(id="3", name="last")), highest_id=3)


class AnyChanges(RuleBasedStateMachine):
    """Any actions of a user, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.comparison = Comparison()
        self.gone: set[str] = set()

    def a_lane(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(ids(self.comparison)))

    def becomes(self, comparison: Comparison) -> None:
        self.gone |= {*ids(self.comparison)} - {*ids(comparison)}
        self.comparison = comparison

    @rule()
    def add(self) -> None:
        before = self.comparison
        self.becomes(added(before))
        assert ids(self.comparison)[: len(before.lanes)] == ids(before)
        assert len(self.comparison.lanes) == min(len(before.lanes) + 1, MAX_LANES)

    @rule(data=st.data())
    def clone(self, data: st.DataObject) -> None:
        before, like = self.comparison, self.a_lane(data)
        self.becomes(added(before, like))
        if len(before.lanes) < MAX_LANES:
            original = self.comparison.lane(like)
            copy = self.comparison.lanes[before.position(like) + 1]
            assert copy == original.model_copy(update={"id": copy.id, "name": ""})
            assert [lane for lane in self.comparison.lanes if lane is not copy] == [*before.lanes]
        else:
            assert self.comparison == before

    @rule(data=st.data(), by=st.integers(-9, 9))
    def move(self, data: st.DataObject, by: int) -> None:
        before, lane_id = self.comparison, self.a_lane(data)
        self.becomes(moved(before, lane_id, by))
        others = [lane for lane in before.lanes if lane.id != lane_id]
        assert [lane for lane in self.comparison.lanes if lane.id != lane_id] == others
        assert self.comparison.position(lane_id) == min(max(before.position(lane_id) + by, 0), len(others))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        before, lane_id = self.comparison, self.a_lane(data)
        self.becomes(removed(before, lane_id))
        left = [lane for lane in before.lanes if lane.id != lane_id]
        assert [*self.comparison.lanes] == (left if len(before.lanes) > FEWEST_LANES else [*before.lanes])

    @rule(data=st.data(), muted=st.booleans(), name=st.text(max_size=3))
    def mute_and_name(self, data: st.DataObject, muted: bool, name: str) -> None:
        before, chosen = self.comparison, self.a_lane(data)
        self.becomes(changed(before, {chosen}, muted=muted, name=name))
        assert (self.comparison.lane(chosen).muted, self.comparison.lane(chosen).name) == (muted, name)
        assert [one for one in self.comparison.lanes if one.id != chosen] == [
            one for one in before.lanes if one.id != chosen
        ]

    @rule(data=st.data(), field=st.sampled_from(CONTRACT_FIELDS))
    def change_a_field(self, data: st.DataObject, field: str) -> None:
        before = self.comparison
        chosen = data.draw(st.sets(st.sampled_from(ids(before))))
        setting = data.draw(st.none() | settings_of(field))
        self.becomes(with_setting(before, chosen, field, setting))
        for lane, was in zip(self.comparison.lanes, before.lanes, strict=True):
            others = {name: kept for name, kept in was.settings.items() if name != field}
            expected = was.settings.get(field) if lane.id not in chosen else setting
            assert lane.settings.get(field) == expected
            assert {name: kept for name, kept in lane.settings.items() if name != field} == others

    @rule(name=st.sampled_from([*LANE_SETS]))
    def take_a_set(self, name: str) -> None:
        self.becomes(with_lane_set(self.comparison, name))
        assert self.gone.isdisjoint(ids(self.comparison))

    @invariant()
    def there_are_two_to_eight_lanes_with_unique_ids(self) -> None:
        assert FEWEST_LANES <= len(self.comparison.lanes) <= MAX_LANES
        assert len({*ids(self.comparison)}) == len(self.comparison.lanes)

    @invariant()
    def ids_of_deleted_lanes_are_not_reused(self) -> None:
        """Otherwise it would show the answers of the deleted lane."""
        assert self.gone.isdisjoint(ids(self.comparison))

    @invariant()
    def it_survives_serialization(self) -> None:
        draft = a_draft(comparison=self.comparison)
        assert read_draft(draft.to_text()) == draft


AnyChanges.TestCase.settings = settings(
    max_examples=settings.default.max_examples // 2, stateful_step_count=25, deadline=None
)
TestAnyChanges = AnyChanges.TestCase


@given(drafts, drafts, lanes)
def test_a_change_of_the_base_reaches_unchanged_fields_of_lanes(before, after, lane):
    was, now = lane.apply(before), lane.apply(after)
    for part in plain_parts:
        own = getattr(lane, part)
        assert getattr(now, part) == (getattr(after, part) if own is None else own)
        assert own is None or getattr(was, part) == own
    for field in CONTRACT_FIELDS:
        assert now.settings[field] == lane.settings.get(field, after.settings[field])
    if lane.system is None:
        assert now.turns == after.turns


@given(drafts)
def test_a_name_and_a_muted_lane_change_nothing(base):
    assert Lane(id="1", name="named", muted=True, literal=True).apply(base) == base


def test_a_new_comparison_has_the_base_and_temperature_0():
    base, cold = Comparison().lanes
    assert base == Lane(id="1")
    assert cold.settings == {"temperature": Setting(state=FieldState.VALUE, value=0.0)}
    assert (Comparison().repeats, Comparison().timing) == (1, Timing.PARALLEL)


def test_lanes_are_called_by_their_letter_and_their_name():
    comparison = three_lanes()
    assert [comparison.title(lane_id) for lane_id in ids(comparison)] == ["A", "B", "C · last"]
    reordered = moved(comparison, "3", -2)
    assert [reordered.letter(lane_id) for lane_id in ("3", "1", "2")] == ["A", "B", "C"]


def test_a_clone_follows_its_lane_with_the_same_changes_and_no_name():
    cloned = added(three_lanes().model_copy(update={"highest_id": 7}), "2")
    assert ids(cloned) == ["1", "2", "8", "3"]
    assert cloned.lane("8") == Lane(id="8", model="large")
    assert added(three_lanes(), "3").lane("4").name == ""


def test_a_field_is_changed_in_several_lanes_and_reset():
    warm = Setting(state=FieldState.VALUE, value=0.9)
    changed_in_two = with_setting(three_lanes(), {"1", "3"}, "temperature", warm)
    assert [lane.settings for lane in changed_in_two.lanes] == [{"temperature": warm}, {}, {"temperature": warm}]
    assert with_setting(changed_in_two, ["1", "3"], "temperature", None) == three_lanes()


def test_unnamed_fields_stay_when_lanes_are_edited_together():
    renamed = changed(three_lanes(), ["1", "2"], name="new", model=None)
    assert [(lane.name, lane.model) for lane in renamed.lanes] == [("new", None), ("new", None), ("last", None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda comparison: added(comparison, "7"),
        lambda comparison: removed(comparison, "7"),
        lambda comparison: moved(comparison, "7", 1),
        lambda comparison: comparison.lane("7"),
        lambda comparison: comparison.title("7"),
        lambda comparison: with_lane_set(comparison, "no such set"),
    ],
)
def test_a_missing_lane_is_a_lookup_error(change):
    with pytest.raises(LookupError):
        change(three_lanes())


def test_a_comparison_keeps_two_to_eight_lanes():
    assert removed(Comparison(), "1") == Comparison()
    full = three_lanes()
    for _ in range(5):
        full = added(full)
    assert added(full) == full
    assert added(full, "1") == full


def test_a_move_against_the_end_changes_nothing():
    """The page treats such a click as no change and offers no undo."""
    assert moved(Comparison(), "1", -1) == Comparison()
    assert moved(Comparison(), "2", 3) == Comparison()


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("Temperature 0 / 0.3 / 0.7 / 1", "temperature", [0, 0.3, 0.7, 1]),
        ("Safe prompt A/B", "safe_prompt", [False, True]),
        ("Seeds 1 / 2 / 3 / 4", "random_seed", [1, 2, 3, 4]),
    ],
)
def test_a_set_of_lanes_changes_one_field_in_each(name, field, values):
    taken = with_lane_set(three_lanes(), name)
    assert [lane.settings for lane in taken.lanes] == [
        {field: Setting(state=FieldState.VALUE, value=value)} for value in values
    ]


def test_the_base_can_be_compared_with_itself():
    taken = with_lane_set(three_lanes(), "Base twice").lanes
    assert [lane.model_dump(exclude_defaults=True) for lane in taken] == [{"id": lane.id} for lane in taken]


def test_a_set_keeps_the_repeats_and_the_timing():
    comparison = three_lanes().model_copy(update={"repeats": 5, "timing": Timing.INTERLEAVED})
    taken = with_lane_set(comparison, "Base twice")
    assert (taken.repeats, taken.timing) == (5, Timing.INTERLEAVED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lanes": [Lane(id="1")]},
        {"lanes": [Lane(id=str(number)) for number in range(MAX_LANES + 1)]},
        {"repeats": 0},
        {"repeats": MAX_REPEATS + 1},
        {"timing": "backwards"},
    ],
    ids=["one lane", "nine lanes", "no repeat", "too many repeats", "unknown timing"],
)
def test_a_comparison_beyond_its_limits_is_invalid(wrong):
    with pytest.raises(ValidationError):
        Comparison(**wrong)


def test_a_lane_can_omit_a_field_of_the_base():
    base = with_settings(a_draft(), temperature=Setting(state=FieldState.VALUE, value=0.4))
    lane = Lane(id="1", settings={"temperature": Setting(state=FieldState.OMIT, value=0.4)})
    assert lane.apply(base).changed_fields == []
