"""The messages for a log that cannot be read or written, or that refuses data."""

UNREADABLE = "The log cannot be read: {place}: {error}"
UNUSABLE = "{place} cannot be used: {error}"
DATABASE_URL_UNREADABLE = (
    "TEMPERA_DATABASE_URL cannot be read. Give it as sqlite:///path/to/runs.sqlite3 or "
    "postgresql+psycopg://user@host/name."
)
DATABASE_URL_WITHOUT_FILE = "TEMPERA_DATABASE_URL names no file. Give it as sqlite:///path/to/runs.sqlite3."
DAMAGED_EVENTS = (
    "The stored events of this run are damaged. Its text is kept apart from them; run again to get new events."
)
LINE_TOO_LONG = "Line {number} is longer than any run. Remove it from the file."
LINE_NOT_JSON = "Line {number} is not JSON."
LINE_CHANGED = "Line {number} was changed after it was exported, or is not an exported run."
LINE_OF_NEWER_VERSION = "Line {number} was written by a newer version of Tempera. Update Tempera."
LINE_NOT_A_RUN = "Line {number}: {wrong} is not valid in a run."
LINE_NOT_AN_ANNOTATION = "Line {number}: {wrong} is not valid in an annotation."
UNWRITABLE = "The log cannot be written: {place}: {error}"
CLOSED = "The log is closed."
FILTER_TOO_LONG = "This filter is longer than {most_characters:,} characters. Shorten it."
NOT_AN_EXPERIMENT_ID = "An experiment's id has 32 digits and letters from a to f."
FILTER_WITHOUT_VALUE = "{what} Write temperature 0.7, or temperature omitted, or max_tokens null."
FILTER_NOT_EQUAL = "{filter!r:.60}: only equal values are found. Write {field} 0.7."
STREAM_NEVER_OMITTED = "Every run says whether it streams. Write stream true, or stream false."
FILTER_OF_MODELS = "A model is no setting. Choose it under More filters."
FILTER_OF_MESSAGES = "Messages are no setting. Use Search to find their words."
NUMBER_FILTER_UNREADABLE = "{entry!r:.60} is no condition on a number. Write perplexity > 3, or TTFT < 500."
NUMBER_UNKNOWN = "{name!r:.60} is no number of a run. Write a label or a field, such as perplexity, TTFT or total_ms."
NOT_A_NUMBER = "{value!r:.40} is no number. Write 0.05 or 5 %."
NOT_A_DAY = "{entry!r:.40} is not a day. Write it as 2026-11-26."
BACKUP_EXISTS = "{file} exists. Name a new file."
BACKUP_MISSING = "There is no file {file}."
BACKUP_FAILED = "Not done: {error}. The database and the file must be a log of Tempera."
BACKUP_NEEDS_PROGRAM = (
    "{program} is missing. Install PostgreSQL's client programs, such as: sudo apt-get install postgresql-client"
)
