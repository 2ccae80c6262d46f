"""Starts the visitor's runs. The page shows a demo's refusal, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace

from components.runs.order import Order
from components.runs.run import Run
from components.server.process import service
from components.ui import state
from components.ui.user_errors import shown_next
from components.ui.visitor import network, owner


def start(order: Order) -> Run | None:
    """Start a run of the visitor; None when it was refused, with the reason on the next draw of the page."""
    with shown_next(state.RUN_PROBLEM):
        return service().runner.start(replace(order, owner=owner(), network=network()))
    return None
