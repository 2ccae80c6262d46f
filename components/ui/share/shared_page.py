"""A shared capsule, read-only; nothing is sent without a click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil

import streamlit as st

from components.contract.messages import Role
from components.contract.profile import profile_named
from components.counted import counted
from components.drafts.conversation import Turns
from components.drafts.draft import new_draft
from components.server.process import service
from components.sharing.capsule import Capsule, CapsuleRun, Kind
from components.sharing.capsules import open_capsule
from components.sharing.collection import with_links_opened
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.problem import LinkProblem
from components.sharing.shared_run import SharedRun, shared_runs
from components.ui import state
from components.ui.answer.check_results import draw_results
from components.ui.answer.events_view import draw_events
from components.ui.answer.place import Place
from components.ui.answer.run_differences import draw_differences
from components.ui.answer.run_lookup import request_of
from components.ui.answer.run_view import draw_run
from components.ui.answer.times_view import draw_times
from components.ui.answer.view_switches import draw_replay_switch
from components.ui.choices import choose_view
from components.ui.form import draft_form
from components.ui.form.code_view import draw_code
from components.ui.form.link_bar import apply_settings
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.share.collection_page import draw_choice, draw_entries
from components.ui.share.download import draw_download
from components.ui.share.reproduce import draw_reproduce, draw_reproduction, verdicts_in_words
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors
from components.ui.visitor import is_known, links, rate_limit_key
from components.user_error import UserError

_PARTS = ["Request", "Times", "Events", "Code"]
_MAX_IN_A_ROW = 4
_NOTHING = "There is nothing here. The link has expired, was revoked, or is incomplete."


def draw_shared(capsule_id: str) -> None:
    """Draw the capsule with this id; one sentence when it is missing for any reason."""
    capsule = _opened(capsule_id)
    if capsule is None:
        return
    with show_errors():
        draw_capsule(capsule, capsule_id, verdicts_in_words(capsule_id))


def draw_capsule(capsule: Capsule, capsule_id: str | None, verdicts: str = "") -> None:
    """Draw a capsule of a link, or of a file, which has no id. ``verdicts`` is a sentence in Markdown about it."""
    if capsule.kind is Kind.COLLECTION:
        _draw_collection(capsule, capsule_id)
        return
    st.subheader(plain_words(capsule.title or "Shared", 200), anchor=False)
    runs = shared_runs(capsule_id or capsule.title, capsule)
    if capsule.runs:
        began = local_time(min(run.created_at for run in capsule.runs))
        version = plain_words(capsule.app_version)
        origin = f"{began:%-d %B %Y}, Tempera {version}."
        st.caption(f"Text made by a model, not checked by anyone. {origin} {verdicts}".strip())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _draw_forks(runs, capsule)
        draw_reproduce(runs, capsule, capsule_id)
        draw_download(capsule)
    draw_reproduction(runs, capsule_id)
    if capsule.kind is Kind.SETTINGS and capsule.settings:
        st.markdown("Settings, ready to review and run.")
    elif len(runs) == 1:
        _draw_one(next(iter(runs.values())), capsule.runs[0])
    else:
        _draw_several(runs, capsule)


def _draw_collection(collection: Capsule, capsule_id: str | None) -> None:
    chosen = draw_choice(collection) if capsule_id is None else None
    if chosen:
        draw_capsule(chosen, None)
        return
    st.title(plain_words(collection.title or "Collection", 200), anchor=False)
    st.caption(
        f"{counted(len(collection.linked), 'shared link')} with notes, each of which can be reproduced. "
        "Answers are text made by a model, not checked by anyone."
    )
    draw_download(collection)
    draw_entries(collection, are_links=capsule_id is not None)


def _opened(capsule_id: str) -> Capsule | None:
    """The capsule. A session looks it up once and shows it until the page is reloaded."""
    opened: tuple[str, Capsule] | None = st.session_state.get(keys.OPENED_CAPSULE)
    if opened and opened[0] == capsule_id:
        return opened[1]
    database = links()
    if database is None:
        st.info("The log is unavailable, so shared content cannot be shown. Try again later.")
        return None
    try:
        capsule = service().lookups.look_up(rate_limit_key(), lambda: open_capsule(database, capsule_id))
        capsule = capsule and with_links_opened(database, capsule)
    except UserError as problem:  # not the error of the visitor who opened the link
        st.info(plain_words(problem.sentence))
        return None
    if capsule is None:
        st.info(_NOTHING, icon=":material/link_off:")
        return None
    st.session_state[keys.OPENED_CAPSULE] = capsule_id, capsule
    return capsule


def _draw_forks(runs: Mapping[str, SharedRun], capsule: Capsule) -> None:
    if capsule.kind is Kind.SETTINGS and capsule.settings:
        _draw_fork(capsule.settings, "settings", capsule.settings.is_comparison)
    elif len(runs) == 1:
        _draw_fork(_settings_of(next(iter(runs.values())), capsule.runs[0]), "run", to_lanes=False)
    elif capsule.kind is Kind.COMPARISON and capsule.settings:
        _draw_fork(capsule.settings, "comparison", to_lanes=True)


def _draw_one(record: SharedRun, run: CapsuleRun) -> None:
    answer, details = st.columns([3, 2], gap="large")
    with answer:
        draw_run(record)
        _draw_notes(record, run)
    with details:
        part = choose_view("Part", _PARTS, keys.RUN_PART)
        if part == "Times":
            draw_times(record)
        elif part == "Events":
            _draw_events(record, run)
        elif part == "Code":
            draw_code(None, request_of(record), profile_named(record.dialect))
        else:
            _draw_request(run)


def _draw_several(runs: Mapping[str, SharedRun], capsule: Capsule) -> None:
    st.toggle("Raw", key=state.AS_WRITTEN, help="The texts as received, without Markdown, ready to copy.")
    shown = list(zip(runs.items(), capsule.runs, strict=True))
    side_by_side = in_a_row([run.repeat for run in capsule.runs])
    for begin in range(0, len(shown), side_by_side):
        columns = st.columns(side_by_side, gap="medium")
        for offset, ((title, record), run) in enumerate(shown[begin : begin + side_by_side]):
            with columns[offset]:
                st.markdown(f"**{plain_words(title)}**")
                place = Place(str(begin + offset), title, len(shown))
                draw_run(record, actions=partial(draw_replay_switch, record, place), place=place)
                _draw_notes(record, run)
                with st.expander("Request", key=f"shared_request_{begin + offset}"):
                    _draw_request(run)
                    _draw_fork(_settings_of(record, run), str(begin + offset), to_lanes=False)
    draw_differences(runs)


def in_a_row(repeats: Sequence[int | None]) -> int:
    """The number of answers side by side: the repeats of a lane where they fit, else evenly filled rows."""
    repeats_ = max((repeat or 1 for repeat in repeats), default=1)
    if 1 < repeats_ <= _MAX_IN_A_ROW and len(repeats) % repeats_ == 0:
        return repeats_
    return ceil(len(repeats) / ceil(len(repeats) / _MAX_IN_A_ROW))


def _draw_request(run: CapsuleRun) -> None:
    if run.system_left_out:
        st.caption("The system message is not shared; a marker replaces it.")
    else:
        st.markdown(":small[Request, exactly as sent]")
    st.code(run.request_body, language="json", wrap_lines=True)


def _draw_events(record: SharedRun, run: CapsuleRun) -> None:
    if run.events_repeat_system:
        st.caption("The events are not shared: they would reveal the system message, which is not shared.")
    elif run.events is None:
        st.caption("The events are not shared.")
    else:
        if run.probabilities_left_out:
            st.caption("The probabilities of the tokens are not shared.")
        draw_events(record)


def _draw_notes(record: SharedRun, run: CapsuleRun) -> None:
    draw_results(record)
    stars = "★" * (run.rating or 0)
    tags = " ".join(f":gray-badge[{plain_words(tag, 60)}]" for tag in run.tags)
    if stars or tags:
        st.markdown(f"{stars} {tags}".strip())
    if run.notes:
        st.text(run.notes)


def _settings_of(record: SharedRun, run: CapsuleRun) -> LinkedSettings | None:
    draft = draft_form.draft_of(record)
    if draft is None:
        return None
    if run.system_left_out:
        turns: Turns = tuple(turn for turn in draft.turns if turn.role is not Role.SYSTEM)
        draft = draft.model_copy(update={"turns": turns})
    try:
        return linked_settings(draft, comparison=False)
    except LinkProblem:
        return None


def _draw_fork(linked: LinkedSettings | None, name: str, to_lanes: bool) -> None:
    """Draw the button that opens an editable copy."""
    if linked is None:
        return
    if not is_known():
        st.caption("Log in to open a copy.")
        return
    label = "Open a copy in Compare" if to_lanes else "Open a copy in the playground"
    if st.button(label, key=f"fork_{name}", icon=":material/fork_right:"):
        draft_form.begin(new_draft)
        apply_settings(linked, "shared link")
        st.switch_page("compare.py" if to_lanes else "playground.py")
