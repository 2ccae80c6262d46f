"""Session keys of the Runs page."""

from __future__ import annotations

RUNS_TABLE = "runs_table"
# The names that they have in the address of the Runs page.
FIND = "find"
FIND_SETTINGS = "sent"
FIND_STATUS = "status"
FIND_ENDPOINT = "on"
FIND_MODEL = "by"
FIND_FINISH_REASON = "finished"
FIND_SINCE = "from"
FIND_UNTIL = "to"
FIND_TAG = "tag"
FIND_STARS = "stars"
FIND_EXPERIMENT = "of"
ORDER = "order"
LOWEST_FIRST = "lowest"
COLUMNS = "columns"
FILTERS = (
    *(FIND, FIND_SETTINGS, FIND_STATUS, FIND_ENDPOINT, FIND_MODEL, FIND_FINISH_REASON),
    *(FIND_SINCE, FIND_UNTIL, FIND_TAG, FIND_STARS, FIND_EXPERIMENT),
)
LISTING = "listing"
"""Which page of the log the table shows."""
CHOSEN_RUNS = "chosen_runs"
"""The ids of the runs that are chosen in the table."""
CHARTS = "charts"
CHART_OF = "chart_of"
CHART_BY = "chart_by"
IMPORT_RUNS = "runs_file"
SURE_TO_DELETE = "sure_to_delete"
TICKET = "ticket"
"""A view of the log, the token by which the browser may fetch its runs, and until when it is offered."""
RUNS_PROBLEM = "runs_problem"
UPKEEP = "upkeep"
DELETED_RUN = "deleted_run"
"""The run that was deleted last, until something else is."""
LISTED_RUNS = "listed_runs"
JUST_OPENED = "just_opened"
