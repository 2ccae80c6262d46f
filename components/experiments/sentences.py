"""What a person is told about a sweep that cannot be made as it is described."""

AXIS_TOO_LONG = "{field} has values of more than {most_characters:,} characters. Take some out."
AXIS_WITHOUT_VALUES_TAKES = "{field} has no values yet. Give it one at least: it takes {takes}."
NOT_A_VARIABLE = "{field} is no variable. Write its name in braces, such as {{{{topic}}}}."
AXIS_WITHOUT_FIELD = "Say which field the values are for."
FIELD_NOT_SWEPT_WHOLE = "{field} cannot be swept as a whole. Sweep {instead}."
NUMBER_TOO_LARGE = "{value} is too large a number for {field}: it must lie within {largest:,}."
VALUE_TOO_DEEP = "A value of {field} nests more than {most_levels} levels deep. Make it flatter."
NOT_A_VALUE = "{value} is no value of {field}, which takes {takes}."
TOO_MANY_VALUES = "{field} has {count} values, and one axis has at most {most_values:,}. Take some out."
EXTRA_BODY_WRONG = "{problem}. Mend it there first."
EXTRA_BODY_TOO_DEEP = "The form's extra body nests more than {most_levels} levels deep. Make it flatter."
DATA_TOO_MANY_ROWS = "{name} has more than {most:,} rows. Take a part of it."
DATA_WITHOUT_ROWS = "{name} has no rows. Give it one at least, below the names of its columns."
DATA_LONG_COLUMN_NAMES = "{name} has columns with very long names. Shorten them."
DATA_TOO_LONG = "{name} has more than {most:,} characters. Take a part of it."
DATA_NOT_UTF8 = "Line {line} of {name} is not UTF-8. Save the file as UTF-8 and try again."
DATA_WITH_NUL = "Line {line} of {name} holds a NUL character, which no text does. Remove it."
DATA_NOT_JSON = "Line {number} of {name} is not JSON: {problem} at character {column}. Write one JSON object a line."
DATA_UNREADABLE = "Line {number} of {name} cannot be read: {error}."
DATA_NOT_AN_OBJECT = "Line {number} of {name} is no JSON object with keys. Write one such object a line."
DATA_TOO_DEEP = "Line {number} of {name} nests more than {most_levels} levels deep. Make it flatter."
DATA_COLUMN_WITHOUT_NAME = "Line {line} of {name} has no name for column {place}. Give it one."
DATA_COLUMN_TWICE = "Line {line} of {name} names two columns {column}. Rename one of them."
DATA_WRONG_COLUMN_COUNT = (
    "Line {number} of {name} has {fields}, and its first line names {columns:,}. Put a text that holds the "
    "delimiter in quotation marks."
)
DATA_NOT_CSV = (
    "Line {number} of {name} is not CSV: {error}. Look at its quotation marks: one within others is written twice."
)
DATA_TOO_MANY_EMPTY_LINES = "{name} has more than {most:,} empty lines. Take them out."
ZIP_OF_DIFFERENT_LENGTHS = "A zip takes as many values of each axis, and these have: {each}. Make them equal."
PLAN_TOO_LONG = (
    "This plan would have {count} rows, and a sweep has at most {most_rows:,}. Take values out, or try one axis at "
    "a time."
)
TABLE_TOO_LONG = "The table has more than {most_rows:,} rows, the most of a sweep. Take some out."
TABLE_WITHOUT_ROWS = "The table has no rows. Write a value into one, or {base} for the base itself."
AXIS_WITHOUT_VALUES = "{field} has no values yet. Give it one at least, or take it out."
FIELD_ON_SEVERAL_AXES = "{field} stands on {times} axes. Put all its values on one."
TABLE_VALUE_WRONG = "Row {number}, {field}: {problem}"
WORKERS_NEED_POSTGRESQL = (
    "{variable} needs a log that all workers can write. Set TEMPERA_DATABASE_URL to a PostgreSQL database."
)
WORKERS_NEED_DASK = "{variable} needs Dask. Install it: pip install distributed"
NO_SCHEDULER = "No scheduler answers at {address}, which {variable} names: {error}. Start it, or correct the address."
