"""Session keys of the answer views, on any page."""

from __future__ import annotations

RUN_STATUS = "run_status"
ANSWER = "answer"
FOOTER = "footer"
"""The line under an answer: its status, its numbers and its actions."""
COPY = "copy"
ANSWER_ACTIONS = "answer_actions"
ANSWER_TEXT = "answer_text"
"""The answer's text as last drawn, for pages without the live view's socket."""
CHANNEL = "channel"
"""The token of this page view; the live view's socket derives from it what the page may see."""
NATIVE = "native"
"""Set when this page cannot reach the live view's socket and draws answers without it."""
PROBABILITIES = "probability_view"
"""The switch of the view as tokens with their probabilities."""
EVENTS_TABLE = "events_table"


def live_key(part: str) -> str:
    """The key of a live view component; it is the same for Markdown and plain text, so the component stays."""
    return "live_status" if part == "status" else "live_answer"


def replay_key(run_id: str) -> str:
    """The key of this run's *Replay* switch."""
    return f"replay_{run_id}"
