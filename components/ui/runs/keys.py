"""Session keys of the Runs page."""

from __future__ import annotations

# Their names are the query parameters of the Runs page.
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
"""The state of the list: its view and page."""
CHOSEN_RUNS = "chosen_runs"
"""The ids of the selected runs."""
CHARTS = "charts"
CHART_OF = "chart_of"
CHART_BY = "chart_by"
IMPORT_RUNS = "runs_file"
SURE_TO_DELETE = "sure_to_delete"
SELECTION_TICKET = "selection_ticket"
TICKET = "ticket"
"""A view of the log, the browser's token for its runs, and the end of its use."""
RUNS_PROBLEM = "runs_problem"
UPKEEP = "upkeep"
DELETED_RUNS = "deleted_runs"
"""The runs that were deleted last."""
OPENED_RUN = "opened_run"
DRAWER_PART = "drawer_part"
LISTED_RUNS = "listed_runs"
JUST_OPENED = "just_opened"
