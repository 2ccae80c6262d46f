"""Answers as a frozen copy under a link: the choices, the public preview, and the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from components.checks.check import Check
from components.log.annotations import Annotation, annotation_of
from components.log.events import StoredEvent
from components.log.query import QueryFailed
from components.log.record import RunRecord
from components.log.request_summary import summarize_request
from components.server.link_cards import may_have_cards
from components.sharing.capsule import Capsule, Kind
from components.sharing.capsules import Published, publish
from components.sharing.collection import check_size
from components.sharing.freezing import Choices, capsule_of
from components.sharing.link_card import link_card
from components.sharing.linked_settings import LinkedSettings
from components.sharing.preview import public_text
from components.ui.answer.run_lookup import events_reader
from components.ui.plain_words import plain_words
from components.ui.share import keys
from components.ui.share.address import address_of, draw_where_it_leads
from components.ui.share.download import draw_download
from components.ui.share.embed import draw_embedding
from components.ui.user_errors import show_errors
from components.ui.visitor import links, own_log

_DAYS = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class Answers:
    """The shareable content of a page: runs by their titles, their settings, and the checks that the page makes."""

    kind: Kind
    runs: Mapping[str, RunRecord]
    settings: LinkedSettings | None = None
    checks: Sequence[Check] = ()


@show_errors()
def draw_share_answers(answers: Answers) -> None:
    """Draw the choices, a preview of the public content, and the link once it is created."""
    records = list(answers.runs.values())
    if not records:
        st.info("Run something first, then share its answer.")
        return
    annotations = _annotations(records)
    title = st.text_input("Title", _title(records[0]), key=keys.SHARE_TITLE, max_chars=200)
    with st.container(horizontal=True, gap="medium"):
        system = _has_system(records) and st.checkbox("System messages", key=keys.SHARE_SYSTEM)
        notes = bool(annotations) and st.checkbox("Stars, tags and notes", key=keys.SHARE_NOTES)
        events = st.checkbox(
            "Events",
            True,
            key=keys.SHARE_EVENTS,
            help="With events, viewers can replay the answer at its original speed.",
        )
        probabilities = any(record.mean_logprob is not None for record in records) and st.checkbox(
            "Token probabilities",
            key=keys.SHARE_PROBABILITIES,
            disabled=not events,
            help="Viewers see each token coloured by its probability, with its alternatives. They are part of the "
            "events, and a file grows to about three times its size.",
        )
        checks = bool(answers.checks) and st.checkbox(
            "Checks",
            key=keys.SHARE_CHECKS,
            help="The checks of this page, and their results. *Reproduce* makes them on the new answers, too. "
            "Judges are left out.",
        )
    capsule = capsule_of(
        records,
        kind=answers.kind,
        title=title,
        choices=Choices(system_message=system, notes=notes, events=events, probabilities=probabilities, checks=checks),
        labels={record.id: name for name, record in answers.runs.items()},
        annotations=annotations,
        events={record.id: _events(record) for record in records} if events else {},
        settings=answers.settings,
        checks=answers.checks,
    )
    with st.expander("Public preview", icon=":material/visibility:", key="share_preview"):
        st.code("\n".join(f"{field}: {words}" for field, words in public_text(capsule)), language=None, height=280)
    draw_publish(capsule)


@show_errors()
def draw_publish(capsule: Capsule) -> None:
    """Draw the file, the expiry, the button that creates the link, and the link."""
    draw_download(capsule, "single_file_to_share", opens_links=True)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        days = st.selectbox(
            "Expires", list(_DAYS), index=2, format_func=_DAYS.__getitem__, key=keys.SHARE_DAYS, width=180
        )
        keeps = capsule.kind is not Kind.COLLECTION and st.checkbox(
            "Keep verdicts",
            key=keys.SHARE_REPRODUCTIONS,
            help="When visitors reproduce the answers, the page says how often, when, and with which verdict.",
        )
        card = may_have_cards() and st.checkbox(
            "Show a card where the link is posted",
            key=keys.SHARE_CARD,
            help="Chat programs then show the title, the settings that differ, and a drawing of the answers without "
            "words. They read that without a login, and may keep it when the link is revoked.",
        )
        pressed = st.button("Create link", key="publish", type="primary", icon=":material/link:")
    if card:
        shown = link_card(capsule)
        st.caption(f"Card: {plain_words(shown.title)} · {plain_words(shown.description)}")
    if pressed:
        if capsule.kind is Kind.COLLECTION and (database := links()):
            check_size(database, capsule)
        published = publish(own_log(), capsule, days, keeps_reproductions=keeps, has_card=card)
        st.session_state[keys.PUBLISHED] = capsule, published
    last: tuple[Capsule, Published] | None = st.session_state.get(keys.PUBLISHED)
    if last is None or last[0] != capsule:
        st.caption("Nothing is public yet. Anyone with the link will see it, without login.")
        return
    published = last[1]
    url = address_of("shared", **{keys.CAPSULE_PARAMETER: published.id})
    st.code(url, language=None, wrap_lines=True)
    draw_where_it_leads(url)
    draw_embedding(url, capsule.title)
    st.caption(f"Anyone with the link can see this until {pd.Timestamp(published.expires_at):%-d %B %Y}.")
    if capsule.kind is not Kind.COLLECTION and st.button(
        "Manage shared links", key="to_own_links", type="tertiary", icon=":material/list:"
    ):
        st.session_state.pop(keys.SHARING, None)
        st.switch_page("shared.py")


def _title(record: RunRecord) -> str:
    return " ".join(summarize_request(record.request_body).prompt.split())[:_TITLE_CHARACTERS] or record.model


def _has_system(records: Sequence[RunRecord]) -> bool:
    # A rough check with false positives: the capsule itself checks for system messages.
    return any('"system"' in record.request_body for record in records)


def _annotations(records: Sequence[RunRecord]) -> dict[str, Annotation]:
    try:
        database = own_log().readable
        annotations = {record.id: annotation_of(database, record.id) for record in records}
    except QueryFailed:
        return {}
    return {run_id: annotation for run_id, annotation in annotations.items() if annotation != Annotation()}


def _events(record: RunRecord) -> list[StoredEvent]:
    try:
        return events_reader(record)()
    except QueryFailed:
        return []
