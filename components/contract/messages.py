"""The messages of a chat completion request."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue, StrictBool


class Role(StrEnum):
    """The role of a message's author."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Message(BaseModel):
    """One turn of the conversation. An omitted key is not sent.

    ``prefix`` is for a last assistant message only: the answer must begin with its content. ``tool_calls`` are an
    assistant's calls as received; a tool message answers the call ``tool_call_id``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    content: str
    prefix: StrictBool = False
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[dict[str, JsonValue]] | None = None


def role_order_problem(messages: list[Message]) -> str | None:
    """The problem with the order of roles, in the words of servers of this contract, or None.

    The last message must come from the user or a tool, or be an assistant message with ``prefix``; ``prefix`` is
    invalid elsewhere.
    """
    last = messages[-1]
    ends_with_prefix = last.role is Role.ASSISTANT and last.prefix
    if last.role not in (Role.USER, Role.TOOL) and not ends_with_prefix:
        return f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {last.role.value}"
    if any(message.prefix for message in messages[:-1]) or (last.prefix and last.role is not Role.ASSISTANT):
        return "Expected prefix True on a last assistant message only"
    return None
