"""The request of each lane, its changes, and its problems before it is run."""

from __future__ import annotations

from typing import Any

import pytest

from components.contract.difference import Difference
from components.contract.profile import BEEZY, OPENAI
from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import Draft, FieldState, Setting
from components.endpoints.endpoint import Address, AnyEndpoint, Endpoint
from components.endpoints.models import ModelCard
from components.experiments.lanes import LaneRequest, lane_requests
from tests.drafts.test_draft import a_draft, with_settings
from tests.experiments.conftest import COLD, compared

ENDPOINTS: dict[str, AnyEndpoint] = {
    "here": Endpoint("here", BEEZY, Address("http://127.0.0.1:1/v1")),
    "there": Endpoint("there", OPENAI, Address("http://127.0.0.1:2/v1")),
}
SAFE = Setting(state=FieldState.VALUE, value=True)
BASE = Lane(id="1")


def requests_of(draft: Draft, **models: list[ModelCard]) -> list[LaneRequest]:
    return lane_requests(draft, ENDPOINTS, lambda endpoint: models.get(endpoint.name, []))


def hints_of(draft: Draft, **models: list[ModelCard]) -> list[tuple[str, ...]]:
    return [request.hints for request in requests_of(draft, **models)]


def test_each_lane_has_a_title_differences_and_a_request() -> None:
    base, cold, far = requests_of(
        compared(
            BASE, Lane(id="5", name="cold", settings={"temperature": COLD}), Lane(id="3", endpoint="there", model="gpt")
        )
    )
    assert [request.title for request in (base, cold, far)] == ["A", "B · cold", "C"]
    assert (base.differences, base.hints, base.words["temperature"]) == ([], (), "omitted")
    assert cold.differences == [Difference("temperature", "omitted", "0")]
    assert far.differences == [Difference("endpoint", "here", "there"), Difference("model", "base", "gpt")]
    assert (far.endpoint, far.composed.request.model) == (ENDPOINTS["there"], "gpt")
    assert b"stream_options" in far.composed.body
    assert [request.composed.objection(send_anyway=False) for request in (base, cold, far)] == [None] * 3


def test_a_lane_that_repeats_another_has_a_hint() -> None:
    cold = {"temperature": COLD}
    draft = compared(BASE, Lane(id="2", name="cold", settings=cold), Lane(id="3", settings=cold), Lane(id="4"))
    assert hints_of(draft) == [
        (),
        (),
        ("Same request as lane B · cold: the two show the effect of chance alone.",),
        ("Same request as lane A: the two show the effect of chance alone.",),
    ]


def test_the_same_bytes_for_another_endpoint_are_not_a_repeat() -> None:
    endpoints = {name: Endpoint(name, BEEZY, Address("http://127.0.0.1:1/v1")) for name in ("here", "there")}
    here, there = lane_requests(compared(BASE, Lane(id="2", endpoint="there")), endpoints, lambda _endpoint: [])
    assert here.composed.body == there.composed.body
    assert (here.identity != there.identity, there.hints) == (True, ())


def test_a_lane_without_changes_has_a_hint_if_the_base_is_not_a_lane() -> None:
    draft = compared(Lane(id="1", settings={"temperature": COLD}), BASE.model_copy(update={"id": "2"}))
    assert hints_of(draft) == [(), ("No changes: same request as the base.",)]
    assert hints_of(compared(BASE, Lane(id="2", settings={"temperature": COLD}))) == [(), ()]


def test_lanes_without_a_request_are_not_repeats() -> None:
    found = [hint for hints in hints_of(compared(BASE, Lane(id="2"), model=None)) for hint in hints]
    assert found == ["No changes: same request as the base."]


def test_a_model_that_its_endpoint_does_not_list_is_named() -> None:
    draft = compared(BASE, Lane(id="2", model="other"), Lane(id="3", model="other", endpoint="there"))
    assert hints_of(draft, here=[ModelCard("base")]) == [(), ("here does not list the model other.",), ()]


@pytest.mark.parametrize(
    ("lane", "found"),
    [
        ({"endpoint": "there"}, ["The openai dialect has no safe_prompt, so it is not sent."]),
        ({"endpoint": "there", "settings": {"safe_prompt": Setting(value=True)}}, []),
        ({"settings": {"temperature": COLD}}, []),
    ],
    ids=["what the base sends", "what the lane omits", "what its endpoint knows"],
)
def test_a_field_that_a_lanes_dialect_lacks_is_named(lane: dict[str, Any], found: list[str]) -> None:
    draft = with_settings(compared(BASE, Lane(id="2", **lane)), safe_prompt=SAFE)
    request = requests_of(draft)[1]
    assert [*request.hints] == found
    assert ("safe_prompt" in request.composed.request.sent_values()) == (request.endpoint is ENDPOINTS["here"])


def test_problems_of_the_base_are_shown_on_lanes_that_change_it() -> None:
    lanes = BASE, Lane(id="2", settings={"safe_prompt": SAFE.model_copy(update={"value": False})}), Lane(id="3")
    draft = with_settings(a_draft(endpoint="there", comparison=Comparison(lanes=lanes)), safe_prompt=SAFE)
    hint = "The openai dialect has no safe_prompt, so it is not sent."
    assert [hint in hints for hints in hints_of(draft)] == [False, True, False]


@pytest.mark.parametrize(
    ("lane", "words"),
    [
        ({"endpoint": "gone"}, "There is no endpoint gone. Choose another one."),
        ({"model": " "}, "Choose a model first, or enter its name."),
        ({"extra_body": "{"}, "The text is not JSON"),
    ],
)
def test_an_invalid_lane_has_a_problem_and_affects_no_other(lane: dict[str, Any], words: str) -> None:
    base, wrong = requests_of(compared(BASE, Lane(id="2", **lane)))
    assert base.composed.objection(send_anyway=False) is None
    for send_anyway in (False, True):
        assert wrong.composed.objection(send_anyway=send_anyway).startswith(words)
    assert wrong.composed.body is None


def test_a_comparison_without_an_endpoint_has_a_problem() -> None:
    draft = a_draft(endpoint=None, comparison=Comparison(lanes=(BASE, Lane(id="2"))))
    assert requests_of(draft)[0].composed.objection(send_anyway=True) == "Choose an endpoint first."


def test_requests_that_may_be_refused_need_send_anyway() -> None:
    hot = Lane(id="2", settings={"temperature": Setting(state=FieldState.VALUE, value=1.4)})
    request = requests_of(compared(BASE, hot))[1]
    assert "temperature must be at most 1" in request.composed.objection(send_anyway=False)
    assert request.composed.objection(send_anyway=True) is None


def test_a_lane_is_checked_against_the_context_of_its_model() -> None:
    long = Lane(id="2", settings={"max_tokens": Setting(state=FieldState.VALUE, value=500)})
    draft = compared(long, Lane(id="3", model="large", settings=long.settings))
    small, large = requests_of(draft, here=[ModelCard("base", 100), ModelCard("large", 100_000)])
    assert [remark.field for remark in small.composed.remarks] == ["max_tokens"]
    assert large.composed.remarks == ()
