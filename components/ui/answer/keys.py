"""Session keys of what draws an answer, on whatever page."""

from __future__ import annotations

RUN_STATUS = "run_status"
VIEW = "view"
ANSWER = "answer"
STALE = "stale"
"""A mark before an answer that other settings made."""
ANSWER_ACTIONS = "answer_actions"
ANSWER_TEXT = "answer_text"
"""The answer's text as it was drawn last, for pages without the live view's socket."""
CHANNEL = "channel"
"""The token of this view of the page, which names to the live view's socket what the page may see."""
NATIVE = "native"
"""Set when this page cannot reach the live view's socket, and answers are drawn without it."""
EVENTS_TABLE = "events_table"
ANSWERS = "answers"
"""The runs of this session by what they asked, oldest first."""
GO_TO_COMPARE = "go_to_compare"
"""Set when the compare page is to be shown next."""


def live_key(part: str) -> str:
    """The key of a component of the live view; switching between Markdown and plain text keeps the component."""
    return "live_status" if part == "status" else "live_answer"


def replay_key(run_id: str) -> str:
    """The key of the switch that plays this run again."""
    return f"replay_{run_id}"
