"""Has Streamlit take in every message of the browser whole, also when the next one comes before the script has run.

Each message stops the script that the one before began, if it was begun at all. With ``runner.fastReruns`` off,
Streamlit joins the messages that wait for the script, and keeps the presses in them. Three losses remain, mended here:
values of widgets that the later message does not have, as one that asks for another page; a message that the script
has taken up when the next one comes, which is dropped before its values are set and its callbacks called; and the last
message of a page that is closed, whose script is stopped with it.
"""

from __future__ import annotations

from typing import Any

from streamlit import config
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.state import SafeSessionState

_join = script_requests._coalesce_widget_states


def take_in_whole_messages() -> None:
    """Put the three functions here in the place of Streamlit's own."""
    # Streamlit Community Cloud switches it on, whatever the file says.
    config.set_option("runner.fastReruns", False)
    script_requests._coalesce_widget_states = _joined  # type: ignore[assignment]
    SafeSessionState.on_script_will_rerun = _on_script_will_rerun  # type: ignore[assignment,method-assign]
    AppSession.request_script_stop = _let_the_script_end  # type: ignore[assignment,method-assign]


def _joined(earlier: WidgetStates | None, later: WidgetStates | None) -> WidgetStates | None:
    joined = _join(earlier, later)
    if joined and earlier and later:
        known = {state.id for state in joined.widgets}
        joined.widgets.extend(state for state in earlier.widgets if state.id not in known)
    return joined


def _on_script_will_rerun(session: SafeSessionState, *states: Any, **more: Any) -> None:
    """Set the values of a message and call its callbacks. Streamlit's own looks first whether another one has come."""
    with session._lock:
        session._state.on_script_will_rerun(*states, **more)


def _let_the_script_end(_session: AppSession) -> None:
    """Do nothing: a page's script is short, and ends by itself when no message waits for it."""
