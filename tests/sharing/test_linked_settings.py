"""The content of a link, applied to a draft and in words."""

from __future__ import annotations

from components.contract.difference import Difference
from components.contract.messages import Role
from components.contract.profile import BEEZY
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, new_draft
from components.drafts.setting import Setting
from components.sharing.linked_settings import linked_settings
from tests.sharing.drafts import a_draft, settings_of

EVERYTHING = a_draft(
    endpoint="embedded",
    turns=(
        Turn(id="1", role=Role.SYSTEM, content="Answer in {{language}}."),
        Turn(id="2", role=Role.USER, content="{{literal}}", name="Ada", literal=True),
        Turn(id="3", role=Role.ASSISTANT, content="Es war", prefix=True),
    ),
    settings=settings_of(temperature=0.7, top_p=None),
    stream=False,
    extra_body='{"stop": ["."]}',
    variables={"language": "German"},
    comparison=Comparison(
        lanes=(
            Lane(id="4", name="cold", settings={"temperature": Setting(value=0.5)}),
            Lane(id="2"),
            Lane(id="9", model="other", system="", muted=True),
        ),
        highest_id=9,
        repeats=3,
        timing=Timing.INTERLEAVED,
    ),
)


def changes(draft: Draft, *, comparison: bool = False) -> list[tuple[str, str, str]]:
    found = linked_settings(draft, comparison=comparison).changes()
    assert all(isinstance(change, Difference) for change in found)
    return [(change.field, change.before, change.after) for change in found]


def test_the_bar_describes_all_changes_of_a_link():
    assert changes(EVERYTHING, comparison=True) == [
        ("endpoint", "omitted", "embedded"),
        ("model", "omitted", "m"),
        ("temperature", "omitted", "0.7"),
        ("top_p", "omitted", "null"),
        ("stream", "true", "false"),
        ("stop", "omitted", '["."]'),
        ("message 1 (system)", "none", "Answer in {{language}}."),
        ("message 2 (user)", "none", "{{literal}}"),
        ("message 2 name", "none", "Ada"),
        ("message 2 literal", "false", "true"),
        ("message 3 (assistant)", "none", "Es war"),
        ("message 3 prefix", "false", "true"),
        ("variable language", "none", "German"),
        ("lane A · cold", "none", "temperature omitted"),
        ("lane B", "none", "nothing changed"),
        ("lane C", "none", "model other, system message omitted, muted"),
        ("repeats", "1", "3"),
        ("timing", "parallel", "interleaved"),
    ]


def test_a_playground_link_describes_no_lanes():
    linked = linked_settings(EVERYTHING, comparison=False)
    assert not linked.is_comparison
    assert not [field for field, _, _ in changes(EVERYTHING) if field.startswith(("lane", "repeats", "timing"))]


def test_a_long_prompt_is_described_in_full():
    prompt = "word " * 1_000
    assert ("message 1 (user)", "none", prompt) in changes(a_draft(prompt))


def test_an_empty_link_changes_nothing():
    assert changes(a_draft(model=None, turns=())) == []


def test_an_unknown_endpoint_name_is_kept():
    linked = linked_settings(a_draft(endpoint="somewhere else"), comparison=False)
    assert linked.endpoint == "somewhere else"
    assert linked.apply(new_draft()).endpoint == "somewhere else"


def test_new_lanes_get_unused_ids():
    present = a_draft(comparison=Comparison(lanes=(Lane(id="3"), Lane(id="5")), highest_id=8))
    opened = linked_settings(EVERYTHING, comparison=True).apply(present)
    assert [lane.id for lane in opened.comparison.lanes] == ["9", "10", "11"]
    assert opened.comparison.highest_id == 11


def test_opening_a_link_again_keeps_the_lanes_and_their_runs():
    linked = linked_settings(EVERYTHING, comparison=True)
    once = linked.apply(new_draft())
    assert linked.apply(once) == once
    playground = linked_settings(EVERYTHING, comparison=False)
    assert playground.apply(new_draft()).comparison == Comparison()


def test_a_link_without_messages_removes_those_of_the_form():
    opened = linked_settings(a_draft(turns=()), comparison=False).apply(EVERYTHING)
    assert (opened.turns, opened.variables) == ((), {})


def test_an_omitted_field_of_a_lane_differs_from_an_unchanged_one():
    opened = linked_settings(EVERYTHING, comparison=True).apply(new_draft())
    cold, same, _ = [lane.apply(opened) for lane in opened.comparison.lanes]
    assert "temperature" not in cold.to_request(BEEZY).sent_values()
    assert same.to_request(BEEZY).sent_values()["temperature"] == 0.7
