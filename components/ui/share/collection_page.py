"""A collection: notes, and after each of them a shared capsule that can be opened and reproduced."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from components.sharing import sentences
from components.sharing.capsule import Capsule, Entry, Kind
from components.sharing.shared_run import SharedRun, shared_runs
from components.ui.answer.check_results import draw_results
from components.ui.answer.html_text import draw_text
from components.ui.answer.place import Place
from components.ui.answer.run_differences import draw_settings_table, request_in_words
from components.ui.answer.run_status import draw_status
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.share.address import address_of
from components.ui.share.reproduce import draw_reproduce, draw_reproduction, verdicts_in_words
from components.ui.time_zone import local_time
from components.ui.user_errors import show_errors

_MAX_ANSWERS = 4
_MAX_CHARACTERS = 10_000
"""Of an answer. The page renders all answers at once, in the script of whoever opens it."""
_MAX_PROMPT_CHARS = 300


def draw_entries(collection: Capsule, *, are_links: bool) -> None:
    """Draw the notes and links of a collection. Those of a file cannot be opened by their links."""
    for number, entry in enumerate(collection.entries, 1):
        if entry.note:
            with st.container(key=f"collection_note_{number}"):
                draw_text(entry.note, f"collection_note_text_{number}")
        if entry.link:
            with st.container(border=True, key=f"collection_entry_{number}"):
                if entry.capsule:
                    _draw_entry(entry, entry.capsule, str(number), is_link=are_links)
                else:
                    st.info(sentences.LINK_MISSING, icon=":material/link_off:")


def draw_choice(collection: Capsule) -> Capsule | None:
    """Draw the choice of one capsule of a collection in a file; returns the chosen one."""
    titles = [f"{number}. {part.title or 'Shared'}" for number, part in enumerate(collection.parts, 1)]
    chosen = st.selectbox(
        "Show",
        range(len(titles)),
        index=None,
        format_func=lambda number: plain_words(titles[number], 80),
        placeholder="The whole collection",
        key=keys.SHOWN_ENTRY,
        label_visibility="collapsed",
        width=320,
    )
    return None if chosen is None else collection.parts[chosen]


def _draw_entry(entry: Entry, capsule: Capsule, name: str, *, is_link: bool) -> None:
    link = entry.link if is_link else None
    records = shared_runs(entry.link or "", capsule)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(plain_words(capsule.title or "Shared", 200), anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if link:
                st.link_button(
                    "Open",
                    address_of("shared", **{keys.CAPSULE_PARAMETER: link}),
                    icon=":material/open_in_new:",
                    type="tertiary",
                    help="The whole link, with its replay, events and differences.",
                )
            draw_reproduce(records, capsule, link, name)
    st.caption(_about(records, capsule, link))
    draw_reproduction(records, link, name)
    if capsule.kind is Kind.SETTINGS:
        st.markdown("Settings, ready to review and run.")
    else:
        _draw_answers(records, name)


def _about(records: Mapping[str, SharedRun], capsule: Capsule, link: str | None) -> str:
    began = min((record.created_at for record in records.values()), default=None)
    models = plain_words(", ".join(dict.fromkeys(f"{run.model} on {run.endpoint}" for run in records.values())), 200)
    verdicts = ""
    with show_errors():
        verdicts = verdicts_in_words(link) if link else ""
    date = f"{local_time(began):%-d %B %Y}" if began else ""
    version = f"Tempera {plain_words(capsule.app_version)}"
    return " · ".join(filter(None, (date, models, version, verdicts)))


def _draw_answers(records: Mapping[str, SharedRun], name: str) -> None:
    prompts = dict.fromkeys(record.prompt for record in records.values())
    if len(prompts) == 1 and (prompt := next(iter(prompts))):
        st.markdown(f":gray[Prompt:] {plain_words(prompt, _MAX_PROMPT_CHARS)}")
    drawn = list(records.items())[:_MAX_ANSWERS]
    for number, (column, (title, record)) in enumerate(zip(st.columns(len(drawn), gap="medium"), drawn, strict=True)):
        with column:
            if len(records) > 1:
                st.markdown(f"**{plain_words(title)}**")
            place = Place(f"{name}_{number}", title, len(drawn))
            draw_text(record.text[:_MAX_CHARACTERS], place.key("entry_text"))
            if len(record.text) > _MAX_CHARACTERS:
                st.caption(f"The first {_MAX_CHARACTERS:,} of {len(record.text):,} characters.")
            draw_status(record, place)
            draw_results(record)
    if len(records) > len(drawn):
        st.caption(f"{len(records) - len(drawn):,} further answers are in the whole link.")
    if len(records) > 1:
        draw_settings_table({title: request_in_words(record) for title, record in records.items()}, "runs")
