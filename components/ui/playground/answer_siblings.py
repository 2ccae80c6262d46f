"""The answers to one request in this session: regenerating keeps them all, and each branch shows its own."""

from __future__ import annotations

import hashlib

import streamlit as st

from components.log.record import RunRecord
from components.ui import state
from components.ui.choices import draw_steps
from components.ui.playground import keys


def note_run(record: RunRecord) -> None:
    """Note the request of this run."""
    ids = _answers().setdefault(_request_of(record.endpoint, record.request_body.encode()), [])
    if record.id not in ids:
        ids.append(record.id)


def answers_to(endpoint: str, body: bytes | None) -> list[str]:
    """The ids of this session's runs with exactly this request, oldest first; empty without a request."""
    return [] if body is None else _answers().get(_request_of(endpoint, body), [])


def draw_siblings(record: RunRecord) -> None:
    """Draw the steps to the other answers of the same request, if any."""
    ids = answers_to(record.endpoint, record.request_body.encode())
    if record.id not in ids or len(ids) < 2:
        return
    place = ids.index(record.id)

    def go(step: int) -> None:
        state.show_run(ids[max(0, min(place + step, len(ids) - 1))])

    draw_steps("answer", place + 1, len(ids), key=lambda name: f"answer_{name}", go=go)


def _answers() -> dict[str, list[str]]:
    answers: dict[str, list[str]] = st.session_state.setdefault(keys.ANSWERS, {})
    return answers


def _request_of(endpoint: str, body: bytes) -> str:
    return hashlib.sha256(endpoint.encode() + b"\n" + body).hexdigest()
