"""A draft and the request, bytes and remarks made from it."""

import pytest

from components.contract.profile import BEEZY, MISTRAL
from components.contract.request import to_bytes
from components.drafts.composed import compose
from components.drafts.setting import FieldState, Setting
from tests.drafts.test_draft import a_draft, with_settings


def test_a_valid_form_makes_a_request_without_remarks():
    composed = compose(a_draft("Hello"), BEEZY, context_tokens=100)
    assert composed.body == to_bytes(composed.request, BEEZY)
    assert (composed.remarks, composed.objection(send_anyway=False)) == ((), None)


def test_an_invalid_form_cannot_be_sent_even_with_send_anyway():
    composed = compose(a_draft(""), BEEZY)
    assert (composed.request, composed.body) == (None, None)
    assert composed.objection(send_anyway=True) == "Write a prompt first."


def test_requests_that_may_be_refused_need_send_anyway():
    composed = compose(with_settings(a_draft(), temperature=Setting(state=FieldState.VALUE, value=1.4)), BEEZY)
    assert composed.may_be_refused
    assert composed.objection(send_anyway=True) is None
    expected = "temperature must be at most 1; 1.4 is more. Change it, or tick Send anyway."
    assert composed.objection(send_anyway=False) == expected


def test_an_impossible_body_is_not_sent_even_with_send_anyway():
    settings = {"temperature": Setting(state=FieldState.VALUE, value=0.5)}
    composed = compose(with_settings(a_draft(extra_body='{"temperature": 1}'), **settings), BEEZY)
    assert composed.body is None
    assert "which is sent" in composed.objection(send_anyway=True)


@pytest.mark.parametrize("extra_body", ['{"stop": ["x"]}', ""])
def test_hints_do_not_prevent_sending(extra_body):
    composed = compose(a_draft(extra_body=extra_body), BEEZY)
    assert len(composed.remarks) == bool(extra_body)
    assert composed.objection(send_anyway=False) is None


def test_the_dialect_decides_whether_a_request_may_be_refused():
    draft = a_draft(extra_body='{"frobnicate": 1}')
    assert not compose(draft, BEEZY).may_be_refused
    assert compose(draft, MISTRAL).may_be_refused


def test_a_form_recognises_a_prompt_that_was_counted():
    draft = a_draft("{{a}}", variables={"a": "Hi"})
    counted = a_draft("Hi", stream=False).to_request(BEEZY)
    assert draft.has_prompt_of(counted, BEEZY)
    assert not a_draft("Ho").has_prompt_of(counted, BEEZY)
    assert not a_draft("Hi", model="other").has_prompt_of(counted, BEEZY)
    assert not a_draft("Hi", extra_body='{"tools": []}').has_prompt_of(counted, BEEZY)
    safe = with_settings(a_draft("Hi"), safe_prompt=Setting(state=FieldState.VALUE, value=True))
    assert not safe.has_prompt_of(counted, BEEZY)
    assert not a_draft("").has_prompt_of(counted, BEEZY)
