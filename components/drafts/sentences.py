"""Sentences for a form that makes no request, and for a preset that cannot be saved or read."""

ENDPOINT_MISSING = "Choose an endpoint first."
ENDPOINT_UNKNOWN = "There is no endpoint {endpoint}. Choose another one."
MODEL_MISSING = "Choose a model first, or enter its name."
PROMPT_MISSING = "Write a prompt first."
VARIABLES_MISSING = "{missing}: set a value for {pronoun} first."
FILLED_TOO_LONG = (
    "With their variables filled in, the messages have more than {max_filled:,} characters. Shorten a value, or "
    "use the variable less often."
)
TOOL_CALLS_NOT_JSON = "The tool calls of message {number} are not JSON: {error}"
TOOL_CALLS_NOT_A_LIST = "The tool calls of message {number} must be a list of JSON objects."
PRESET_UNREADABLE = "This preset was made by another version of Tempera and cannot be read."
PRESET_NAME = "Give the preset a name of 1 to {max_name_chars} characters."
PRESET_TOO_LONG = "A preset holds at most {max_content_chars:,} characters. Shorten its messages."

FIELD_NOT_JSON = "{field} is not valid JSON yet. Fix it, or omit the field."
SENT_TWICE = "{key} has its own field, which is sent. Remove it here."
