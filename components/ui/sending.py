"""Starts the visitor's runs. What a demo does not let through is said on the page, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace

from components.runs.order import Order
from components.runs.run import Run
from components.server.process import service
from components.ui import state
from components.ui.user_errors import shown_next
from components.ui.visitor import network, owner


def start(order: Order) -> Run | None:
    """Start a run of the visitor's; None when it was refused, which the page says in its next run."""
    with shown_next(state.RUN_PROBLEM):
        return service().runner.start(replace(order, owner=owner(), network=network()))
    return None
