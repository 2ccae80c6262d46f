"""A draft: its request, the reason when there is none, and its JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.messages import Role
from components.contract.profile import BEEZY, OPENAI, PROFILES
from components.contract.request import to_bytes
from components.drafts.comparison import Comparison, Lane, added
from components.drafts.conversation import Turn, branched
from components.drafts.draft import (
    LARGEST_WHOLE,
    Draft,
    DraftProblem,
    FieldState,
    NothingWritten,
    Setting,
    new_draft,
    read_draft,
)
from tests.contract.test_request import any_text, fields_of, requests_in


def a_draft(*contents: str, **fields) -> Draft:
    turns = tuple(Turn(id=str(n), role=Role.USER, content=content) for n, content in enumerate(contents or ["Hi"], 1))
    return new_draft().model_copy(update={"model": "m", "turns": turns, **fields})


def with_settings(draft: Draft, **settings: Setting) -> Draft:
    return draft.model_copy(update={"settings": {**draft.settings, **settings}})


def body_of(draft: Draft, profile=BEEZY):
    return json.loads(to_bytes(draft.to_request(profile), profile))


def test_a_new_form_sends_model_messages_and_stream_only():
    assert body_of(a_draft("Hello")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
    }


def test_each_state_of_a_field_reaches_the_request():
    draft = with_settings(
        a_draft(),
        temperature=Setting(state=FieldState.VALUE, value=0.25),
        top_p=Setting(state=FieldState.NULL, value=0.5),
        max_tokens=Setting(state=FieldState.OMIT, value=99),
        safe_prompt=Setting(state=FieldState.VALUE, value=False),
    )
    body = body_of(draft)
    assert (body["temperature"], body["top_p"], body["safe_prompt"]) == (0.25, None, False)
    assert "max_tokens" not in body
    assert draft.changed_fields == ["temperature", "top_p", "safe_prompt"]


def test_a_field_that_the_dialect_lacks_is_left_out():
    draft = with_settings(a_draft(), safe_prompt=Setting(state=FieldState.VALUE, value=True))
    assert "safe_prompt" not in body_of(draft, OPENAI)


def test_variables_are_filled_in_the_request_and_stay_in_the_form():
    draft = a_draft("Speak {{language}}.", "{{greeting}}!", variables={"language": "French", "greeting": "Salut"})
    assert [message["content"] for message in body_of(draft)["messages"]] == ["Speak French.", "Salut!"]
    assert draft.variable_names == ["language", "greeting"]


@pytest.mark.parametrize("values", [{}, {"b": "x"}, {"a": "", "b": "x"}])
def test_missing_variables_are_named(values):
    with pytest.raises(DraftProblem, match=r"^\{\{a\}\}: set a value for it first\.$") as problem:
        a_draft("{{a}} {{b}}", variables={"b": "x", **values}).to_request(BEEZY)
    assert problem.value.field == "variables"
    with pytest.raises(DraftProblem, match=r"\{\{a\}\}, \{\{b\}\}: set a value for each of them first"):
        a_draft("{{a}} {{b}}").to_request(BEEZY)


@pytest.mark.parametrize("turns", [(), (Turn(id="1", role=Role.USER, content=" \n"),)])
def test_an_empty_prompt_makes_no_request(turns):
    with pytest.raises(NothingWritten, match="Write a prompt first"):
        a_draft(turns=turns).to_request(BEEZY)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"model": " "}, "model", "Choose a model first"),
        ({"model": None}, "model", "Choose a model first"),
        ({"extra_body": "{"}, "extra_body", "The text is not JSON"),
        ({"extra_body": "[1]"}, "extra_body", "must be a JSON object"),
        ({"extra_body": '{"a": 1, "a": 2}'}, "extra_body", "occurs twice"),
        ({"extra_body": json.dumps(dict.fromkeys(map(str, range(101)), 1))}, "extra_body", "at most 100 items"),
        (
            {"turns": (Turn(id="1", role=Role.USER, content="{{a}}" * 2_001),), "variables": {"a": "x" * 1_000}},
            "variables",
            "the messages have more than 2,000,000 characters. Shorten a value",
        ),
        ({"turns": (Turn(id="1", role=Role.ASSISTANT, tool_calls="{"),)}, "messages", "message 1 are not JSON"),
        (
            {"turns": (Turn(id="1", role=Role.ASSISTANT, tool_calls="[1]"),)},
            "messages",
            "must be a list of JSON objects",
        ),
    ],
)
def test_problems_name_their_field(fields, field, words):
    with pytest.raises(DraftProblem, match=words) as problem:
        a_draft(**fields).to_request(BEEZY)
    assert problem.value.field == field


def test_a_tool_turn_names_its_call_and_a_prefix_is_sent_for_assistants_only():
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    draft = a_draft(
        turns=(
            Turn(id="1", role=Role.USER, content="Hi", prefix=True),
            Turn(id="2", role=Role.ASSISTANT, tool_calls=json.dumps(calls)),
            Turn(id="3", role=Role.TOOL, content="42", tool_call_id="c1", name="f"),
            Turn(id="4", role=Role.ASSISTANT, content="It is", prefix=True),
        )
    )
    assert body_of(draft)["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "42", "name": "f", "tool_call_id": "c1"},
        {"role": "assistant", "content": "It is", "prefix": True},
    ]


def test_loading_a_request_keeps_the_numbers_of_omitted_fields():
    draft = with_settings(a_draft(), temperature=Setting(state=FieldState.VALUE, value=0.3))
    request = a_draft("Other").to_request(BEEZY)
    loaded = draft.with_request(request, BEEZY, endpoint="e")
    assert loaded.settings["temperature"] == Setting(state=FieldState.OMIT, value=0.3)
    assert (loaded.endpoint, loaded.turns[0].content) == ("e", "Other")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(data=st.data())
def test_a_form_filled_from_a_request_makes_that_request(profile, data):
    """Except for values a form cannot show: empty names, unpaired surrogates, a prefix without effect."""
    request = data.draw(requests_in(profile))
    draft = new_draft().with_request(request, profile)
    try:
        made = draft.to_request(profile)
    except DraftProblem:
        assert not request.model.strip() or not request.messages[-1].content.strip()
        return
    for field in fields_of(profile):
        rules, value = profile.fields[field], getattr(request, field)
        if value is not None and abs(value) > LARGEST_WHOLE:
            assert (made.state_of(field), made.extra_body[rules.key]) == ("omitted", value)
        else:
            assert (made.state_of(field), getattr(made, field)) == (request.state_of(field), value)
    assert made.stream == request.stream
    again = new_draft().with_request(made, profile)
    assert to_bytes(again.to_request(profile), profile) == to_bytes(made, profile)


@given(any_text, st.dictionaries(st.text(), st.text()), any_text)
def test_a_draft_survives_serialization(content, variables, extra_body):
    draft = a_draft(content, variables=variables, extra_body=extra_body)
    draft = draft.model_copy(update={"turns": branched(draft.turns, "1", "2")})
    assert read_draft(draft.to_text()) == draft


@given(st.text())
def test_any_text_is_read_as_a_draft_or_none(text):
    assert read_draft(text) is None or isinstance(read_draft(text), Draft)


def test_a_draft_of_a_later_version_is_ignored_and_missing_fields_are_filled():
    assert read_draft('{"turns": [{"id": "1", "role": "oracle"}], "settings": {}}') is None
    assert read_draft('{"turns": [], "settings": {}}').settings == new_draft().settings


def test_a_run_stores_its_draft_only_if_the_request_lacks_part_of_it():
    assert a_draft("plain").for_log() is None
    draft = a_draft("{{a}}", variables={"a": "1", "removed": "secret"})
    branching = draft.model_copy(update={"turns": branched(draft.turns, "1", "2")})
    kept = read_draft(branching.for_log())
    assert kept.variables == {"a": "1"}
    assert [(turn.content, turn.branch) for turn in kept.turns] == [("{{a}}", (1, 1))]


def test_sent_and_generated_text_has_no_variables():
    request = a_draft("{{a}}", variables={"a": "{{b}}"}).to_request(BEEZY)
    draft = new_draft().with_request(request, BEEZY)
    assert draft.turns[0].literal
    assert draft.variable_names == []
    assert body_of(draft)["messages"][0]["content"] == "{{b}}"


def test_a_number_beyond_javascript_is_an_extra_field():
    request = a_draft().to_request(OPENAI).model_copy(update={"random_seed": 2**70, "max_tokens": LARGEST_WHOLE})
    draft = new_draft().with_request(request, OPENAI)
    assert json.loads(draft.extra_body) == {"seed": 2**70}
    assert body_of(draft, OPENAI)["max_tokens"] == LARGEST_WHOLE


def test_a_draft_of_release_0_2_0_compares_like_a_new_one():
    text = """{
        "endpoint": "e",
        "model": "m",
        "turns": [{"id": "3", "role": "user", "content": "Hi", "later": [[{"id": "4", "role": "user"}]]}],
        "settings": {"temperature": {"state": "value", "value": 0.3}, "safe_prompt": {"value": true}},
        "variables": {"a": "1"}
    }"""
    kept = read_draft(text)
    assert kept.comparison == Comparison()
    assert kept.settings["temperature"] == Setting(state=FieldState.VALUE, value=0.3)
    assert (kept.turns[0].branch, kept.variables) == ((1, 2), {"a": "1"})


@pytest.mark.parametrize(("many", "is_read"), [(1, False), (2, True), (8, True), (9, False)])
def test_a_draft_with_an_invalid_number_of_lanes_is_ignored(many, is_read):
    lanes = [{"id": str(number)} for number in range(many)]
    kept = read_draft(json.dumps({"turns": [], "settings": {}, "comparison": {"lanes": lanes}}))
    assert (kept is not None) == is_read
    assert kept is None or [lane.id for lane in kept.comparison.lanes] == [lane["id"] for lane in lanes]


def test_a_run_stores_no_lanes():
    compared = added(Comparison(lanes=(Lane(id="1", name="left"), Lane(id="2")), repeats=3))
    kept = a_draft("{{a}}", variables={"a": "1"}, comparison=compared).for_log()
    assert "left" not in kept
    assert read_draft(kept).comparison == Comparison()
    assert a_draft("plain", comparison=compared).for_log() is None


def test_a_lane_puts_its_system_message_before_all_others():
    turns = [
        Turn(id="1", role=Role.USER, content="Hi"),
        Turn(id="2", role=Role.SYSTEM, content="Be brief."),
        Turn(id="3", role=Role.SYSTEM, content="Be kind."),
        Turn(id="4", role=Role.USER, content="Well?"),
    ]
    base = a_draft(turns=tuple(turns), variables={"language": "French"})

    def lane_messages(**lane):
        return [
            (message["role"], message["content"]) for message in body_of(Lane(id="9", **lane).apply(base))["messages"]
        ]

    users = [("user", "Hi"), ("user", "Well?")]
    assert lane_messages(system="Speak {{language}}.") == [("system", "Speak French."), *users]
    assert lane_messages(system="Speak {{language}}.", literal=True) == [("system", "Speak {{language}}."), *users]
    assert lane_messages(system=" \n") == users
    assert lane_messages() == [users[0], ("system", "Be brief."), ("system", "Be kind."), users[1]]


def test_a_lane_replaces_fields_of_the_base():
    base = with_settings(
        a_draft(extra_body='{"n": 1}'),
        temperature=Setting(state=FieldState.VALUE, value=0.4),
        top_p=Setting(state=FieldState.VALUE, value=0.5),
        max_tokens=Setting(state=FieldState.VALUE, value=9),
    )
    lane = Lane(
        id="9",
        model="other",
        settings={
            "temperature": Setting(state=FieldState.OMIT, value=0.4),
            "top_p": Setting(state=FieldState.NULL, value=0.5),
        },
        stream=False,
        extra_body='{"stop": "x"}',
    )
    assert body_of(lane.apply(base)) == {
        "model": "other",
        "messages": [{"role": "user", "content": "Hi"}],
        "top_p": None,
        "max_tokens": 9,
        "stream": False,
        "stop": "x",
    }
    assert "n" not in body_of(Lane(id="9", extra_body="").apply(base))
