"""Messages: their form on the wire, and the accepted orders of roles."""

import pytest
from pydantic import ValidationError

from components.contract.messages import Message, Role, role_order_problem

SYSTEM = Message(role=Role.SYSTEM, content="Be brief.")
USER = Message(role=Role.USER, content="Hello")
ASSISTANT = Message(role=Role.ASSISTANT, content="Hi")
PREFIX = Message(role=Role.ASSISTANT, content="Hi", prefix=True)
TOOL = Message(role=Role.TOOL, content="42")


@pytest.mark.parametrize(
    "messages",
    [[USER], [SYSTEM, USER], [USER, ASSISTANT, USER], [USER, ASSISTANT, TOOL], [USER, PREFIX], [USER, USER]],
)
def test_a_conversation_may_end_with_a_user_or_tool_message_or_a_prefix(messages):
    assert role_order_problem(messages) is None


@pytest.mark.parametrize(("messages", "role"), [([USER, ASSISTANT], "assistant"), ([USER, SYSTEM], "system")])
def test_another_last_role_is_refused_in_the_servers_words(messages, role):
    assert role_order_problem(messages) == (
        f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {role}"
    )


@pytest.mark.parametrize(
    "messages",
    [
        [PREFIX, USER],
        [Message(role=Role.USER, content="x", prefix=True)],
        [Message(role=Role.TOOL, content="x", prefix=True)],
    ],
)
def test_a_prefix_is_valid_on_a_last_assistant_message_only(messages):
    assert role_order_problem(messages) == "Expected prefix True on a last assistant message only"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"role": "narrator", "content": "x"}, "role"),
        ({"content": "x"}, "role"),
        ({"role": "user"}, "content"),
        ({"role": "user", "content": None}, "content"),
        ({"role": "user", "content": 5}, "content"),
        ({"role": "user", "content": ["x"]}, "content"),
        ({"role": "user", "content": "x", "mood": "gay"}, "mood"),
        ({"role": "tool", "content": "x", "name": 5}, "name"),
        ({"role": "tool", "content": "x", "tool_call_id": 5}, "tool_call_id"),
        ({"role": "assistant", "content": "x", "tool_calls": {}}, "tool_calls"),
        ({"role": "user", "content": "x", "prefix": None}, "prefix"),
        ({"role": "user", "content": "x", "prefix": 1}, "prefix"),
        ({"role": "user", "content": "x", "prefix": "yes"}, "prefix"),
    ],
)
def test_an_invalid_message_is_refused_by_field(fields, where):
    with pytest.raises(ValidationError) as refused:
        Message.model_validate(fields)
    assert [problem["loc"] for problem in refused.value.errors()] == [(where,)]


def test_a_message_is_immutable():
    with pytest.raises(ValidationError, match="frozen"):
        USER.content = "Bye"
