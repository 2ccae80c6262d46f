"""Session keys of the form, which the Playground, Compare and Sweep pages share."""

from __future__ import annotations

from components.contract.fields import is_of_contract

# A widget's key is its field's name, so tests and scripts can find it.
ENDPOINT = "endpoint"
MODEL = "model"
STREAM = "stream"
EXTRA_BODY = "extra_body"
PROBABILITIES = "token_probabilities"
"""The switch that asks for the probabilities of tokens."""
LANGUAGE = "language"
IMPORT = "import"
"""Whether the popover of that name is open."""
PRESETS = "presets"
"""Whether the popover of that name is open."""
IMPORT_TEXT = "import_text"
IMPORT_PROBLEM = "import_problem"
PRESET_NAME = "preset_name"
PRESET_MESSAGES = "preset_messages"
PRESET_PROBLEM = "preset_problem"
TURNS = "turns"
"""The turns of the conversation; their widgets hold the latest text."""
START = "start"
"""The draft with the initial values of newly drawn widgets."""
COMPARISON = "comparison"
"""The lanes, with repeats and timing."""
HIGHEST_TURN = "highest_turn"
HELD_VALUES = "held_values"
"""The value of each field at the last draw."""
VALUES_SET = "values_set"
"""The number of times that values were set; a hidden widget with which the browser confirms what it has seen."""
UNSEEN_VALUES = "unseen_values"
"""Values that were set and that the browser may not have seen."""
UNDO = "undo_what"
REDO = "redo_what"
BRANCH_CHOSEN = "branch_chosen"
NOTES = "notes"
"""The changes and omissions of an import, in sentences."""
DRAFT = "draft"
"""The id of this session's draft."""
STORED_DRAFT = "kept_draft"
"""The last stored text of the draft."""
IMPORT_FILE = "import_file"
DRAFT_PARAMETER = "draft"
"""The query parameter of the form's draft."""
LINK_PARAMETER = "s"
"""The query parameter with settings."""
ARRIVED = "arrived"
"""The settings of the last opened link, or the reason why it is unreadable."""


def field_key(field: str) -> str:
    """The key of a field's widget. Further fields get a prefix, because their names may equal other keys of a page."""
    return field if is_of_contract(field) or field in (STREAM, EXTRA_BODY) else f"field_{field}"


def state_key(field: str) -> str:
    """The key of the state control: omitted, null or a value."""
    return f"{field_key(field)}_state"


def slider_key(field: str) -> str:
    """The key of the slider of a field's number."""
    return f"{field_key(field)}_slider"


def message_key(turn_id: str) -> str:
    """The key of a message's text."""
    return f"message_{turn_id}"


def part_key(part: str, turn_id: str) -> str:
    """The key of another control of a message: its role, prefix, name, tool_call_id or tool_calls."""
    return f"message_{turn_id}_{part}"


def variable_key(name: str) -> str:
    """The key of a variable's value."""
    return f"variable_{name}"
