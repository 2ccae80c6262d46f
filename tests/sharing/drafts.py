"""Drafts to share with every field of a form, and the parts of them that must arrive."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hypothesis import strategies as st

from components.contract.fields import CONTRACT_FIELDS
from components.contract.messages import Role
from components.contract.profile import BEEZY
from components.contract.request import to_bytes
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, DraftProblem, new_draft
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting


def a_draft(*contents: str, **fields: Any) -> Draft:
    turns = tuple(Turn(id=str(n), role=Role.USER, content=content) for n, content in enumerate(contents or ["Hi"], 1))
    return new_draft().model_copy(update={"model": "m", "turns": turns, **fields})


def settings_of(**values: Any) -> dict[str, Setting]:
    """The settings of a new form with some changes; None is null."""
    settings = dict(new_draft().settings)
    for field, value in values.items():
        null = value is None
        settings[field] = Setting(state="null" if null else "value", value=settings[field].value if null else value)
    return settings


def facts_of(draft: Draft) -> dict[str, Any]:
    """A form as JSON values, without ids, defaults and hidden parts.

    Fields added later, which today's links do not contain, do not change them.
    """
    return {
        "endpoint": draft.endpoint,
        "model": draft.model,
        "messages": [
            turn.model_dump(mode="json", exclude={"id", "earlier", "later"}, exclude_defaults=True)
            for turn in draft.turns
        ],
        "settings": {field: value for field, value in _said(draft.settings).items() if value != ["omit"]},
        "stream": draft.stream,
        "extra_body": draft.extra_body,
        "variables": dict(draft.variables),
        "lanes": [
            {
                **lane.model_dump(mode="json", exclude={"id", "settings"}, exclude_defaults=True),
                "settings": _said(lane.settings),
            }
            for lane in draft.comparison.lanes
        ],
        "repeats": draft.comparison.repeats,
        "timing": draft.comparison.timing.value,
    }


def facts_that_arrive(draft: Draft, *, comparison: bool) -> dict[str, Any]:
    """The parts of a draft that a link must transfer: those of its request, and the lanes if included."""
    default = facts_of(new_draft())
    names = draft.variable_names + (draft.comparison.variable_names if comparison else [])
    facts = facts_of(draft) | {
        "endpoint": draft.endpoint or None,
        "model": draft.model or None,
        "extra_body": draft.extra_body if draft.extra_body.strip() else "",
        "variables": {name: draft.variables[name] for name in names if draft.variables.get(name)},
    }
    return facts if comparison else facts | {part: default[part] for part in ("lanes", "repeats", "timing")}


def digests_of(draft: Draft, *, comparison: bool) -> list[str | None]:
    """The SHA-256 of the body of each lane or of the form, as canonical JSON; None without a body."""
    drafts = [lane.apply(draft) for lane in draft.comparison.lanes] if comparison else [draft]
    return [_digest(each) for each in drafts]


def _digest(draft: Draft) -> str | None:
    try:
        body = json.loads(to_bytes(draft.to_request(BEEZY), BEEZY))
    except DraftProblem:
        return None
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _said(settings: dict[str, Setting]) -> dict[str, Any]:
    return {
        field: [setting.state.value] + [setting.value] * (setting.state is FieldState.VALUE)
        for field, setting in settings.items()
    }


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
"""Characters of all planes of Unicode."""

templates = texts | st.sampled_from(
    ["Hello {{name}}", "{{ city }} in {{été}}", '{"a": "\\u0000"}', "\r\n\t", "x" * 3000]
)
numbers = st.floats(-LARGEST_WHOLE, LARGEST_WHOLE) | st.integers(-LARGEST_WHOLE, LARGEST_WHOLE)
whole_numbers = st.integers(-LARGEST_WHOLE, LARGEST_WHOLE)
endpoints = st.none() | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=100)
values = {
    "temperature": numbers,
    "top_p": numbers,
    "max_tokens": whole_numbers,
    "random_seed": whole_numbers,
    "safe_prompt": st.booleans(),
}
settings = {
    field: st.builds(
        Setting,
        state=st.sampled_from([state for state in FieldState if (field, state) != ("safe_prompt", FieldState.NULL)]),
        value=values[field],
    )
    for field in CONTRACT_FIELDS
}
further = {
    "stop": st.builds(Setting, state=st.sampled_from(FieldState), value=st.lists(texts, max_size=2)),
    "presence_penalty": st.builds(Setting, state=st.sampled_from(FieldState), value=numbers),
    "unheard_of": st.builds(Setting, state=st.just(FieldState.VALUE), value=st.just([None, "\\u0000"])),
}
plain_turns = st.builds(
    Turn,
    id=st.integers(1, 99).map(str),
    role=st.sampled_from(Role),
    content=templates,
    prefix=st.booleans(),
    name=st.just("") | texts,
    tool_call_id=st.just("") | texts,
    tool_calls=st.just("") | templates,
    literal=st.booleans(),
)
turns = st.builds(
    lambda turn, earlier: turn.model_copy(update={"earlier": earlier}),
    plain_turns,
    st.just(()) | st.tuples(st.tuples(plain_turns)),
)
lanes = st.builds(
    Lane,
    id=st.integers(1, 99).map(str),
    name=st.just("") | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40),
    muted=st.booleans(),
    endpoint=st.none() | st.text(st.characters(categories=("L", "N")), min_size=1, max_size=100),
    model=st.none() | texts,
    settings=st.fixed_dictionaries({}, optional={**settings, **further}),
    stream=st.none() | st.booleans(),
    extra_body=st.none() | templates,
    system=st.none() | templates,
    literal=st.booleans(),
)
comparisons = st.builds(
    Comparison,
    lanes=st.lists(lanes, min_size=2, max_size=3).map(tuple),
    repeats=st.integers(1, 20),
    timing=st.sampled_from(Timing),
    highest_id=st.integers(1, 99),
)
drafts = st.builds(
    Draft,
    endpoint=endpoints,
    model=st.none() | texts,
    turns=st.lists(turns, max_size=2).map(tuple),
    settings=st.fixed_dictionaries(settings, optional=further),
    stream=st.booleans(),
    extra_body=templates,
    variables=st.dictionaries(st.sampled_from(["name", "city", "été", "unused"]), texts),
    comparison=comparisons,
)
