"""Session keys of the form, which the Playground, Compare and Sweep pages share."""

from __future__ import annotations

from components.contract.fields import is_of_contract

STREAM = "stream"
EXTRA_BODY = "extra_body"
PREVIEW = "preview"
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
"""The turns of the conversation; what has just been typed in them stands in their widgets."""
START = "start"
"""The draft that widgets begin with when they are drawn anew."""
COMPARISON = "comparison"
"""The lanes beside the form, how often each is run, and in which order."""
HIGHEST_TURN = "highest_turn"
HELD_VALUES = "held_values"
"""The value in each field as it was last drawn."""
VALUES_SET = "values_set"
"""How often the form's widgets have been given values; a hidden widget, by which the browser says what it has seen."""
UNSEEN_VALUES = "unseen_values"
"""The values that were set and that the browser may not have seen."""
UNDO = "undo_what"
REDO = "redo_what"
BRANCH_CHOSEN = "branch_chosen"
NOTES = "notes"
"""What an import changed or left out, in sentences."""
DRAFT = "draft"
"""The id under which this session keeps its draft."""
KEPT_DRAFT = "kept_draft"
"""The draft's text as it was last kept."""
IMPORT_FILE = "import_file"
DRAFT_PARAMETER = "draft"
"""The query parameter that names the draft in the form."""


def field_key(field: str) -> str:
    """The key of a field's widget. Those beyond the contract may be called as anything else on a page is."""
    return field if is_of_contract(field) or field in (STREAM, EXTRA_BODY) else f"field_{field}"


def remove_key(field: str) -> str:
    """The key of the button that takes a field out of the form."""
    return f"{field_key(field)}_remove"


def state_key(field: str) -> str:
    """The key of the control that says whether a field is omitted, null or a value."""
    return f"{field_key(field)}_state"


def slider_key(field: str) -> str:
    """The key of the slider beside a field's number."""
    return f"{field_key(field)}_slider"


def reset_key(field: str) -> str:
    """The key of the button that brings a field back to its default."""
    return f"{field_key(field)}_reset"


def message_key(turn_id: str) -> str:
    """The key of a message's text."""
    return f"message_{turn_id}"


def part_key(part: str, turn_id: str) -> str:
    """The key of another control of a message: its role, prefix, name, tool_call_id or tool_calls."""
    return f"message_{turn_id}_{part}"


def variable_key(name: str) -> str:
    """The key of a variable's value."""
    return f"variable_{name}"
