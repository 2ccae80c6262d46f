"""Session keys of the Compare page."""

from __future__ import annotations

STOP_ALL = "stop_all"
TIMING = "timing"
REPEATS = "repeats"
BLIND = "blind"
REVEALED = "revealed"
"""The blind vote in words, after which the lanes have their names until the next pair."""
BLIND_REPEAT = "blind_repeat"
"""The number of the repeat, from 0, that a blind vote is about."""
LANE_SET = "lane_set"
LANE_TAB = "lane_tab"
REPEAT_CHOSEN = "repeat_chosen"
"""Set when another repeat of a lane was selected, which also affects the parts below the lanes."""
LOOK = "look"
"""The chosen view below the lanes."""
REFERENCE = "reference"
"""The baseline lane."""
VOTE_SAVED = "vote_saved"
VOTE_PROBLEM = "vote_problem"
CHECKED = "checked"
"""The checks of the lanes, and the results of runs that have ended, by their ids."""
SENT = "sent_requests"
"""The requests of the running comparison."""


def lane_key(part: str, lane_id: str) -> str:
    """The key of a control of a lane: one of its changed fields or one of its buttons."""
    return f"lane_{part}_{lane_id}"
