"""Starts the visitor's runs and shows their first text. The page shows a demo's refusal, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace

from components.runs.order import Order
from components.runs.run import Run
from components.server.process import service
from components.ui import state
from components.ui.answer.live_view import show_begun
from components.ui.answer.place import ALONE, Place
from components.ui.user_errors import show_errors_later
from components.ui.visitor import network, owner


def start(order: Order, place: Place = ALONE) -> Run | None:
    """Start a run of the visitor, and tell the page's open socket that this place shows it.

    None when the run was refused, with the reason on the next draw of the page.
    """
    with show_errors_later(state.RUN_PROBLEM):
        run = service().runner.start(replace(order, owner=owner(), network=network()))
        show_begun([(run, place)])
        return run
    return None
