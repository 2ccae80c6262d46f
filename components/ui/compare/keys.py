"""Session keys of the Compare page."""

from __future__ import annotations

STOP_ALL = "stop_all"
TIMING = "timing"
REPEATS = "repeats"
BLIND = "blind"
LANE_SET = "lane_set"
LANE_TAB = "lane_tab"
REPEAT_CHOSEN = "repeat_chosen"
"""Set when another repeat of a lane is to be shown, which concerns what stands below the lanes as well."""
LOOK = "look"
"""What of a comparison is looked at below its lanes."""
REFERENCE = "reference"
"""The lane that the others are held against."""
VOTE_PROBLEM = "vote_problem"
ASKED = "asked"
"""What the comparison that is going on was asked."""


def lane_key(part: str, lane_id: str) -> str:
    """The key of a control of a lane: one of the fields it changes, or one of its buttons."""
    return f"lane_{part}_{lane_id}"
