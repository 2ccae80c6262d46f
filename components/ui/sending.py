"""Starts the visitor's runs. What a demo does not let through is said on the page, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.runs.gate import Refused
from components.runs.order import Order
from components.runs.run import Run
from components.server.process import service
from components.ui import state
from components.ui.visitor import network, owner


def start(order: Order) -> Run | None:
    """Start a run of the visitor's; None when it was refused, which the page says in its next run."""
    try:
        return service().runner.start(replace(order, owner=owner(), network=network()))
    except Refused as refused:
        st.session_state[state.RUN_PROBLEM] = refused.sentence
        return None
