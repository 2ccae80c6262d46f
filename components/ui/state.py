"""Every key of the session's state, in one place."""

from __future__ import annotations

import time

import streamlit as st

from components.log.query import is_id

# A widget's key is its field's name, so that a test or a script finds it.
ENDPOINT = "endpoint"
MODEL = "model"
STREAM = "stream"
EXTRA_BODY = "extra_body"
SEND_ANYWAY = "send_anyway"
RUN = "run"
RUN_STATUS = "run_status"
STOP = "stop"
VIEW = "view"
ANSWER = "answer"
STALE = "stale"
"""A mark before an answer that other settings made."""
ANSWER_ACTIONS = "answer_actions"
AS_WRITTEN = "as_written"
ANSWER_TEXT = "answer_text"
"""The answer's text as it was drawn last, for pages without the live view's socket."""
CHANNEL = "channel"
"""The token of this view of the page, which names to the live view's socket what the page may see."""
NATIVE = "native"
"""Set when this page cannot reach the live view's socket, and answers are drawn without it."""
PREVIEW = "preview"
EVENTS_TABLE = "events_table"
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
RUN_PART = "run_part"
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
COMPARE = "compare"
STOP_ALL = "stop_all"
TIMING = "timing"
REPEATS = "repeats"
BLIND = "blind"
LANE_SET = "lane_set"
LANE_TAB = "lane_tab"
REPEAT_CHOSEN = "repeat_chosen"
"""Set when another repeat of a lane is to be shown, which concerns what stands below the lanes as well."""
EARLIER = "earlier"
"""Whether the popover of that name is open."""
LOOK = "look"
"""What of a comparison is looked at below its lanes."""
REFERENCE = "reference"
"""The lane that the others are held against."""
VOTE_PROBLEM = "vote_problem"

TURNS = "turns"
"""The turns of the conversation; what has just been typed in them stands in their widgets."""
START = "start"
"""The draft that widgets begin with when they are drawn anew."""
COMPARISON = "comparison"
"""The lanes beside the form, how often each is run, and in which order."""
HIGHEST_TURN = "highest_turn"
NUMBERS = "numbers"
"""The value in each field as it was last drawn."""
PENDING_PRESSES = "pending_presses"
"""What was pressed and is still to be done, in its order."""
VALUES_SET = "values_set"
"""How often the form's widgets have been given values; a hidden widget, by which the browser says what it has seen."""
UNSEEN_VALUES = "unseen_values"
"""The values that were set and that the browser may not have seen."""
UNDO = "undo_what"
REDO = "redo_what"
ANSWERS = "answers"
"""The runs of this session by what they asked, oldest first."""
BRANCH_CHOSEN = "branch_chosen"
NOTES = "notes"
"""What an import changed or left out, in sentences."""
RUN_PROBLEM = "run_problem"
DRAFT = "draft"
"""The id under which this session keeps its draft."""
KEPT_DRAFT = "kept_draft"
"""The draft's text as it was last kept."""

EXPERIMENT = "experiment"
"""The experiment that the compare page shows, and the query parameter that names it."""
GO_TO_COMPARE = "go_to_compare"
"""Set when the compare page is to be shown next."""
ASKED = "asked"
"""What the comparison that is going on was asked."""
BLIND_ORDER = "blind_order"
"""The lanes in the order in which a blind vote shows them."""
SHOWN_RUN = "shown_run"
OPENED_RUN = "opened_run"
LISTED_RUNS = "listed_runs"
JUST_OPENED = "just_opened"

RUN_PARAMETER = "run"
"""The query parameter that names the run a page shows."""
OPEN_PARAMETER = "open"
"""The query parameter that names a run to be shown and put into the form."""
_URL_BEHIND = "url_behind"
"""What the browser's address named before this session changed it, and when it was changed."""
_URL_FOLLOWS_S = 2.0
"""How long a browser's messages may still carry the address of before."""
SWEEP = "sweep"
"""The experiment that the sweep page shows, and the query parameter that names it."""
KEPT_SWEEP = "kept_sweep"
"""The sweep that this session began last, until the log has it."""
SWEEP_SETUP = "sweep_setup"
"""The axes and how they come together, as they are set up."""
PLAN_SOURCE = "plan_source"
"""The plan's rows as its table got them, and what they were made from: the table itself remembers only edits."""
PLANS_DRAWN = "plans_drawn"
PLAN_READ = "plan_read"
"""The table of the plan as it was last, the rows that it says, and their numbers in it."""
PLAN_SET_ASIDE = "plan_set_aside"
"""The axes before they changed, and the rows that a person had edited then."""
DATA_SET = "data_set"
"""What the set-up says of its data set, and that data set as it was read, or why it is none."""
DATA_PROBLEM = "data_problem"
"""Why what was given last is no data set, as a sentence."""
DATA_TEXT = "data_text"
DATA_FILE = "data_file"
SWEEP_RESULTS = "sweep_results"
"""What is remembered of a sweep's runs that have ended, without their texts."""
SWEEP_SIMILARITIES = "sweep_similarities"
"""How alike the answers of a sweep are to those of its base, beside the runs that were the base then."""
ROW_REQUESTS = "row_requests"
"""What the rows of the sweep ask, beside what they were made from."""
SWEEP_REUSE = "sweep_reuse"
SWEEP_UNCONFIRMED = "sweep_unconfirmed"
"""How many requests somebody wanted to run, who has to say so once more."""
SWEEP_WANTED = "sweep_wanted"
"""Set when a sweep is to be run: to the number of requests that was confirmed, or 0."""
SWEEP_RUN = "run_sweep"
SWEEP_MEASURE = "sweep_measure"
SWEEP_GRID = "sweep_grid"
SWEEP_GROUP = "sweep_group"
SWEEP_TTFT_LIMIT = "sweep_ttft_limit"
SWEEP_GAP_LIMIT = "sweep_gap_limit"
SWEEP_ONCE = "sweep_once"
SWEEP_DIFFERENT = "sweep_different"
SWEEP_ACROSS = "sweep_across"
SWEEP_DOWN = "sweep_down"
SWEEP_CHART = "sweep_chart"
PLAN_PARAMETER = "plan"
"""The query parameter that names the set-up of a sweep, as it was kept."""
AXES_DRAWN = "axes_drawn"
"""Grows whenever axes come or go, so that what is typed in one never stands in another."""
IMPORT_FILE = "import_file"
LINK_PARAMETER = "s"
"""The query parameter that holds settings."""
CAPSULE_PARAMETER = "c"
"""The query parameter that names a capsule."""
OPENED_CAPSULE = "opened_capsule"
"""The capsule that the shared page shows, beside its id."""
SHARED_AGAIN = "shared_again"
"""A run of a capsule, and the visitor's own that asked the same."""
VISITOR = "visitor"
"""The id of a visitor of a demo who did not log in."""
DEMO_LIMITS = "demo_limits"
LINK_PROBLEM = "link_problem"
PUBLISHED = "published"
"""The capsule that was published last in the dialog, and under which id."""
SHARING = "sharing"
"""The key of the button whose dialog is open."""
SHARE_WHAT = "share_what"
SHARE_TITLE = "share_title"
SHARE_SYSTEM = "share_system"
SHARE_NOTES = "share_notes"
SHARE_EVENTS = "share_events"
SHARE_DAYS = "share_days"
ARRIVED = "arrived"
"""What the link that was opened last set, or why it could not be read."""
DRAFT_PARAMETER = "draft"
"""The query parameter that names the draft in the form."""


def state_key(field: str) -> str:
    """The key of the control that says whether a field is omitted, null or a value."""
    return f"{field}_state"


def slider_key(field: str) -> str:
    """The key of the slider beside a field's number."""
    return f"{field}_slider"


def live_key(part: str) -> str:
    """The key of a component of the live view; switching between Markdown and plain text keeps the component."""
    return "live_status" if part == "status" else "live_answer"


def replay_key(run_id: str) -> str:
    """The key of the switch that plays this run again."""
    return f"replay_{run_id}"


def reset_key(field: str) -> str:
    """The key of the button that brings a field back to its default."""
    return f"{field}_reset"


def lane_key(part: str, lane_id: str) -> str:
    """The key of a control of a lane: one of the fields it changes, or one of its buttons."""
    return f"lane_{part}_{lane_id}"


def message_key(turn_id: str) -> str:
    """The key of a message's text."""
    return f"message_{turn_id}"


def part_key(part: str, turn_id: str) -> str:
    """The key of another control of a message: its role, prefix, name, tool_call_id or tool_calls."""
    return f"message_{turn_id}_{part}"


def variable_key(name: str) -> str:
    """The key of a variable's value."""
    return f"variable_{name}"


def show_run(run_id: str) -> None:
    """Make this the run that the playground shows, now and after a reload."""
    _show(SHOWN_RUN, RUN_PARAMETER, run_id)


def open_run(run_id: str) -> None:
    """Make this the run that the runs page has open, now and after a reload."""
    st.session_state[OPENED_RUN] = run_id
    st.query_params[RUN_PARAMETER] = run_id


def close_run() -> None:
    """Have no run open on the runs page."""
    st.session_state.pop(OPENED_RUN, None)
    st.query_params.pop(RUN_PARAMETER, None)


def opened_run() -> str | None:
    """The id of the run that the runs page has open."""
    run_id = st.query_params.get(RUN_PARAMETER) or st.session_state.get(OPENED_RUN)
    if run_id:
        open_run(run_id)
    return run_id


def show_experiment(key: str, experiment_id: str) -> None:
    """Make this the experiment that a page shows, now and after a reload. ``key`` is EXPERIMENT or SWEEP."""
    if st.session_state.get(key) != experiment_id:
        st.session_state.pop(BLIND_ORDER, None)
    _show(key, key, experiment_id)


def arrive_at_experiment(key: str) -> tuple[str | None, bool]:
    """The id of the experiment that a page shows, and whether it is to be put into the form, too.

    It is when a link opens it, and when going back or forward in the browser brings another one than before. Of an
    address only what can be an id is taken: what is run next is kept under it.
    """
    opened, in_url = st.query_params.get(OPEN_PARAMETER), st.query_params.get(key)
    if opened:
        del st.query_params[OPEN_PARAMETER]
        if is_id(opened):
            show_experiment(key, opened)
            return opened, True
    if in_url and not is_id(in_url):
        del st.query_params[key]
    before, found = st.session_state.get(key), _named(key, key)
    if found:
        show_experiment(key, found)
    return found, before is not None and found != before


def arrive() -> tuple[str | None, bool]:
    """The id of the run that the playground shows, and whether it is to be put into the form, too.

    Going back and forward in the browser shows other runs and leaves the form alone.
    """
    if opened := st.query_params.get(OPEN_PARAMETER):
        del st.query_params[OPEN_PARAMETER]
        show_run(opened)
        return opened, True
    run_id = _named(SHOWN_RUN, RUN_PARAMETER)
    if run_id:
        show_run(run_id)
    return run_id, False


def _show(key: str, parameter: str, found: str) -> None:
    """Name what a page shows in the session and in the address."""
    st.session_state[key] = found
    if st.query_params.get(parameter) != found:
        st.session_state[f"{_URL_BEHIND}_{parameter}"] = st.query_params.get(parameter), time.monotonic()
        st.query_params[parameter] = found


def _named(key: str, parameter: str) -> str | None:
    """What the address names, unless it is behind what the session shows."""
    in_url, in_session = st.query_params.get(parameter), st.session_state.get(key)
    before, changed_at = st.session_state.get(f"{_URL_BEHIND}_{parameter}", (None, -_URL_FOLLOWS_S))
    is_behind = in_url == before and time.monotonic() - changed_at < _URL_FOLLOWS_S
    if in_session and (in_url is None or is_behind):
        # A click on another page drops the parameter, and a quick click carries the address of a moment ago.
        return str(in_session)
    return in_url
