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
FILTER_TOO_LONG = "This filter is longer than {max_characters:,} characters. Shorten it."
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
SQLITE_OF_TWO_PROCESSES = (
    "Another process writes the same log, and SQLite {version} can damage it then. Set TEMPERA_DATABASE_URL to a "
    "PostgreSQL database, or end the other process."
)
LOG_MOVED_ASIDE = "The log was damaged. It was moved to {file}, and a new one was started."
LOG_FILE_GONE = "The log's file was removed or replaced at {time}; a new one was started."
NOT_LOGGED = "Runs are not being logged: {why}{dropped}"
RUNS_DROPPED = "{runs} {were} dropped: the memory for runs that wait to be logged was full."
STORED = "You store {used} of {limit:,} MB: {what}."
STORAGE_USED_UP = "{full} Stored data stays, but no further run or draft is stored. {remedy}"
STORAGE_NEARLY_USED_UP = "{stored} Nothing more is stored beyond that. {remedy}"
NETWORK_STORAGE_NEARLY_USED_UP = "The visitors of your network have nearly used up their shared storage. {remedy}"
NOT_STORED = "{full} This was not stored; earlier data stays. {remedy}"
NETWORK_STORAGE_USED_UP = "The visitors of your network have stored {limit} since yesterday, their shared limit."
DELETE_OR_COME_BACK = "Delete some, or come back tomorrow."
DELETE_SOME = "Delete some of them."
PROCESS_ENDED = "Tempera ended during this run. What arrived is kept. Run again."
UNAVAILABLE = "The log is unavailable."
NO_DRIVER = 'its driver is missing. Install it: pip install "psycopg[binary]"'
_DISK_FULL = "the disk is full. Free some space."
_SLOW_READ = "reading took longer than {read_limit_s:.0f} s. Ask for less, or try again."
_LOCKED = "another process holds it locked. Close that process, or wait."
_READ_ONLY = "it may only be read. Check its permissions, or set TEMPERA_DATABASE_URL."
_SERVER_ENDED = "the database server ended the connection. It is tried again."
OF_DATABASES = (
    ("disk is full", _DISK_FULL),
    ("no space left", _DISK_FULL),
    ("interrupted", _SLOW_READ),
    ("statement timeout", _SLOW_READ),
    ("locked", _LOCKED),
    ("lock timeout", _LOCKED),
    ("another process is opening", "another process is opening it. Wait."),
    ("readonly", _READ_ONLY),
    ("read-only", _READ_ONLY),
    ("permission denied", "it may not be written. Check its permissions, or set TEMPERA_DATABASE_URL."),
    ("no locks available", "its folder does not support locks. Set TEMPERA_DATABASE_URL to a disk of this computer."),
    ("unable to open", "it cannot be opened. Check the path and its permissions, or set TEMPERA_DATABASE_URL."),
    ("not a database", "the file is not a database."),
    ("malformed", "the file is damaged."),
    ("can't locate revision", "it was made by a newer version of Tempera. Update Tempera."),
    ("no pq wrapper", NO_DRIVER),
    ("connection refused", "the database server does not answer. Start it, or check TEMPERA_DATABASE_URL."),
    ("server closed the connection", _SERVER_ENDED),
    ("terminating connection", _SERVER_ENDED),
)
"""Words of a database's errors, each with the end of a sentence on it."""
